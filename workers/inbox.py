"""The steps of a turn on their way from the loop thread to the task's thread, in order."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import replace
from queue import Empty, SimpleQueue

from workers.steps import Step, Words

# A model that talks without end shall not keep its turn from looking at the clock.
MOST_GATHERED = 50

_Entry = tuple[Step, Future[None] | None]


class Inbox:
    def __init__(self) -> None:
        self._steps: SimpleQueue[_Entry] = SimpleQueue()
        self._next: _Entry | None = None

    def put(self, step: Step) -> None:
        """From any thread."""
        self._steps.put((step, None))

    async def recorded(self, step: Step) -> None:
        """Put the step and wait until the other side has dealt with it."""
        done: Future[None] = Future()
        self._steps.put((step, done))
        await asyncio.wrap_future(done)

    @contextmanager
    def next(self, seconds: float) -> Iterator[Step | None]:
        """The next step, or None after `seconds`; left well, who waits for it may go on.

        Words that have gathered come as one step: each is told to the call in a step of its own.
        """
        entry = self._get(seconds)
        if entry is None:
            yield None
            return
        step, done = self._gathered(entry)
        if done is not None and not done.set_running_or_notify_cancel():
            yield None  # who waited has been stopped: it will not happen
            return
        yield step
        if done is not None:
            done.set_result(None)

    def _get(self, seconds: float) -> _Entry | None:
        if self._next is not None:
            entry, self._next = self._next, None
            return entry
        with suppress(Empty):
            return self._steps.get(timeout=seconds)
        return None

    def _gathered(self, entry: _Entry) -> _Entry:
        step, done = entry
        for _ in range(MOST_GATHERED):
            if not isinstance(step, Words) or (following := self._get(0.0)) is None:
                break
            more, _waited_for = following
            if not isinstance(more, Words) or more.english != step.english:
                self._next = following
                break
            step = replace(step, text=step.text + more.text)
        return step, done
