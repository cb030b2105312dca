"""Brings turns back that were lost with a process: a worker, a web process, the broker's memory.

Runs in every web process. Nothing it does is needed while all goes well, and queueing a turn once
too often is harmless: only one worker can take it.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from django.db import DatabaseError
from django.utils import timezone
from redis.exceptions import RedisError

from voice import admission, keys, leftovers
from voice.audio_store import answering
from voice.errors import BrokerLost
from voice.events import Transcribed, decode
from voice.models import Turn
from voice.ports import Queue
from voice.records import close_database, in_database_thread
from voice.streams import FIELD

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 2.0


class Sweeper:
    """`run()` for as long as the process lives."""

    def __init__(self, redis: Any, queue: Queue) -> None:
        self._redis = redis
        self._queue = queue
        self._failing = False

    async def run(self) -> None:
        while True:
            try:
                await self.sweep()
                self._failing = False
                if not admission.calls_in_progress():
                    await close_database()
            except Exception as error:
                # Whatever it is, others depend on the next look.
                expected = isinstance(error, BrokerLost | RedisError | DatabaseError | OSError)
                if not self._failing:
                    fields = {"error": type(error).__name__}
                    logger.warning("sweep failed", exc_info=not expected, extra=fields)
                self._failing = True
            await asyncio.sleep(SWEEP_SECONDS)

    async def sweep(self) -> None:
        """Look once at everything that may have been left."""
        found = await _look(timezone.now())
        if found.calls_ended:
            logger.warning("calls of a dead web process ended", extra={"calls": found.calls_ended})
        for turn_id in found.lost:
            await self._run_again(turn_id, "lost")
        for unheard in found.unheard:
            await self._sweep_unheard(unheard)
        # A worker that comes back finds them in its queue.
        if found.waiting and await self._alive("agent"):
            await self._sweep_waiting(found.waiting)

    async def _sweep_waiting(self, turns: list[Turn]) -> None:
        async with answering():
            queued = b" ".join(await self._redis.lrange("agent", 0, -1))
        for turn in turns:
            in_queue = str(turn.pk).encode() in queued
            if not in_queue and await _take_waiting(turn, timezone.now()):
                await self._run_again(str(turn.pk), "waiting")

    async def _sweep_unheard(self, turn: leftovers.Unheard) -> None:
        # In this order: what was heard is published before its audio is deleted.
        async with answering():
            kept = await self._redis.exists(keys.utterance(turn.utterance_id))
        heard = await self._heard(turn)
        if heard is not None and turn.call_ended:
            await self._hand_on(turn, heard)
        elif heard is None and kept:
            await self._hear_again(turn)
        elif heard is None and turn.call_ended:
            logger.error("utterance lost", extra={"turn_id": turn.turn_id})
            await _fail_unheard(turn.turn_id, timezone.now())

    async def _hand_on(self, turn: leftovers.Unheard, heard: Transcribed) -> None:
        if heard.text:
            await _set_words(turn.turn_id, heard.text)
        elif heard.failed:
            await _fail_unheard(turn.turn_id, timezone.now())
        else:
            await _drop(turn.turn_id)

    async def _hear_again(self, turn: leftovers.Unheard) -> None:
        if await self._alive("speech") and await _take_unheard(turn.turn_id, timezone.now()):
            logger.warning("utterance queued again", extra={"turn_id": turn.turn_id})
            await self._queue.send("transcribe", turn.utterance_id, turn.call_id)

    async def _heard(self, turn: leftovers.Unheard) -> Transcribed | None:
        """The recogniser's answer, if the call's stream has it."""
        async with answering():
            entries = await self._redis.xrange(keys.call_stream(turn.call_id))
        for _, fields in reversed(entries):
            event = decode(fields[FIELD])
            if isinstance(event, Transcribed) and event.utterance_id == turn.utterance_id:
                return event
        return None

    async def _run_again(self, turn_id: str, why: str) -> None:
        logger.warning("turn queued again", extra={"turn_id": turn_id, "why": why})
        await self._queue.send("run_turn", turn_id)

    async def _alive(self, role: str) -> bool:
        async with answering():
            return bool(await self._redis.exists(keys.heartbeat(role)))


_look = in_database_thread(leftovers.look)
_take_waiting = in_database_thread(leftovers.take_waiting)
_take_unheard = in_database_thread(leftovers.take_unheard)
_set_words = in_database_thread(leftovers.set_words)
_drop = in_database_thread(leftovers.drop)
_fail_unheard = in_database_thread(leftovers.fail_unheard)
