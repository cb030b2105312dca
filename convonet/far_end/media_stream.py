"""One `<Stream>` as Twilio carries it: a frame every 20 ms by the clock, what comes is played.

No task and no wait per frame: one timer of the loop, and the bytes are written at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from convonet.far_end import wire
from convonet.far_end.line import Arrival, Line
from convonet.far_end.socket import connect

FRAME_SECONDS = wire.FRAME_MS / 1000
# Longer behind than this (the process was held up) is not made up for.
CATCH_UP_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Gap:
    """Nothing arrives from `at_ms` of the stream on for `ms`; then all of it at once, or never."""

    at_ms: int
    ms: int
    lost: bool = False


class Transport(Protocol):
    """An open WebSocket; what comes over it goes to `MediaStream.hear`, its end to `ended`."""

    @property
    def close_code(self) -> int | None: ...
    def send(self, message: str | bytes) -> None: ...
    def close(self) -> None: ...
    def drop(self) -> None: ...


class MediaStream:
    """From `connected` to the end of the socket."""

    def __init__(
        self,
        line: Line,
        script: wire.Script,
        *,
        parameters: Mapping[str, str],
        gaps: Sequence[Gap] = (),
    ) -> None:
        self._line, self._script, self._parameters = line, script, parameters
        self._gaps = gaps
        self._socket: Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._over = asyncio.Event()
        self._due = 0.0
        self._at_ms = 0
        self._held: list[str] = []

    @property
    def stream_sid(self) -> str:
        return self._script.stream_sid

    async def run(self, url: str, headers: Mapping[str, str]) -> int:
        """Carry it until it ends; answers the close code. Raises NotOpened."""
        return await self.carry(await connect(url, headers, self.hear, self.ended))

    async def carry(self, socket: Transport) -> int:
        """The same over a socket that is open."""
        self._socket = socket
        self._due = self._line.clock()
        socket.send(wire.CONNECTED)
        socket.send(self._script.start(self._parameters))
        self._step()
        try:
            await self._over.wait()
        except asyncio.CancelledError:
            self.stop()
            raise
        return socket.close_code or 1006

    def stop(self) -> None:
        """The call ends, or Twilio takes it elsewhere: `stop`, then the socket is closed."""
        if self._socket is not None:
            self._socket.send(self._script.stop())
            self._socket.close()
        self.ended()

    def drop(self) -> None:
        """The connection breaks without a word."""
        if self._socket is not None:
            self._socket.drop()

    def send(self, message: str | bytes) -> None:
        """Something else than a caller's doing."""
        if self._socket is not None:
            self._socket.send(message)

    # Time -----------------------------------------------------------------------------------
    def _step(self) -> None:
        line, now = self._line, self._line.clock()
        if now - self._due > CATCH_UP_SECONDS:
            self._due = now
        while self._due <= now:
            line.late.add(now - self._due)
            self._send_frame(self._due)
            self._due += FRAME_SECONDS
        self._return_marks(line.ear.reached(line.ear_time(now)))
        line.look()
        if not self._over.is_set():
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(max(0.0, self._wake_at() - line.clock()), self._step)

    def _wake_at(self) -> float:
        mark = self._line.ear.next_mark
        if mark is None:
            return self._due
        return min(self._due, self._line.time_of_ear(mark))

    def _send_frame(self, now: float) -> None:
        frame, at_ms = self._line.next_frame(now), self._at_ms
        self._at_ms += wire.FRAME_MS
        key = self._line.next_key(now)
        if key:
            self.send(self._script.dtmf(key))
        gap = next((g for g in self._gaps if g.at_ms <= at_ms < g.at_ms + g.ms), None)
        if gap is not None:
            if not gap.lost:
                self._held.append(self._script.media(frame, at_ms))
            return
        for message in self._held:
            self.send(message)
        self._held.clear()
        self.send(self._script.media(frame, at_ms))

    # What comes -----------------------------------------------------------------------------
    def hear(self, message: str | bytes) -> None:
        line, now = self._line, self._line.clock()
        try:
            said = wire.read(message, self.stream_sid)
        except wire.NotTheProtocol as error:
            line.error(f"stream: {error}")
            return
        ear_now = line.ear_time(now)
        match said:
            case wire.Media(audio=audio):
                line.arrivals.append(Arrival(now, "media", len(audio)))
                line.ear.media(audio, ear_now)
            case wire.Mark(name=name):
                line.arrivals.append(Arrival(now, "mark", name=name))
                line.ear.mark(name, ear_now)
                self._return_marks(line.ear.reached(ear_now))
                self._wake_for_mark()
            case wire.Clear():
                line.arrivals.append(Arrival(now, "clear"))
                self._return_marks(line.ear.clear(ear_now))
        line.look()

    def _return_marks(self, names: Sequence[str]) -> None:
        for name in names:
            self.send(self._script.mark(name))

    def _wake_for_mark(self) -> None:
        """The next mark may be due before the next frame."""
        if self._timer is not None and not self._over.is_set():
            self._timer.cancel()
            loop, delay = asyncio.get_running_loop(), self._wake_at() - self._line.clock()
            self._timer = loop.call_later(max(0.0, delay), self._step)

    # Its end --------------------------------------------------------------------------------
    def ended(self) -> None:
        # What waited to be heard is not heard any more.
        self._line.ear.clear(self._line.ear_time(self._line.clock()))
        self._halt()
        self._line.look()

    def _halt(self) -> None:
        self._over.set()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
