"""Before Django: turns away what Twilio has not signed, at a sixth of what a request costs there.

What is let through reaches Django under the name that PUBLIC_URL gives us, whatever a proxy calls
this machine, and is looked at once more by the view's own door (`phone.doors`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import QueryDict

from phone.doors import refusals
from phone.signature import FORM, HEADER, is_signed

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Application = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]

PREFIX = "/twilio/"
# Twilio's requests are one or two kilobytes.
BODY_BYTES = 65_536
_SIGNATURE, _TYPE = HEADER.lower().encode(), b"content-type"


def front(pages: Application, webhooks: Application) -> Application:
    async def guarded(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if not scope["path"].startswith(PREFIX) or scope["method"] != "POST":
            await pages(scope, receive, send)
            return
        body = await _body(receive)
        if body is None or not _is_signed(scope, body):
            refusals.note(path=scope["path"])
            await send({"type": "http.response.start", "status": 403, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        await webhooks(_as_published(scope), _replaying(body, receive), _closing(send))

    return guarded


async def _body(receive: Receive) -> bytes | None:
    """None when there is too much of it, or the asker is gone."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if message["type"] != "http.request" or len(body) > BODY_BYTES:
            return None
        if not message.get("more_body"):
            return bytes(body)


def _is_signed(scope: dict[str, Any], body: bytes) -> bool:
    headers = dict(scope["headers"])
    if headers.get(_TYPE, b"").partition(b";")[0].strip().lower() != FORM.encode():
        return False
    try:
        form = QueryDict(body)
        query = scope["query_string"].decode("ascii")
        signature = headers.get(_SIGNATURE, b"").decode("ascii")
    except (SuspiciousOperation, UnicodeDecodeError):
        return False
    return is_signed(scope["path"], query, form, signature)


def _closing(send: Send) -> Send:
    """Has the asker close its connection: calls that end at once would leave many, for a minute,
    and the next request of each is a long way off.
    """

    async def sent(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
        await send(message)

    return sent


def _as_published(scope: dict[str, Any]) -> dict[str, Any]:
    host = urlsplit(settings.PUBLIC_URL).netloc.encode("ascii")
    headers = [(name, value) for name, value in scope["headers"] if name != b"host"]
    return {**scope, "headers": [*headers, (b"host", host)]}


def _replaying(body: bytes, receive: Receive) -> Receive:
    left = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> dict[str, Any]:
        return left.pop() if left else await receive()

    return replay
