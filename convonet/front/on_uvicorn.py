"""uvicorn, with the way of a socket's messages to their application made straight and bounded.

Its own way reads one message at a time: it stops the socket, wakes a task, and reads on.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import uvicorn
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from convonet.closing import CLOSING_SECONDS
from convonet.front.inbox import Event, Inbox
from convonet.front.intake import Intake
from convonet.front.options import END_SECONDS, Options, Served, product

# A connection nothing is asked over is closed after this; Daphne leaves that to the other end.
KEEP_ALIVE_SECONDS = 60


class Socket(WebSocketsSansIOProtocol):
    """One WebSocket."""

    receive: Inbox  # type: ignore[assignment]  # is called as the method is

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._intake = Intake(odd=self._odd, pause=self._pause, resume=self._resume)
        self.receive = self._intake.inbox
        self.queue = self.receive  # type: ignore[assignment]  # has what is used of a queue
        self._asked = self._early = False

    # In -------------------------------------------------------------------------------------
    def data_received(self, data: bytes) -> None:
        if self.handshake_complete and not self._early:
            self._intake.feed(data)
            return
        # What comes before the handshake is over leaves the parser in the middle of something.
        self._early, self._asked = self._asked, True
        super().data_received(data)

    def send_receive_event_to_app(self) -> None:
        data, self.frames = b"".join(self.frames), []
        if self.close_sent:
            return
        if self.curr_msg_data_type == "bytes":
            self.receive.put(data)
            return
        try:
            self.receive.put(data.decode())
        except UnicodeDecodeError:
            self.conn.fail(1007)
            self.handle_parser_exception()

    def connection_lost(self, exc: Exception | None) -> None:
        self._intake.end()
        super().connection_lost(exc)

    def _odd(self, frame: bytes) -> bool:
        """A frame that is no plain message: the server's own parser's to read."""
        if not self.transport.is_closing():
            super().data_received(frame)
        return self.conn.current_size is None

    def _pause(self) -> None:
        if not self.transport.is_closing():
            self.transport.pause_reading()

    def _resume(self) -> None:
        if not self.transport.is_closing():
            self.transport.resume_reading()

    # Out ------------------------------------------------------------------------------------
    async def send(self, message: Event) -> None:  # type: ignore[override]
        goodbye = message["type"] == "websocket.close"
        if goodbye:
            # What waits to be written stays before it; a far end that reads nothing is not asked.
            self.writable.set()
        else:
            await self.writable.wait()
        if self.close_sent and self.handshake_complete:
            # It failed the connection, or somebody has said goodbye.
            raise ClientDisconnected
        await super().send(message)  # type: ignore[arg-type]
        if goodbye:
            self.receive.forget()
            self._end_for_certain()

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        # Nobody reads there: to wait until all is written would be to wait for long.
        self.transport.abort()

    def _end_for_certain(self) -> None:
        """Nor for a far end that answers no close."""
        if self.close_timer is not None:
            self.close_timer.cancel()
            self.close_timer = self.loop.call_later(CLOSING_SECONDS, self.transport.abort)


class Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, begin: Callable[[], None]) -> None:
        super().__init__(config)
        self._begin = begin

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._begin()

    async def shutdown(self, sockets: Any = None) -> None:
        # As Daphne does it: what goes on is cancelled, and may clean up.
        for task in self.server_state.tasks:
            task.cancel()
        await super().shutdown(sockets)
        # It would be raised once more, and the process seem to have died of it.
        self._captured_signals.clear()


def serve(options: Options, load: Callable[[], Served] = product) -> None:
    """Until SIGTERM or SIGINT; raises SystemExit when it cannot listen."""
    served = load()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        # One that is cancelled when the server ends is nothing to report.
        with suppress(asyncio.CancelledError):
            await served.application(scope, receive, send)

    config = uvicorn.Config(
        application,
        host=options.host.strip("[]"),
        port=options.port,
        backlog=options.backlog,
        interface="asgi3",
        loop="uvloop",
        http="httptools",
        ws=Socket,
        ws_max_size=options.message_bytes,
        ws_ping_interval=options.ping_seconds,
        ws_ping_timeout=options.ping_seconds,
        ws_per_message_deflate=False,
        lifespan="off",
        # The settings say what is logged.
        log_config=None,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=END_SECONDS,
    )
    sockets = None
    if options.descriptor is not None:
        sockets = [socket.socket(fileno=options.descriptor)]
    Server(config, served.begin).run(sockets)
