"""The steps of a turn on their way from the loop thread to the task's thread, in order."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from queue import Empty, SimpleQueue

from workers.steps import Step


class Inbox:
    def __init__(self) -> None:
        self._steps: SimpleQueue[tuple[Step, Future[None] | None]] = SimpleQueue()

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
        """The next step, or None after `seconds`; left well, who waits for it may go on."""
        try:
            step, done = self._steps.get(timeout=seconds)
        except Empty:
            yield None
            return
        if done is not None and not done.set_running_or_notify_cancel():
            yield None  # who waited has been stopped: it will not happen
            return
        yield step
        if done is not None:
            done.set_result(None)
