"""The door of the MCP server over HTTP: token, host, size and health, then the protocol.

A bare ASGI callable; stateless, each answer one JSON body.
"""

from __future__ import annotations

import hmac
import json
import logging
import os
import signal
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import AbstractAsyncContextManager
from typing import Any
from urllib.parse import urlsplit

import uvicorn
from django.conf import settings
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

from convonet import memory
from convonet.web import heap
from todo import signals
from todo.mcp_server import identify_by_context, make_server

logger = logging.getLogger(__name__)
# The largest honest call is a note of 4,000 characters in each of 25 items.
MOST_BODY_BYTES = 512 * 1024
LOCAL_HOSTS = {"127.0.0.1", "localhost", "::1"}
Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Door:
    """`token` is what a bearer must show; `hosts` are the names we may be called by, or any."""

    def __init__(self, token: str, hosts: set[str] | None) -> None:
        self._token = token.encode()
        self._hosts = hosts
        self._manager = StreamableHTTPSessionManager(
            make_server(identify_by_context, _give_way),
            json_response=True,
            stateless=True,
            max_request_body_size=MOST_BODY_BYTES,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._pass(scope, receive, send)

    def serving(self) -> AbstractAsyncContextManager[None]:
        """Within, it answers; once in its life."""
        return self._manager.run()

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        async with self.serving():
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.lower(): value for name, value in scope["headers"]}
        if not self._known_host(headers):
            await _answer(send, 421, {"error": "unknown host"})
        elif scope["path"] == "/healthz":
            await _answer(send, 200, {"status": "ok", "version": settings.VERSION})
        elif scope["path"].rstrip("/") != "/mcp":
            await _answer(send, 404, {"error": "not here"})
        elif not self._has_token(headers):
            logger.warning("request without a valid token refused")
            await _answer(send, 401, {"error": "a bearer token is needed"})
        else:
            await self._manager.handle_request(scope, receive, send)

    def _has_token(self, headers: dict[bytes, bytes]) -> bool:
        scheme, _, shown = headers.get(b"authorization", b"").partition(b" ")
        return scheme.lower() == b"bearer" and hmac.compare_digest(shown.strip(), self._token)

    def _known_host(self, headers: dict[bytes, bytes]) -> bool:
        """A page of some other site, made to resolve to us, says that site's name."""
        if self._hosts is None:
            return True
        host = headers.get(b"host", b"").decode("latin-1")
        origin = headers.get(b"origin", b"").decode("latin-1")
        if (_name(f"//{host}") or "") not in self._hosts:
            return False
        return not origin or (_name(origin) or "") in self._hosts


def serve(port: int) -> None:
    """On MCP_BIND, until SIGTERM; from the main thread."""
    # Else glibc would keep what one took, up to the largest piece it has seen.
    heap.keep_small()
    # A tool that runs away fails by itself; if the kernel must choose, a restart here costs little.
    memory.limit_growth(settings.MCP_CEILING_MB)
    memory.volunteer()
    signals.serving.send(None)
    uvicorn.run(
        make_app(),
        host=settings.MCP_BIND,
        port=port,
        # What its client loads anyhow; others would be memory for a few calls a second.
        loop="asyncio",
        http="h11",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=3,
    )


def _give_way() -> None:
    """End as when told to; whoever keeps this running starts it anew."""
    os.kill(os.getpid(), signal.SIGTERM)


def make_app() -> Door:
    if settings.MCP_BIND not in LOCAL_HOSTS:
        # No browser is near a private network, and its names are not ours to know.
        return Door(settings.MCP_TOKEN, None)
    own = _name(settings.MCP_URL)
    return Door(settings.MCP_TOKEN, LOCAL_HOSTS | ({own} if own else set()))


def _name(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


async def _answer(send: Send, status: int, body: dict[str, Any]) -> None:
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})
