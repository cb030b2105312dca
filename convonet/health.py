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

from voice import admission, keys

FRESH_SECONDS = 1.0
PROBE_SECONDS = 1.0
ROLES = ("agent", "speech")


@dataclass(frozen=True, slots=True)
class Findings:
    """What the probes found; each state is `ok` or what is wrong."""

    broker: bool
    database: bool
    mcp: bool
    workers: Mapping[str, Mapping[str, Any] | None] = field(default_factory=dict)
    """By role: what it last reported, None when it has not within its time."""


def report(found: Findings, calls: int) -> dict[str, Any]:
    """The answer's body; `reasons` is empty when all is well."""
    reasons = _reasons(found)
    return {
        "status": "unavailable" if reasons else "ok",
        "reasons": reasons,
        "version": settings.VERSION,
        "broker": _word(found.broker),
        "database": _word(found.database),
        "mcp": _word(found.mcp),
        "workers": {role: _word(found.workers.get(role) is not None) for role in ROLES},
        "calls": calls,
    }


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
        missing = [role for role in ROLES if found.workers.get(role) is None]
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
            self._findings = Findings(broker is not None, database, mcp, broker or {})
        return self._findings


async def _within(question: Any) -> bool:
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            return bool(await question)
    except (TimeoutError, OSError, DatabaseError):
        return False


async def _ask_broker() -> dict[str, Any] | None:
    """What each worker role last said; None when the broker does not answer."""
    client = redis.asyncio.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=PROBE_SECONDS)
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            said = await client.mget([keys.heartbeat(role) for role in ROLES])
    except (TimeoutError, OSError, redis.exceptions.RedisError):
        return None
    finally:
        await client.aclose()
    return {role: _parsed(raw) for role, raw in zip(ROLES, said, strict=True)}


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
    return (200 if body["status"] == "ok" else 503), body


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
