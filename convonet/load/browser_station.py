"""A browser caller's end for the driver: the page's socket without a page."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path

from convonet import recordings
from convonet.far_end.line import Lateness, Speech
from convonet.far_end.socket import NotOpened
from convonet.load.beat import Beat
from convonet.load.fast_socket import FastSocket
from convonet.load.hearing import Hearing
from convonet.load.loudness import LOUD, of_pcm
from voice.audio import BROWSER
from voice.browser_stream import read_audio_message

# As the page sends and acknowledges.
FRAME_MS = 40
PLAYED_SECONDS = 0.2
PING_EVERY = 25
_BYTES = BROWSER.bytes_of(FRAME_MS)
_SILENCE = bytes(_BYTES)
_START = json.dumps({"type": "start", "time_zone": "UTC", "microphone": True})


class BrowserStation:
    kind = "browser"
    streams = 1

    def __init__(
        self, key: str, url: Callable[[], str], beat: Beat, late: Lateness, taken: Lateness
    ) -> None:
        """`url` makes the address with a new ticket; `key` is the user's name."""
        self.key, self._url, self._beat = key, url, beat
        self._late, self._taken = late, taken
        self._socket: FastSocket | None = None
        self._over = asyncio.Event()
        self._remove: Callable[[], None] | None = None
        self._told_at = 0.0
        self._frames = 0
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
            self._socket = await FastSocket.opened_at(
                url, {}, self._hear, self._end, self._taken.add
            )
        except NotOpened as error:
            self.faults.append(str(error))
            return
        self._socket.send(_START)
        await self._over.wait()
        self.up = False

    def say(self, speech: Speech) -> None:
        self._mouth, self._offset, self._speech, self.ended = speech.audio, 0, speech, None

    def hang_up(self) -> None:
        if self._socket is not None:
            self._socket.send('{"type":"stop"}')
            self._socket.close()

    # Time -----------------------------------------------------------------------------------
    def _step(self, now: float, due: float) -> None:
        self._late.add(now - due)
        self._send_frame(due)
        self._acknowledge(now)

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
        self._socket.send_frame(frame, text=False)
        self._frames += 1
        if not self._frames % PING_EVERY:
            self._socket.ping(time.monotonic())

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
            reply, loudness = self.hearing.reply, LOUD
            if reply is None or reply.answered_at is None or reply.turn != self._turn(number):
                loudness = of_pcm(pcm)
            ms = BROWSER.ms_of(len(pcm))
            self.hearing.heard(self._turn(number), at_ms, ms, loudness, now)
            return
        said = json.loads(message)
        match said["type"]:
            case "ready":
                self.up = True
                self._remove = self._beat.add(self._step, FRAME_MS)
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
        if self._remove is not None:
            self._remove()
            self._remove = None
