"""The web process's part: tells how many calls it carries, and looks only where nobody else does.

Runs on the event loop beside the calls, so measuring goes to a thread.
"""

from __future__ import annotations

import asyncio
import logging
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from redis.exceptions import RedisError

from convonet import counters
from monitor import board
from monitor.lookout import WEB, Options, log
from monitor.snapshot import CLOCK
from voice import admission

if TYPE_CHECKING:
    from monitor.sampler import Sampler

logger = logging.getLogger(__name__)

BEAT_SECONDS = 5.0
# Calls that begin or end within this are told together.
BUNCH_SECONDS = 0.2


class Pulse:
    """`run()` for as long as the process lives."""

    def __init__(self, redis: Any, options: Options) -> None:
        self._redis, self._options = redis, options
        self._name = f"{options.name}:{os.getpid()}"
        self._turn = options.turn(WEB)
        self._changed = asyncio.Event()
        self._told: int | None = None
        self._sampler: Sampler | None = None

    async def run(self) -> None:
        loop = asyncio.get_running_loop()

        def changed() -> None:
            # Calls are counted on the loop, and by a view on a thread.
            loop.call_soon_threadsafe(self._changed.set)

        unwatch = admission.watch(changed)
        look_at = loop.time() + 1.75 * self._options.seconds
        try:
            while True:
                await self._beat()
                if loop.time() >= look_at:
                    look_at = loop.time() + self._options.seconds
                    await self._look()
                await self._wait()
        finally:
            unwatch()

    async def _wait(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(BEAT_SECONDS):
                await self._changed.wait()
                await asyncio.sleep(BUNCH_SECONDS)
        self._changed.clear()

    async def _beat(self) -> None:
        """One round trip; a broker that is away is told the next time."""
        calls, counted = admission.calls_in_progress(), counters.take()
        pipe = self._redis.pipeline(transaction=bool(counted))
        board.announce_calls(pipe, self._name, calls)
        board.count(pipe, counted)
        if self._told is not None and calls != self._told:
            board.nudge(pipe)
        try:
            await pipe.execute()
        except (RedisError, OSError):
            counters.give_back(counted)
            return
        self._told = calls

    async def _look(self) -> None:
        try:
            if not await asyncio.to_thread(self._turn.is_mine):
                self._sampler = None
                return
            snapshot = await asyncio.to_thread(self._measure)
            log(snapshot)
            pipe = self._redis.pipeline(transaction=False)
            board.announce_snapshot(pipe, snapshot)
            await pipe.execute()
        except (RedisError, OSError):
            return
        except Exception:
            # No call depends on it, and the next look may succeed.
            logger.exception("memory not looked at")

    def _measure(self) -> Any:
        if self._sampler is None:
            # psutil is loaded by whom it is used.
            from monitor import sampler

            self._sampler = sampler.of_this_machine(self._options.name, os.getpid())
        return self._sampler.take(CLOCK, admission.calls_in_progress())
