"""A browser caller's end for the driver: the page's socket without a page.

As light as the far end's stream: one timer and no task per frame.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path

from convonet import recordings
from convonet.far_end.line import Lateness, Speech
from convonet.far_end.socket import NotOpened, Socket, connect
from convonet.load.hearing import Hearing
from voice.audio import BROWSER
from voice.browser_stream import read_audio_message

# As the page sends and acknowledges.
FRAME_MS = 40
PLAYED_SECONDS = 0.2
CATCH_UP_SECONDS = 5.0
_BYTES = BROWSER.bytes_of(FRAME_MS)
_SILENCE = bytes(_BYTES)
_START = json.dumps({"type": "start", "time_zone": "UTC", "microphone": True})


class BrowserStation:
    kind = "browser"
    streams = 1

    def __init__(self, key: str, url: Callable[[], str], late: Lateness) -> None:
        """`url` makes the address with a new ticket; `key` is the user's name."""
        self.key, self._url, self._late = key, url, late
        self._socket: Socket | None = None
        self._over = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._due = self._told_at = 0.0
        self._mouth, self._offset = b"", 0
        self._speech: Speech | None = None
        self._turns: dict[int, str] = {}
        self.hearing = Hearing()
        self.up = False
        self.ended: float | None = None
        self.faults: list[str] = []

    @staticmethod
    def speech(recording: Path) -> Speech:
        """PCM16 at 16 kHz."""
        pcm = recordings.read_wav(recording)
        return Speech(pcm, recordings.speech_start_ms(pcm), recordings.speech_end_ms(pcm))

    async def run(self) -> None:
        try:
            url = await asyncio.to_thread(self._url)
            self._socket = await connect(url, {}, self._hear, self._end)
        except NotOpened as error:
            self.faults.append(str(error))
            return
        self._socket.send(_START)
        await self._over.wait()
        self.up = False

    def say(self, speech: Speech) -> None:
        self._mouth, self._offset, self._speech, self.ended = speech.audio, 0, speech, None

    def look(self) -> None:
        """What comes is put into figures as it comes."""

    def hang_up(self) -> None:
        if self._socket is not None:
            self._socket.send('{"type":"stop"}')
            self._socket.close()

    # Time -----------------------------------------------------------------------------------
    def _step(self) -> None:
        now = time.monotonic()
        if now - self._due > CATCH_UP_SECONDS:
            self._due = now
        while self._due <= now:
            self._late.add(now - self._due)
            self._send_frame(self._due)
            self._due += FRAME_MS / 1000
        self._acknowledge(now)
        if not self._over.is_set():
            delay = max(0.0, self._due - time.monotonic())
            self._timer = asyncio.get_running_loop().call_later(delay, self._step)

    def _send_frame(self, now: float) -> None:
        assert self._socket is not None
        frame = _SILENCE
        if self._mouth:
            if not self._offset and self._speech is not None:
                self.ended = now + self._speech.to_ms / 1000
            frame = self._mouth[self._offset : self._offset + _BYTES].ljust(_BYTES, b"\0")
            self._offset += _BYTES
            if self._offset >= len(self._mouth):
                self._mouth = b""
        self._socket.send(frame)

    def _acknowledge(self, now: float) -> None:
        reply = self.hearing.reply
        if reply is None or not reply.turn or now - self._told_at < PLAYED_SECONDS:
            return
        if now - reply.empty_at > 2 * PLAYED_SECONDS:
            return
        self._told_at = now
        if self._socket is not None:
            played = {"type": "played", "turn": reply.turn, "ms": self.hearing.played_ms(now)}
            self._socket.send(json.dumps(played))

    # What comes -----------------------------------------------------------------------------
    def _hear(self, message: str | bytes) -> None:
        now = time.monotonic()
        if isinstance(message, bytes):
            number, at_ms, pcm = read_audio_message(message)
            self.hearing.piece(self._turn(number), at_ms, BROWSER.ms_of(len(pcm)), now)
            return
        said = json.loads(message)
        match said["type"]:
            case "ready":
                self.up, self._due = True, now
                self._step()
            case "sentence" | "filler":
                self._turns = {said["number"]: said["turn"]}
            case "clear":
                self.hearing.clear(now)
            case "bye":
                self.faults.append(str(said.get("text", "bye")))

    def _turn(self, number: int) -> str:
        """Its id, told before its first audio."""
        return self._turns.get(number, f"turn {number}")

    def _end(self) -> None:
        self._over.set()
        if self._timer is not None:
            self._timer.cancel()
