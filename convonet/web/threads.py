"""A few threads for what must not hold the event loop up: bounded, in order, gone when idle.

A thread and a database connection for each request, which is what asgiref makes of a burst of them,
cost a third of a megabyte each and stay in the allocator's arenas afterwards.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from typing import Any, ParamSpec, TypeVar

from convonet import counters

P = ParamSpec("P")
R = TypeVar("R")

IDLE_SECONDS = 10.0
# Whoever asked has noticed.
LONG_SECONDS = 1.0


class Busy(Exception):
    """As much waits already as may wait."""


def _nothing() -> None: ...


class Threads(Executor):
    """At most `most` threads and `waiting` jobs beside those being done; first come, first served.

    `parting` is called in each thread before it ends, `ended` after that.
    """

    def __init__(
        self,
        name: str,
        most: int,
        *,
        waiting: int,
        idle_seconds: float = IDLE_SECONDS,
        parting: Callable[[], object] = _nothing,
        ended: Callable[[], object] = _nothing,
    ) -> None:
        self._name, self._most, self._most_waiting = name, most, waiting
        self._idle_seconds, self._parting, self._ended = idle_seconds, parting, ended
        self._changed = threading.Condition()
        self._jobs: deque[tuple[float, Future[Any], Callable[[], Any]]] = deque()
        self._threads = self._busy = 0

    @property
    def threads(self) -> int:
        return self._threads

    def submit(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Raises Busy."""
        future: Future[R] = Future()
        with self._changed:
            if self._busy + len(self._jobs) >= self._most + self._most_waiting:
                counters.add("requests_refused")
                raise Busy
            if self._threads < self._most and len(self._jobs) >= self._threads - self._busy:
                self._start()
            self._jobs.append((time.monotonic(), future, partial(function, *args, **kwargs)))
            self._changed.notify()
        return future

    def _start(self) -> None:
        # A daemon: what a request waits for shall not keep the process from ending.
        thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._threads += 1
        try:
            thread.start()
        except RuntimeError:
            # No more threads to be had: those there are go on, if there are any.
            self._threads -= 1
            if not self._threads:
                counters.add("requests_refused")
                raise Busy from None

    def _run(self) -> None:
        while (job := self._next()) is not None:
            _do(*job)
            # It would live on in this frame until the next one comes.
            del job
            with self._changed:
                self._busy -= 1
        try:
            self._parting()
        finally:
            self._ended()

    def _next(self) -> tuple[float, Future[Any], Callable[[], Any]] | None:
        """None when nothing has come for a while: from then on the thread counts no more."""
        with self._changed:
            while not self._jobs:
                if not self._changed.wait(self._idle_seconds) and not self._jobs:
                    self._threads -= 1
                    return None
            self._busy += 1
            return self._jobs.popleft()


def _do(since: float, future: Future[Any], job: Callable[[], Any]) -> None:
    if time.monotonic() - since > LONG_SECONDS:
        counters.add("requests_waited")
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(job())
    except BaseException as error:
        future.set_exception(error)
    finally:
        # The error's traceback holds this frame, and the future the error.
        del future, job
