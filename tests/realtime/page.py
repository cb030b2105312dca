"""A page at 24 kHz as a test has it in hand: its microphone is open, its ear as quick as wished."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from convonet.caller import REALTIME
from tests.stack import Stack
from tests.voice import client
from voice.browser_stream import read_audio_message

FRAME_MS = 40
# As often as a page does; the server takes forty messages a second.
HEARD_SECONDS = 0.08
Message = dict[str, Any]


class Page:
    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._changed = asyncio.Condition()
        self._pending = b""
        self.listening = True
        """Switched off, nothing is heard of what arrives."""
        self.quick = True
        """What arrives is heard at once; switched off, in real time."""
        self.messages: list[Message] = []
        self.arrived: dict[str, float] = {}
        """When the last message of each type came, by the monotonic clock."""
        self._began: dict[int, float] = {}
        self.audio: dict[int, bytearray] = {}
        """Of each reply, by its number."""
        self.disorder: list[tuple[int, int]] = []
        """(number, ms) of audio that did not follow what came before."""
        self.filled: dict[int, int] = {}
        """Bytes of it that came before its first sentence: words that fill a wait."""
        self.late_bytes = 0
        """Of a reply that had been cleared."""
        self._cleared: set[int] = set()

    # What the test does -------------------------------------------------------------------------
    async def type(self, words: str) -> None:
        await client.say(self._socket, "text", text=words)

    def say(self, pcm: bytes) -> None:
        """PCM16 at 24 kHz, from the next frame on."""
        self._pending += pcm

    async def until(self, true: Callable[[], Any], seconds: float = 60.0) -> Any:
        """The first true value; raises TimeoutError."""
        async with asyncio.timeout(seconds), self._changed:
            while not (value := true()):
                await self._changed.wait()
            return value

    # What it received ---------------------------------------------------------------------------
    def of(self, kind: str) -> list[Message]:
        return [message for message in self.messages if message["type"] == kind]

    def ms(self, number: int) -> int:
        return REALTIME.ms_of(len(self.audio.get(number, b"")))

    def heard_ms(self, number: int) -> int:
        if self.quick or number not in self._began:
            return self.ms(number)
        passed = time.monotonic() - self._began[number]
        return min(self.ms(number), round(passed * 1000))

    async def done(self, count: int) -> Message:
        """The end of that many exchanges."""
        ended = await self.until(lambda: self.of("turn_done")[count - 1 : count])
        return dict(ended[0])

    # Its life -----------------------------------------------------------------------------------
    async def microphone(self) -> None:
        """By the clock: a frame of silence where nothing is being said."""
        size, due = REALTIME.bytes_of(FRAME_MS), time.monotonic()
        while True:
            frame, self._pending = self._pending[:size], self._pending[size:]
            await self._socket.send(frame.ljust(size, b"\0"))
            due += FRAME_MS / 1000
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def ear(self) -> None:
        told: dict[int, int] = {}
        while True:
            await asyncio.sleep(HEARD_SECONDS)
            for number in set(self.audio) - self._cleared:
                heard_ms = self.heard_ms(number)
                if self.listening and told.get(number) != heard_ms:
                    told[number] = heard_ms
                    turns = [m["turn"] for m in self.messages if m.get("number") == number]
                    await client.say(self._socket, "played", turn=turns[-1], ms=heard_ms)

    async def read(self) -> None:
        async for message in self._socket:
            if isinstance(message, bytes):
                self._on_audio(message)
            else:
                self._on_message(json.loads(message))
            async with self._changed:
                self._changed.notify_all()

    def _on_audio(self, message: bytes) -> None:
        number, at_ms, pcm = read_audio_message(message)
        if number in self._cleared:
            self.late_bytes += len(pcm)
            return
        if at_ms != self.ms(number):
            self.disorder.append((number, at_ms))
        self._began.setdefault(number, time.monotonic())
        self.audio.setdefault(number, bytearray()).extend(pcm)

    def _on_message(self, message: Message) -> None:
        self.messages.append(message)
        self.arrived[message["type"]] = time.monotonic()
        match message["type"]:
            case "clear":
                self._cleared.add(message["number"])
            case "sentence":
                self.filled.setdefault(
                    message["number"], len(self.audio.get(message["number"], b""))
                )


@asynccontextmanager
async def page(stack: Stack) -> AsyncIterator[Page]:
    """A call that has begun and hangs up at the end."""
    async with client.socket(stack, client.ticket(stack), max_queue=None) as opened:
        await client.say(opened, "start", time_zone="Europe/Berlin", microphone=True)
        ready = await client.until(opened, "ready")
        assert ready["audio"] == str(REALTIME)
        its = Page(opened)
        parts = (its.microphone(), its.ear(), its.read())
        tasks = [asyncio.create_task(part) for part in parts]
        try:
            yield its
        finally:
            for task in tasks:
                task.cancel()
            for ended in await asyncio.gather(*tasks, return_exceptions=True):
                if ended is not None and not isinstance(
                    ended, asyncio.CancelledError | ConnectionClosed
                ):
                    raise ended
