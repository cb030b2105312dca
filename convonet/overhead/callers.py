"""Callers without a person, many in one process: each says its sentence every few seconds.

Light on purpose: a frame is cut from memory and sent by the clock, an answer is noted and
acknowledged. How late the frames left is measured too, for then the figures are not to be trusted.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from dataclasses import dataclass, field

from websockets.asyncio.client import ClientConnection, connect

from convonet import stopwatch
from voice.audio import BROWSER
from voice.browser_stream import read_audio_message

FRAME_MS = 40
_FRAME_BYTES = BROWSER.bytes_of(FRAME_MS)
# Between an answer and the next sentence.
PAUSE_SECONDS = (1.2, 2.8)
ANSWER_SECONDS = 45.0


@dataclass(slots=True)
class Report:
    """`late_ms` of each frame sent; `answered` turns; sentences that got no answer in time."""

    late_ms: list[float] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)
    unanswered: int = 0


class _Caller:
    def __init__(self, socket: ClientConnection, speech: bytes, report: Report) -> None:
        self._socket, self._speech, self._report = socket, speech, report
        self._pending = b""
        self._turn = ""
        self._heard_ms = self._told_ms = 0
        self._done = asyncio.Event()

    async def say(self, sentences: int) -> None:
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(self._speak()), tasks.create_task(self._listen())]
            for _ in range(sentences):
                await asyncio.sleep(random.uniform(*PAUSE_SECONDS))  # noqa: S311
                self._done.clear()
                self._pending = self._speech
                try:
                    await asyncio.wait_for(self._done.wait(), ANSWER_SECONDS)
                except TimeoutError:
                    self._report.unanswered += 1
            for task in running:
                task.cancel()

    async def _speak(self) -> None:
        due, silence = time.monotonic(), bytes(_FRAME_BYTES)
        while True:
            self._report.late_ms.append(1000 * (time.monotonic() - due))
            frame, self._pending = self._pending[:_FRAME_BYTES], self._pending[_FRAME_BYTES:]
            await self._socket.send(frame.ljust(_FRAME_BYTES, b"\0") if frame else silence)
            if self._heard_ms > self._told_ms:
                self._told_ms = self._heard_ms
                played = {"type": "played", "turn": self._turn, "ms": self._told_ms}
                await self._socket.send(json.dumps(played))
            due += FRAME_MS / 1000
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def _listen(self) -> None:
        async for message in self._socket:
            if isinstance(message, bytes):
                stopwatch.mark("heard", self._turn)
                _, at_ms, pcm = read_audio_message(message)
                self._heard_ms = at_ms + BROWSER.ms_of(len(pcm))
            else:
                self._told(json.loads(message))

    def _told(self, message: dict[str, str]) -> None:
        if message["type"] == "sentence" and message["turn"] != self._turn:
            self._turn, self._heard_ms, self._told_ms = message["turn"], 0, 0
        elif message["type"] == "turn_done":
            if message["state"] == "done":
                self._report.answered.append(message["turn"])
            else:
                self._report.unanswered += 1
            self._done.set()


async def call(url: str, speech: bytes, sentences: int) -> Report:
    """Call, say `speech` (PCM16 at 16 kHz) so many times, hang up."""
    report = Report()
    async with connect(url, proxy=None, max_queue=None, compression=None) as socket:
        await socket.send(json.dumps({"type": "start", "time_zone": "UTC", "microphone": True}))
        while json.loads(await socket.recv())["type"] != "ready":
            pass
        await _Caller(socket, speech, report).say(sentences)
    return report
