"""One phone caller's end of a media stream, for many in one process: sends by the beat, hears.

What convonet/far_end does in five times the processor time, since it keeps all that was heard and
checks every message. Source: https://www.twilio.com/docs/voice/media-streams/websocket-messages
"""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from convonet.far_end import wire
from convonet.far_end.line import Lateness, Speech
from convonet.load.beat import Beat
from convonet.load.fast_socket import FastSocket
from convonet.load.loudness import of_mulaw
from voice.audio import PHONE

_SILENT = base64.b64encode(wire.SILENCE * wire.FRAME_BYTES)
# Frames from one ping to the next.
PING_EVERY = 50

Heard = Callable[[str, int | None, int, int, float], None]
"""(turn or empty, place in it if told, ms, loudness, now)"""


@cache
def frames_of(audio: bytes) -> tuple[bytes, ...]:
    """Payloads of 20 ms, for all callers who say the same."""
    size = wire.FRAME_BYTES
    parts = (audio[at : at + size] for at in range(0, len(audio), size))
    return tuple(base64.b64encode(part.ljust(size, wire.SILENCE)) for part in parts)


@dataclass(slots=True)
class Said:
    speech: Speech
    began: float = 0.0

    @property
    def ended(self) -> float | None:
        """When its last sound is made; None before it has begun."""
        return self.began + self.speech.to_ms / 1000 if self.began else None


class Stream:
    """`late` is how late our frames left, `taken` how long the server took to read one."""

    def __init__(self, beat: Beat, late: Lateness, taken: Lateness, heard: Heard) -> None:
        self._beat, self._late, self._taken, self._heard = beat, late, taken, heard
        self._socket: FastSocket | None = None
        self._remove: Callable[[], None] | None = None
        self._over = asyncio.Event()
        self._sid = b""
        self._script: wire.Script | None = None
        self._sequence = self._chunk = 0
        self._mouth: deque[tuple[bytes, ...]] = deque()
        self._said: Said | None = None
        self._at = 0
        # A reply's media whose mark has not come, and marks whose audio has not been heard.
        self._media: tuple[int, int] | None = None
        self._marks: deque[tuple[float, str]] = deque()
        self._empty_at = 0.0
        self.on_clear: Callable[[float], None] = lambda now: None
        self.marked = True
        """The server names what it sends; else each media is told at once, without a turn."""
        self.faults: list[str] = []

    async def run(
        self, url: str, headers: Mapping[str, str], script: wire.Script, parameters: dict[str, str]
    ) -> int:
        """Until it ends; answers the close code. Raises NotOpened."""
        self._sid, self._script = script.stream_sid.encode(), script
        self._socket = await FastSocket.opened_at(
            url, headers, self._read, self._ended, self._taken.add
        )
        self._socket.send(wire.CONNECTED)
        self._socket.send(script.start(parameters))
        self._sequence = script.sequence
        self._remove = self._beat.add(self._step, wire.FRAME_MS)
        try:
            await self._over.wait()
        except asyncio.CancelledError:
            self.hang_up()
            raise
        return self._socket.close_code or 1006

    def say(self, speech: Speech) -> Said:
        """Its first frame leaves with the next that is due."""
        said = Said(speech)
        self._mouth.append(frames_of(speech.audio))
        self._said = said
        return said

    def hang_up(self) -> None:
        """As Twilio does: `stop`, then the socket is closed."""
        if self._socket is not None and self._script is not None:
            self._socket.send(self._script.stop())
            self._socket.close()
        self._ended()

    # Time -----------------------------------------------------------------------------------
    def _step(self, now: float, due: float) -> None:
        self._late.add(now - due)
        payload = _SILENT
        if self._mouth:
            frames = self._mouth[0]
            if not self._at and self._said is not None:
                self._said.began = due
            payload = frames[self._at]
            self._at += 1
            if self._at >= len(frames):
                self._mouth.popleft()
                self._at = 0
        self._send(payload)
        if self._marks and self._marks[0][0] <= now:
            self._return_marks(now)

    def _send(self, payload: bytes) -> None:
        socket = self._socket
        assert socket is not None
        self._sequence += 1
        self._chunk += 1
        socket.send_frame(
            b'{"event":"media","sequenceNumber":"%d","media":{"track":"inbound","chunk":"%d",'
            b'"timestamp":"%d","payload":"%b"},"streamSid":"%b"}'
            % (self._sequence, self._chunk, 20 * (self._chunk - 1), payload, self._sid)
        )
        if not self._chunk % PING_EVERY:
            socket.ping(time.monotonic())

    def _return_marks(self, now: float) -> None:
        while self._marks and self._marks[0][0] <= now:
            self._return_mark(self._marks.popleft()[1])

    def _return_mark(self, name: str) -> None:
        assert self._socket is not None
        self._sequence += 1
        message = {
            "event": "mark",
            "sequenceNumber": str(self._sequence),
            "mark": {"name": name},
            "streamSid": self._sid.decode(),
        }
        self._socket.send_frame(json.dumps(message).encode())

    # What comes -----------------------------------------------------------------------------
    def _read(self, message: str | bytes) -> None:
        now = time.monotonic()
        try:
            said = json.loads(message)
            event = said["event"]
            if event == "media":
                self._hear(said["media"]["payload"], now)
            elif event == "mark":
                self._mark(said["mark"]["name"], now)
            elif event == "clear":
                self._clear(now)
            else:
                self._fault(f"event {event}")
        except (ValueError, KeyError, TypeError) as error:
            self._fault(f"{type(error).__name__} in a message")

    def _hear(self, payload: str, now: float) -> None:
        audio = base64.b64decode(payload)
        ms, loudness = PHONE.ms_of(len(audio)), of_mulaw(audio)
        self._empty_at = max(now, self._empty_at) + ms / 1000
        if self.marked:
            self._media = ms, loudness
        else:
            self._heard("", None, ms, loudness, now)

    def _mark(self, name: str, now: float) -> None:
        """`turn:clears:until`, as the product names the audio before it."""
        self._marks.append((self._empty_at, name))
        if self._media is not None:
            (ms, loudness), self._media = self._media, None
            turn, _, until_ms = name.split(":")
            self._heard(turn, int(until_ms) - ms, ms, loudness, now)

    def _clear(self, now: float) -> None:
        self._empty_at = min(self._empty_at, now)
        marks = [name for _, name in self._marks]
        self._marks.clear()
        for name in marks:
            self._return_mark(name)
        self.on_clear(now)

    def _fault(self, text: str) -> None:
        if len(self.faults) < 5:
            self.faults.append(text)

    def _ended(self) -> None:
        self._over.set()
        if self._remove is not None:
            self._remove()
            self._remove = None


def fields_of(noun: Any) -> dict[str, str]:
    """The `<Parameter>`s of a `<Stream>`."""
    return {p.attributes.get("name", ""): p.attributes.get("value", "") for p in noun.nouns}
