"""After a burst: closes the database, collects garbage and gives freed memory back.

Once something has happened (a call began or ended, a thread went) and then nothing for a while,
or every half minute while there is no such while.
"""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from convonet.web import heap
from voice import admission

logger = logging.getLogger("convonet.rest")

QUIET_SECONDS = 5.0
LONGEST_SECONDS = 30.0


class Rest:
    """`run()` for as long as the process lives; `close` closes what only calls keep open."""

    def __init__(
        self,
        close: Callable[[], Awaitable[object]],
        *,
        calls: Callable[[], int] = admission.calls_in_progress,
        give_back: Callable[[], object] = heap.give_back,
        quiet_seconds: float = QUIET_SECONDS,
        longest_seconds: float = LONGEST_SECONDS,
    ) -> None:
        self._close, self._calls, self._give_back = close, calls, give_back
        self._quiet_seconds, self._longest_seconds = quiet_seconds, longest_seconds
        self._stirred = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self.task: asyncio.Task[None] | None = None
        """Kept here by whoever has it run: the loop itself keeps no task."""

    def stir(self) -> None:
        """Something happened; any thread may tell."""
        with suppress(RuntimeError):
            # A loop that is closed rests for good.
            self._loop.call_soon_threadsafe(self._stirred.set)

    async def run(self) -> None:
        unwatch = admission.watch(self.stir)
        try:
            while True:
                await self._stirred.wait()
                await self._lull()
                await self._tidy()
        finally:
            unwatch()

    async def _lull(self) -> None:
        until = self._loop.time() + self._longest_seconds
        while self._stirred.is_set() and self._loop.time() < until:
            self._stirred.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._quiet_seconds):
                    await self._stirred.wait()
        self._stirred.clear()

    async def _tidy(self) -> None:
        try:
            if not self._calls():
                await self._close()
                # With calls up it would hold each of them up for as long as it takes.
                gc.collect()
            self._give_back()
        except Exception:
            # No call depends on it, and the next one may succeed.
            logger.exception("nothing given back")
