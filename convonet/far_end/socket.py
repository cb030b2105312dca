"""A client's WebSocket on the bare transport: sending is a call and no task, for many per process.

The protocol is that of `websockets`, which does no I/O; neither compression nor keepalive pings,
as Twilio has none.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from typing import cast
from urllib.parse import urlsplit

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidHandshake
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import State
from websockets.uri import parse_uri

# A server this far behind does not read: the connection is dropped.
UNREAD_BYTES = 1_000_000
# Between our close and the server's.
CLOSING_SECONDS = 5.0


class NotOpened(Exception):
    """No WebSocket came of it; the text says why."""


class Socket(asyncio.Protocol):
    """Tells `on_message` of each message and `on_end` once, when the connection is gone."""

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str],
        on_message: Callable[[str | bytes], None],
        on_end: Callable[[], None],
    ) -> None:
        self._protocol = ClientProtocol(parse_uri(url))
        self._headers = headers
        self._on_message, self._on_end = on_message, on_end
        self._parts: list[bytes] = []
        self._text = True
        self._transport: asyncio.Transport
        self._timer: asyncio.TimerHandle | None = None
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        # Nobody may be left to be told why it did not open.
        self.opened.add_done_callback(lambda opened: opened.cancelled() or opened.exception())
        self.ended = False

    @property
    def close_code(self) -> int | None:
        """The server's; 1006 when it just went away."""
        return self._protocol.close_code

    def send(self, message: str | bytes) -> None:
        """Does nothing once either side has begun to close."""
        if self.ended or self._protocol.state is not State.OPEN:
            return
        if isinstance(message, bytes):
            self._protocol.send_binary(message)
        else:
            self._protocol.send_text(message.encode())
        self._flush()
        if self._transport.get_write_buffer_size() > UNREAD_BYTES:
            self._transport.abort()

    def close(self, code: int = 1000) -> None:
        if not self.ended and self._protocol.state is State.OPEN:
            self._protocol.send_close(code)
            self._flush()
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(CLOSING_SECONDS, self._transport.abort)

    def drop(self) -> None:
        """Be gone without a word, as when a network fails."""
        if not self.ended:
            self._transport.abort()

    # asyncio.Protocol -----------------------------------------------------------------------
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # One by name alone, in loops that are not asyncio's own.
        self._transport = cast(asyncio.Transport, transport)
        request = self._protocol.connect()
        for name, value in self._headers.items():
            if name in request.headers:
                del request.headers[name]
            request.headers[name] = value
        self._protocol.send_request(request)
        self._flush()

    def data_received(self, data: bytes) -> None:
        self._protocol.receive_data(data)
        self._read()

    def eof_received(self) -> None:
        self._protocol.receive_eof()
        self._read()

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended = True
        if self._timer is not None:
            self._timer.cancel()
        self._protocol.receive_eof()
        if not self.opened.done():
            self.opened.set_exception(NotOpened("the connection broke"))
        self._on_end()

    def _read(self) -> None:
        for event in self._protocol.events_received():
            if isinstance(event, Response):
                self._answered()
            elif isinstance(event, Frame):
                self._framed(event)
        self._flush()
        if self._protocol.close_expected() and self._timer is None and not self.ended:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(CLOSING_SECONDS, self._transport.abort)

    def _answered(self) -> None:
        error = self._protocol.handshake_exc
        if error is None:
            self.opened.set_result(None)
        elif not self.opened.done():
            why = str(error) if isinstance(error, InvalidHandshake) else "no handshake"
            self.opened.set_exception(NotOpened(why))

    def _framed(self, frame: Frame) -> None:
        if frame.opcode in (Opcode.TEXT, Opcode.BINARY):
            self._text, self._parts = frame.opcode is Opcode.TEXT, []
        elif frame.opcode is not Opcode.CONT:
            return
        self._parts.append(bytes(frame.data))
        if frame.fin:
            whole, self._parts = b"".join(self._parts), []
            self._on_message(whole.decode() if self._text else whole)

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                self._transport.write(data)
            elif self._transport.can_write_eof():
                self._transport.write_eof()


async def connect(
    url: str,
    headers: Mapping[str, str],
    on_message: Callable[[str | bytes], None],
    on_end: Callable[[], None],
    *,
    seconds: float = 10.0,
) -> Socket:
    """An open WebSocket; raises NotOpened with the reason."""
    parts = urlsplit(url)
    secure = parts.scheme == "wss"
    loop = asyncio.get_running_loop()
    made: list[Socket] = []

    def make() -> Socket:
        made.append(Socket(url, headers, on_message, on_end))
        return made[0]

    try:
        async with asyncio.timeout(seconds):
            port = parts.port or (443 if secure else 80)
            context = ssl.create_default_context() if secure else None
            await loop.create_connection(make, parts.hostname or "", port, ssl=context)
            await made[0].opened
    except (OSError, TimeoutError) as error:
        for socket in made:
            socket.drop()
        raise NotOpened(str(error) or type(error).__name__) from error
    return made[0]
