"""The real todo tools over the real protocol, inside this process and at a moment of our choice."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import httpx
from django.contrib.auth.models import User
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

from todo import context
from todo.actor import Actor, actor_for
from todo.mcp_server import CONTEXT_META, make_server
from workers.tools import TodoServer

Message = MutableMapping[str, Any]


class Clock:
    """What the tools take for now, by call."""

    def __init__(self) -> None:
        self._now: dict[str, datetime] = {}

    def set(self, call_id: str, now: datetime) -> None:
        self._now[call_id] = now

    def identify(self, meta: dict[str, Any], tool: str) -> Actor:
        """The person the turn was signed for, at the call's moment."""
        note = context.read(meta.get(CONTEXT_META))
        return actor_for(
            User.objects.get(pk=note.user_id),
            self._now[str(note.call_id)],
            time_zone=note.time_zone,
            call_id=note.call_id,
            turn_id=note.turn_id,
        )


@asynccontextmanager
async def todo_server(clock: Clock) -> AsyncIterator[TodoServer]:
    """The worker's client, connected to the product's server without a socket."""
    manager = StreamableHTTPSessionManager(
        make_server(clock.identify), json_response=True, stateless=True
    )
    async with manager.run():
        transport = httpx.ASGITransport(app=_posts_only(manager))
        server = TodoServer("http://todo.test/mcp", "", transport=transport)
        server.open()
        try:
            yield server
        finally:
            await server.close()


def _posts_only(manager: StreamableHTTPSessionManager) -> Any:
    """The transport waits for whole answers; the stream that a GET opens never ends."""

    async def app(
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        if scope["method"] == "POST":
            await manager.handle_request(scope, receive, send)
        else:
            await send({"type": "http.response.start", "status": 405, "headers": []})
            await send({"type": "http.response.body", "body": b""})

    return app
