"""Workers that a test plays: they take tasks from the real queues and answer into the real keys."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from redis.asyncio import Redis

from voice import envelope, events, keys
from voice.streams import FIELD

MS = 8
"""Bytes of mu-law in a millisecond."""
QUEUES = [envelope.SPEECH, envelope.AGENT, envelope.CHORES]
FAST = 0.0


class Rows(Protocol):
    """The turns' rows, as far as the agent worker reads and writes them."""

    async def call_of(self, turn_id: str) -> str: ...
    async def speaking(self, turn_id: str, reply: str) -> None:
        """The reply's text is complete."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A sentence and its audio."""

    text: str
    audio: bytes


Answer = Callable[[str], Sequence[Spoken]]
"""What is replied to a turn, by its id."""


# What the usual answer sounds like.
ANSWER, ANSWER_BYTES = b"\x55", 300 * MS


def shortly(_turn_id: str) -> Sequence[Spoken]:
    return [Spoken("All right.", ANSWER * ANSWER_BYTES)]


class Workers:
    """Hear "go on" in everything that is said, and reply what `answers` says."""

    def __init__(self, redis: Any, rows: Rows) -> None:
        self._redis, self._rows = redis, rows
        self.answers: Answer = shortly
        self.pieces_ms = 200
        self.piece_seconds = FAST
        """Between two pieces of a sentence's audio."""
        self.hears = "go on"
        self.turns: list[str] = []
        self.made = asyncio.Event()
        """A reply has been made to its end."""

    async def run(self) -> None:
        async with asyncio.TaskGroup() as replying:
            while True:
                taken = await self._redis.brpop(QUEUES, timeout=1)
                if taken is None:
                    continue
                message = json.loads(taken[1])
                task = message["headers"]["task"].removeprefix(envelope.TASKS)
                (arguments, _, _) = json.loads(base64.b64decode(message["body"]))
                replying.create_task(self._do(task, arguments))

    async def _do(self, task: str, arguments: list[Any]) -> None:
        match task:
            case "transcribe":
                utterance_id, call_id = arguments
                await self.tell(call_id, events.Transcribed(utterance_id, self.hears, 5))
            case "speak":
                await self._speak(*arguments)
            case "run_turn":
                self.turns.append(arguments[0])
                await self._reply(arguments[0])

    async def _speak(self, turn_id: str, seq: int) -> None:
        """An announcement: the words are there, and a short sound is made for them."""
        call = await self._redis.hget(keys.reply_text(turn_id), "call")
        if call is not None:
            await self._append(turn_id, call.decode(), seq, b"\x77" * 200 * MS, final=True)

    async def _reply(self, turn_id: str) -> None:
        call_id, spoken = await self._rows.call_of(turn_id), self.answers(turn_id)
        await self.tell(call_id, events.TurnStarted(turn_id))
        text = " ".join(sentence.text for sentence in spoken)
        await self._rows.speaking(turn_id, text)
        ready = [events.SentenceReady(turn_id, n, s.text) for n, s in enumerate(spoken)]
        await self.tell(call_id, *ready, events.TurnFinished(turn_id, text, len(spoken)))
        for seq, sentence in enumerate(spoken):
            await self._make(turn_id, call_id, seq, sentence.audio)
        self.made.set()

    async def _make(self, turn_id: str, call_id: str, seq: int, audio: bytes) -> None:
        size = self.pieces_ms * MS
        for at in range(0, len(audio), size):
            if await self._redis.exists(keys.cancelled(turn_id)):
                return
            final = at + size >= len(audio)
            await self._append(turn_id, call_id, seq, audio[at : at + size], final=final)
            if self.piece_seconds:
                await asyncio.sleep(self.piece_seconds)

    async def _append(
        self, turn_id: str, call_id: str, seq: int, audio: bytes, *, final: bool
    ) -> None:
        key = keys.reply_audio(turn_id, seq)
        size = await self._redis.append(key, audio)
        await self._redis.expire(key, keys.AUDIO_SECONDS)
        await self.tell(call_id, events.SentenceAudio(turn_id, seq, size, final))

    async def tell(self, call_id: str, *told: events.Event) -> None:
        stream = keys.call_stream(call_id)
        pipe = self._redis.pipeline(transaction=False)
        for event in told:
            pipe.xadd(stream, {FIELD: events.encode(event)}, maxlen=keys.STREAM_LENGTH)
        pipe.expire(stream, keys.STREAM_SECONDS)
        await pipe.execute()


@contextlib.asynccontextmanager
async def playing(broker: str, rows: Rows) -> AsyncIterator[Workers]:
    """Workers of the test's own on that broker, while within."""
    redis = Redis.from_url(broker)
    workers = Workers(redis, rows)
    running = asyncio.create_task(workers.run())
    try:
        yield workers
    finally:
        # Redis' client forgets a cancellation that comes while it connects.
        while not running.done():
            running.cancel()
            await asyncio.wait({running}, timeout=1.0)
        if not running.cancelled():
            running.result()
        await redis.aclose()
