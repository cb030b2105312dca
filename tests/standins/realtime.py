"""OpenAI's Realtime API as published, on a WebSocket of this machine; and a desk to direct it.

https://platform.openai.com/docs/guides/realtime-websocket: `GET …/realtime?model=…` with a bearer
key. The desk is HTTP on a port of its own: GET tells what came, POST sets the behaviour (`do`:
`cut` or `expire` acts on the open sockets), DELETE begins anew. `python -m tests.standins.realtime`
serves both until killed.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request as Handshake
from websockets.http11 import Response as Answer

from tests.standins import http
from tests.standins.openai import KEY
from tests.standins.realtime_script import Book, Desk, Visit
from tests.standins.realtime_session import Session

# The largest message the service takes, of audio.
MOST_BYTES = 15 * 2**20
_REFUSALS = {
    401: ("invalid_api_key", "Incorrect API key provided."),
    400: ("missing_model", "You must provide a model parameter."),
    404: ("not_found", "Invalid URL."),
    429: ("rate_limit_exceeded", "Rate limit reached for requests."),
}


def environment(url: str) -> dict[str, str]:
    """What makes the product speak with this server."""
    return {"REALTIME": "openai", "OPENAI_API_KEY": KEY, "OPENAI_REALTIME_URL": url}


class Realtime:
    """The service; `visits` and `desk` may be used from the same loop."""

    def __init__(self) -> None:
        self.desk, self.book = Desk(), Book()
        self.url = ""
        self._open: dict[ServerConnection, Session] = {}
        self._changed = asyncio.Condition()

    @property
    def visits(self) -> list[Visit]:
        return list(self.book.visits)

    async def until(self, seen: Callable[[], bool], seconds: float = 60.0) -> None:
        """Until `seen()` is true of what came; raises TimeoutError."""
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(seen)

    def cut(self) -> None:
        """Close each open socket without a word."""
        for socket in list(self._open):
            socket.transport.abort()

    async def expire(self) -> None:
        """The longest time of a session is over."""
        for socket, session in list(self._open.items()):
            await session.expire()
            await socket.close(1001, "session expired")

    def begin_anew(self) -> None:
        self.cut()
        self.desk, self.book = Desk(), Book()

    # Handshake --------------------------------------------------------------------------------
    async def admit(self, socket: ServerConnection, handshake: Handshake) -> Answer | None:
        status = self._status(handshake)
        if status == 101:
            return None
        self.book.refused[status] += 1
        await self._noted()
        if not status:
            socket.transport.abort()
        code, message = _REFUSALS.get(status, ("server_error", "Please try again later."))
        error = {"message": message, "type": "invalid_request_error", "code": code, "param": None}
        body = json.dumps({"error": error}).encode()
        headers = Headers({"Content-Type": "application/json", "Content-Length": str(len(body))})
        return Answer(status or 503, HTTPStatus(status or 503).phrase, headers, body)

    def _status(self, handshake: Handshake) -> int:
        parts = urlsplit(handshake.path)
        if not parts.path.endswith("/realtime"):
            return 404
        if self.desk.refuse > 0:
            self.desk.refuse -= 1
            return self.desk.refuse_status
        if handshake.headers.get("Authorization") != f"Bearer {KEY}":
            return 401
        # The beta's header asks for a protocol that is no longer spoken.
        if not parse_qs(parts.query).get("model") or "OpenAI-Beta" in handshake.headers:
            return 400
        return 101

    # A socket ---------------------------------------------------------------------------------
    async def serve(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        model = parse_qs(urlsplit(socket.request.path).query)["model"][0]
        visit = Visit(model)
        self.book.visits.append(visit)

        async def send(message: str) -> None:
            if not self.desk.silent:
                await socket.send(message)

        # What has left arrives, and then there is nothing more.
        session = Session(self.desk, visit, send, socket.transport.write_eof)
        self._open[socket] = session
        try:
            await session.begin()
            async for message in socket:
                await session.handle(message)
                await self._noted()
        except ConnectionClosed:
            pass
        finally:
            del self._open[socket]
            visit.open = False
            await session.end()
            await self._noted()

    async def _noted(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    # The desk ---------------------------------------------------------------------------------
    async def control(self, request: http.Request, reply: http.Reply) -> None:
        if request.method == "DELETE":
            self.begin_anew()
        elif request.method == "POST":
            values = json.loads(request.body)
            await self._do(values.pop("do", ""))
            self.desk.configure(values)
        reply.json(200, self.book.told())

    async def _do(self, what: str) -> None:
        acts: dict[str, Callable[[], Awaitable[None]]] = {"expire": self.expire}
        if what == "cut":
            self.cut()
        elif what:
            await acts[what]()


@asynccontextmanager
async def serving(port: int = 0) -> AsyncIterator[Realtime]:
    """The service on the loop of a test; `url` says where."""
    service = Realtime()
    options: dict[str, Any] = {"max_size": MOST_BYTES, "compression": None}
    async with serve(
        service.serve, "127.0.0.1", port, process_request=service.admit, **options
    ) as server:
        at = next(iter(server.sockets)).getsockname()[1]
        service.url = f"ws://127.0.0.1:{at}/v1/realtime"
        yield service


async def run() -> None:
    """Serve until killed; the lines on stdout are the addresses of the service and of its desk."""
    async with serving() as service:
        desk = await http.listen(service.control, 0)
        at = desk.sockets[0].getsockname()[1]
        sys.stdout.write(f"{service.url}\nhttp://127.0.0.1:{at}/control\n")
        sys.stdout.flush()
        async with desk:
            await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    asyncio.run(run())
