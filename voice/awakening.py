"""Has the workers get ready when a call begins: while nobody calls they are as small as can be."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from voice import envelope
from voice.errors import BrokerLost
from voice.ports import Queue

# Calls that begin together need the engines once, and they are kept far longer than this.
QUIET_SECONDS = 5.0


class Awakening:
    def __init__(self, queue: Queue, clock: Callable[[], float] = time.monotonic) -> None:
        self._queue, self._clock = queue, clock
        self._quiet_until = 0.0
        self._asking: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """At each call's start, on the event loop."""
        now = self._clock()
        if now < self._quiet_until:
            return
        self._quiet_until = now + QUIET_SECONDS
        self._asking = asyncio.get_running_loop().create_task(self._ask(), name="awakening")

    async def _ask(self) -> None:
        try:
            if envelope.speech_computes():
                await self._queue.send("get_ready")
            await self._queue.send("stand_by")
        except BrokerLost:
            self._quiet_until = 0.0  # the next call asks again
