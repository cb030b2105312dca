"""`/healthz`: whether this installation can serve a call now, and if not, why not.

A report is kept for a second, so that a flood of questions costs nothing; it says nothing secret.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import redis.asyncio
import redis.exceptions
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse

from voice import admission, keys, room
from voice.admission import Switchboard
from voice.errors import BrokerLost
from voice.places import Count
from voice.wiring import services

FRESH_SECONDS = 1.0
PROBE_SECONDS = 1.0
ROLES = ("agent", "speech")


def roles() -> tuple[str, ...]:
    """The workers that calls need here."""
    return ROLES if settings.SPEECH_WORKER else ROLES[:1]


@dataclass(frozen=True, slots=True)
class Findings:
    """What the probes found; each state is `ok` or what is wrong."""

    broker: bool
    database: bool
    mcp: bool
    workers: Mapping[str, Mapping[str, Any] | None] = field(default_factory=dict)
    """By role: what it last reported, None when it has not within its time."""
    lines: Count | None = None
    """None while nobody can tell: the broker does not answer."""


def report(found: Findings, calls: int) -> dict[str, Any]:
    """The answer's body; `reasons` is empty when all is well."""
    reasons, full = _reasons(found), _full(found.lines)
    return {
        "status": "unavailable" if reasons else "full" if full else "ok",
        "reasons": reasons + full,
        "version": settings.VERSION,
        "broker": _word(found.broker),
        "database": _word(found.database),
        "mcp": _word(found.mcp),
        "workers": {role: _word(found.workers.get(role) is not None) for role in roles()},
        "calls": calls,
        "lines": _lines(found.lines),
    }


def _lines(lines: Count | None) -> dict[str, int] | None:
    """Of all web processes together."""
    if lines is None:
        return None
    most = settings.MAX_CALLS
    return {"calls": lines.calls, "most": most, "waiting": lines.waiting, "free": lines.free}


def _full(lines: Count | None) -> list[str]:
    """Nothing is wrong then: to start a service anew that has its hands full would end calls."""
    if lines is None or not lines.is_full:
        return []
    if settings.MAX_CALLS - lines.calls <= lines.waiting:
        return [f"All {settings.MAX_CALLS} lines are taken, and new callers are told so."]
    share = room.here().seen().share or 0.0
    told = "and new callers are told that all lines are busy."
    return [f"Memory is {round(100 * share)} % full, {told}"]


def _word(well: bool) -> str:
    return "ok" if well else "down"


def _reasons(found: Findings) -> list[str]:
    reasons = []
    if not found.database:
        reasons.append("The database does not answer.")
    if not found.broker:
        # Who asks for the workers asks the broker: nothing is known of them.
        reasons.append("The broker does not answer.")
    else:
        missing = [role for role in roles() if found.workers.get(role) is None]
        reasons += [f"No {role} worker has reported." for role in missing]
    if not found.mcp:
        reasons.append("The todo tool server does not answer.")
    return reasons


class Probes:
    """Asks every part, all at once, none for longer than a second."""

    def __init__(self) -> None:
        self._findings = Findings(broker=False, database=False, mcp=False)
        self._stale_at = 0.0

    async def findings(self) -> Findings:
        now = time.monotonic()
        if now >= self._stale_at:
            # Set before asking: whoever comes meanwhile gets the last answer instead of asking too.
            # The very first ones wait for nothing better and hear "down" for that moment.
            self._stale_at = now + FRESH_SECONDS
            broker, database, mcp = await asyncio.gather(
                _ask_broker(), _within(_ask_database()), _within(_ask_mcp())
            )
            workers, lines = broker or ({}, None)
            self._findings = Findings(broker is not None, database, mcp, workers, lines)
        return self._findings


async def _within(question: Any) -> bool:
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            return bool(await question)
    except (TimeoutError, OSError, DatabaseError):
        return False


async def _ask_broker() -> tuple[dict[str, Any], Count] | None:
    """What each worker role last said, and the lines; None when the broker does not answer."""
    if services.cache_info().currsize:
        # By the way that calls take: that another one is open helps no caller.
        return await _asked(services().redis)
    client = redis.asyncio.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=PROBE_SECONDS)
    try:
        return await _asked(client)
    finally:
        await client.aclose()


async def _asked(client: Any) -> tuple[dict[str, Any], Count] | None:
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            said = await client.mget([keys.heartbeat(role) for role in ROLES])
            lines = await Switchboard(client).count()
    except (TimeoutError, OSError, redis.exceptions.RedisError, BrokerLost):
        return None
    return {role: _parsed(raw) for role, raw in zip(ROLES, said, strict=True)}, lines


def _parsed(raw: bytes | str | None) -> dict[str, Any] | None:
    if raw is None:
        return None
    try:
        value = json.loads(raw)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


@sync_to_async
def _ask_database() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return bool(cursor.fetchone())


async def _ask_mcp() -> bool:
    """A plain GET of the tool server's own health page."""
    server = urlsplit(settings.MCP_URL)
    secure = server.scheme == "https"
    port = server.port or (443 if secure else 80)
    reader, writer = await asyncio.open_connection(server.hostname, port, ssl=secure or None)
    try:
        request = f"GET /healthz HTTP/1.1\r\nHost: {server.netloc}\r\nConnection: close\r\n\r\n"
        writer.write(request.encode())
        status = await reader.readline()
        return status.split(b" ")[1:2] == [b"200"]
    finally:
        writer.close()


_probes = Probes()


async def _told() -> tuple[int, dict[str, Any]]:
    body = report(await _probes.findings(), admission.calls_in_progress())
    return (503 if body["status"] == "unavailable" else 200), body


async def answer(send: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
    """`/healthz` by ASGI's `send`: whoever asks whether we live shall not wait behind pages."""
    status, body = await _told()
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})


async def healthz(request: HttpRequest) -> JsonResponse:
    """The same as a page of Django's, where another server than ours serves them."""
    status, body = await _told()
    response = JsonResponse(body, status=status)
    response["Cache-Control"] = "no-store"
    # Django would log every 503 as an error, several a second while the workers start.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response
