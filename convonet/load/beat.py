"""One timer for all callers: each has a place of its own within the 40 ms in which all send.

A timer per caller wakes the process five thousand times a second at a hundred calls; this one
does a thousand times, and the callers' frames are as evenly spread as real ones.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial

# What phones and browsers send by: 20 and 40 ms.
ROUND_MS = 40
# Longer behind than this (the process was held up) is not made up for.
CATCH_UP_SECONDS = 5.0

Step = Callable[[float, float], None]
"""(now, when it was due), in seconds of the monotonic clock."""


class Beat:
    """Calls each step every `period` ms, until it is removed."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._places: list[list[Step]] = [[] for _ in range(ROUND_MS)]
        self._timer: asyncio.TimerHandle | None = None
        self._place = 0
        self._due = 0.0

    def add(self, step: Step, period_ms: int) -> Callable[[], None]:
        """Answers what removes it again. `period_ms` divides ROUND_MS."""
        begin = min(range(period_ms), key=lambda place: len(self._places[place]))
        places = [self._places[n] for n in range(begin, ROUND_MS, period_ms)]
        for place in places:
            place.append(step)
        if self._timer is None:
            self._due = self._clock()
            self._wake()
        return partial(self._remove, step, places)

    def _remove(self, step: Step, places: list[list[Step]]) -> None:
        for place in places:
            if step in place:
                place.remove(step)
        if self._timer is not None and not any(self._places):
            self._timer.cancel()
            self._timer = None

    def _wake(self) -> None:
        delay = max(0.0, self._due - self._clock())
        self._timer = asyncio.get_running_loop().call_later(delay, self._step)

    def _step(self) -> None:
        now = self._clock()
        if now - self._due > CATCH_UP_SECONDS:
            self._due = now
        while self._due <= now:
            for step in tuple(self._places[self._place]):
                step(now, self._due)
            self._next()
            now = self._clock()
        if self._timer is not None:
            self._wake()

    def _next(self) -> None:
        """To the next place where anybody is."""
        for _ in range(ROUND_MS):
            self._place = (self._place + 1) % ROUND_MS
            self._due += 0.001
            if self._places[self._place]:
                return
