"""Records a call while it goes on: listens in on its wire, and hands piece after piece to workers.

Begins once the caller has heard the whole consent sentence, is silent while something private is
asked, and keeps no more than `MOST_KEPT` pieces when the broker is away.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any, Protocol

from convonet import counters
from phone.track import Tracks
from voice import keys
from voice.audio import AudioFormat
from voice.audio_store import answering
from voice.controls import Audio, Control
from voice.errors import BrokerLost
from voice.ports import Queue
from voice.small import Flag
from voice.wire import Wire

logger = logging.getLogger(__name__)

MOST_KEPT = 3
RETRY_SECONDS = 1.0
# The socket is closed: a broker that does not take the last piece by then does not get it.
LAST_SECONDS = 5.0


class Shelf(Protocol):
    """Where pieces wait for a worker."""

    async def put(self, call_id: str, name: str, piece: bytes) -> None:
        """Raises BrokerLost."""


class RedisShelf:
    def __init__(self, redis: Any, queue: Queue) -> None:
        self._redis, self._queue = redis, queue

    async def put(self, call_id: str, name: str, piece: bytes) -> None:
        waiting = keys.recording_pieces(call_id)
        async with answering():
            pipe = self._redis.pipeline(transaction=False)
            pipe.set(keys.recording_piece(call_id, name), piece, ex=keys.AUDIO_SECONDS)
            pipe.sadd(waiting, name)
            pipe.expire(waiting, keys.AUDIO_SECONDS)
            await pipe.execute()
        await self._queue.send("store_recording", call_id, name)


class RecordingWire:
    """The call's wire, and beside it the recording of what goes over it."""

    def __init__(self, wire: Wire, clock: Callable[[], float] = monotonic) -> None:
        self._wire, self._clock = wire, clock
        self._tracks = Tracks(wire.format)
        self._consent = self._wanted = ""
        self.recording = False
        self.private: Callable[[], bool] = lambda: False
        """Whether what is said now is for nobody else's ears."""
        self.piece_ready: Callable[[], None] = lambda: None

    @property
    def format(self) -> AudioFormat:
        return self._wire.format

    @property
    def ms(self) -> int:
        """Recorded so far."""
        return self._tracks.ms

    def ask(self, consent: str, *, given: bool = False) -> None:
        """Record once this sentence was heard, or at once when it was `given` before."""
        if given:
            self.recording = True
        elif not self.recording:
            self._consent = self._wanted = consent

    def consent_to_say(self) -> str:
        """The sentence that must be said now, once: at first, and again if it was cut short."""
        wanted, self._wanted = self._wanted, ""
        return wanted

    def stop(self) -> None:
        """Record nothing more."""
        self.recording, self._wanted, self._consent = False, "", ""

    def take(self, *, rest: bool = False) -> bytes:
        return self._tracks.take(rest=rest)

    # The wire -------------------------------------------------------------------------------
    def hear(self, message: str | bytes) -> bytes | None:
        audio = self._wire.hear(message)
        if self.recording and audio is not None:
            self._heard(audio)
        return audio

    def decode(self, message: str | bytes) -> Control | None:
        control = self._wire.decode(message)
        if self.recording and isinstance(control, Audio):
            self._heard(control.data)
        return control

    def message(self, message: dict[str, Any]) -> str | bytes | None:
        match message.get("type"):
            case "clear" if self.recording:
                self._tracks.cut()
            case "turn_done" if self._consent and message.get("reply") == self._consent:
                self._consented(heard=message.get("state") == "done")
        return self._wire.message(message)

    def audio(self, turn_id: str, number: int, at_ms: int, audio: bytes) -> Sequence[str | bytes]:
        if self.recording:
            self._tracks.said(number, at_ms, audio)
        return self._wire.audio(turn_id, number, at_ms, audio)

    def _heard(self, audio: bytes) -> None:
        now = self._clock()
        if self.private():
            self._tracks.quiet(len(audio), now)
        else:
            self._tracks.heard(audio, now)
        self.piece_ready()

    def _consented(self, *, heard: bool) -> None:
        if heard:
            self.recording, self._consent = True, ""
        else:
            self._wanted = self._consent


class Recorder:
    """Hands the pieces of one media stream on; `stream` counts those of the call."""

    def __init__(self, call_id: str, stream: int, wire: RecordingWire, shelf: Shelf) -> None:
        self._call_id, self._stream = call_id, stream
        self._wire, self._shelf = wire, shelf
        self._number = 0
        self._kept: list[tuple[str, bytes]] = []
        self._stirred = Flag()
        self.dropped = 0
        wire.piece_ready = self._collect

    def _collect(self, *, rest: bool = False) -> None:
        piece = self._wire.take(rest=rest)
        if not piece:
            return
        if len(self._kept) >= MOST_KEPT:
            self._kept.pop(0)
            self.dropped += 1
        self._kept.append((f"{self._stream:03d}-{self._number:06d}", piece))
        self._number += 1
        self._stirred.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._stirred.wait()
            self._stirred.clear()
            while self._kept and await self._hand_on():
                pass

    async def finish(self) -> None:
        """Nothing more comes."""
        self._collect(rest=True)
        try:
            async with asyncio.timeout(LAST_SECONDS):
                while self._kept:
                    await self._hand_on()
        except TimeoutError:
            self.dropped += len(self._kept)
        if self.dropped:
            counters.add("recording_dropped", self.dropped)
            fields = {"call_id": self._call_id, "pieces": self.dropped}
            logger.error("recording has gaps", extra=fields)

    async def _hand_on(self) -> bool:
        """The oldest piece; kept for a later try while the broker is away."""
        name, piece = self._kept[0]
        try:
            await self._shelf.put(self._call_id, name, piece)
        except BrokerLost:
            await asyncio.sleep(RETRY_SECONDS)
            return True
        if self._kept and self._kept[0][0] == name:
            self._kept.pop(0)
        return True


@asynccontextmanager
async def recorded(
    call_id: str, stream: int, wire: RecordingWire, shelf: Shelf
) -> AsyncIterator[RecordingWire]:
    """Within: what goes over the wire is recorded; after it, the last piece has been handed on."""
    recorder = Recorder(call_id, stream, wire, shelf)
    running = asyncio.create_task(recorder.run(), name="recorder")
    try:
        yield wire
    finally:
        running.cancel()
        await asyncio.wait({running})
        await recorder.finish()
