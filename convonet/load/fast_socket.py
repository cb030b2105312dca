"""The far end's socket with a short way out: a text frame is put together here and written.

`websockets` makes an object of each frame, which is most of what a caller costs. It still opens,
reads, answers and closes. Framing: RFC 6455, section 5.2; a client masks what it sends.
"""

from __future__ import annotations

import asyncio
import secrets
import struct
import time
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from websockets.frames import Frame, Opcode
from websockets.protocol import State

from convonet.far_end.socket import UNREAD_BYTES, NotOpened, Socket

try:
    from websockets.speedups import apply_mask
except ImportError:  # a platform without the compiled part
    from websockets.utils import apply_mask

_TEXT = 0x81
_BINARY = 0x82
OPEN_SECONDS = 10.0


class FastSocket(Socket):
    """`on_pong` is told how many seconds a ping took."""

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str],
        on_message: Callable[[str | bytes], None],
        on_end: Callable[[], None],
        on_pong: Callable[[float], None],
    ) -> None:
        super().__init__(url, headers, on_message, on_end)
        self._mask = secrets.token_bytes(4)
        self._on_pong = on_pong

    @classmethod
    async def opened_at(
        cls,
        url: str,
        headers: Mapping[str, str],
        on_message: Callable[[str | bytes], None],
        on_end: Callable[[], None],
        on_pong: Callable[[float], None],
    ) -> FastSocket:
        """Raises NotOpened with the reason."""
        parts, loop = urlsplit(url), asyncio.get_running_loop()
        made: list[FastSocket] = []

        def make() -> FastSocket:
            made.append(cls(url, headers, on_message, on_end, on_pong))
            return made[0]

        try:
            async with asyncio.timeout(OPEN_SECONDS):
                await loop.create_connection(make, parts.hostname or "", parts.port or 80)
                await made[0].opened
        except (OSError, TimeoutError) as error:
            for socket in made:
                socket.drop()
            raise NotOpened(str(error) or type(error).__name__) from error
        return made[0]

    def send_frame(self, message: bytes, *, text: bool = True) -> None:
        """A whole message; does nothing once either side has begun to close."""
        if self.ended or self._protocol.state is not State.OPEN:
            return
        first, size = _TEXT if text else _BINARY, len(message)
        if size < 126:
            head = struct.pack("!BB", first, 0x80 | size)
        elif size < 65_536:
            head = struct.pack("!BBH", first, 0x80 | 126, size)
        else:
            head = struct.pack("!BBQ", first, 0x80 | 127, size)
        self._transport.write(head + self._mask + apply_mask(message, self._mask))
        if self._transport.get_write_buffer_size() > UNREAD_BYTES:
            self._transport.abort()

    def ping(self, now: float) -> None:
        """Behind all that was sent: its pong tells that the server has read it."""
        if not self.ended and self._protocol.state is State.OPEN:
            self._protocol.send_ping(struct.pack("!d", now))
            self._flush()

    def _framed(self, frame: Frame) -> None:
        if frame.opcode is Opcode.PONG and len(frame.data) == 8:
            (sent,) = struct.unpack("!d", bytes(frame.data))
            self._on_pong(time.monotonic() - sent)
            return
        super()._framed(frame)
