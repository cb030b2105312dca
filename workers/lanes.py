"""The threads of a child that tasks run on, many at once: a turn mostly waits for a model.

The lane that became free last is used first, so a quiet child has one thread, one database
connection and their memory, however many it may have. `workers.intake` gives them their work.
"""

from __future__ import annotations

import ctypes
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue
from time import monotonic
from typing import Any

from billiard.exceptions import SoftTimeLimitExceeded
from django.db import connections

from workers.errors import place_of

logger = logging.getLogger("workers.lanes")

# A thread's stack counts for the child's memory limit as a whole, touched or not.
STACK_BYTES = 1 << 20
JOIN_SECONDS = 5.0

_here = threading.local()
# This child has run out of memory once: it is to be replaced as soon as its lanes are empty.
damaged = threading.Event()


@dataclass(eq=False, slots=True)
class Job:
    """One task on its way through a lane; `run` returns what Celery's tracer does."""

    name: str
    run: Callable[[], Any]
    raw: bytes = b""
    """The message as it was claimed; empty for the one that Celery delivered."""
    tag: str = ""
    """By which Celery knows that one."""
    args: tuple[Any, ...] = ()
    soft_seconds: float | None = None
    hard_seconds: float | None = None
    outcome: Any = None
    error: BaseException | None = None
    over: bool = False
    began: float = 0.0
    in_company: bool = False
    """Another one ran at some time while it did."""
    warned: bool = False

    def too_long(self, now: float) -> bool:
        return self.hard_seconds is not None and now - self.began >= self.hard_seconds

    def to_be_warned(self, now: float) -> bool:
        soft = self.soft_seconds
        return not self.warned and soft is not None and now - self.began >= soft


def in_company() -> bool:
    """Whether the task that asks has shared this process with others, and so its memory."""
    job: Job | None = getattr(_here, "job", None)
    return job is not None and job.in_company


class Lane(threading.Thread):
    """One thread; `freed` is called on it after each job."""

    def __init__(self, number: int, freed: Callable[[Lane, Job], None]) -> None:
        super().__init__(name=f"lane {number}", daemon=True)
        self.number = number
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._freed = freed
        self._given: Job | None = None

    def give(self, job: Job | None) -> None:
        """None ends the thread."""
        self._given = job
        self._jobs.put(job)

    def run(self) -> None:
        while True:
            try:
                job = self._jobs.get()
                if job is None:
                    break
                self._work(job)
            except SoftTimeLimitExceeded as late:
                # It came when its task was just over, or just about to begin.
                self._end_late(late)
        connections.close_all()

    def _end_late(self, late: SoftTimeLimitExceeded) -> None:
        job = self._given
        if job is not None and not job.over:
            job.error = job.error or late
            self._freed(self, job)

    def _work(self, job: Job) -> None:
        _here.job = job
        try:
            job.outcome = job.run()
        except BaseException as error:
            job.error = error
            if isinstance(error, MemoryError):
                damaged.set()
            fields = {"task": job.name, "error": place_of(error)}
            logger.error("task broke its lane", extra=fields)
        finally:
            _here.job = None
            self._freed(self, job)

    def warn(self) -> None:
        """Raise SoftTimeLimitExceeded in the task as soon as it executes Python again."""
        self._raise(ctypes.py_object(SoftTimeLimitExceeded))

    def calm(self) -> None:
        """Take back a warning that has not arrived."""
        self._raise(None)

    def _raise(self, what: Any) -> None:
        ident = ctypes.c_ulong(self.ident or 0)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, what)


class Lanes:
    """All methods but `_over` are called by the child's main thread alone."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._changed = threading.Condition()
        self._free: list[Lane] = []
        self._busy: dict[Lane, Job] = {}
        self._ended = False

    def start(self, job: Job) -> None:
        """On the lane that became free last, or on a new one."""
        with self._changed:
            lane = self._free.pop() if self._free else self._new()
            job.began = monotonic()
            job.in_company = bool(self._busy)
            for other in self._busy.values():
                other.in_company = True
            self._busy[lane] = job
        lane.give(job)

    @property
    def running(self) -> list[Job]:
        with self._changed:
            return list(self._busy.values())

    def wait(self, seconds: float) -> None:
        """Until a job is over that was not waited for yet, or so long."""
        with self._changed:
            if not self._ended:
                self._changed.wait(seconds)
            self._ended = False

    def warn(self, now: float) -> None:
        """Remind the tasks that are beyond their soft limit."""
        with self._changed:
            for lane, job in self._busy.items():
                if job.to_be_warned(now):
                    job.warned = True
                    lane.warn()

    def shrink(self) -> int:
        """End the free lanes but the first one that was made; returns how many."""
        with self._changed:
            spare = [lane for lane in self._free if lane.number]
            self._free = [lane for lane in self._free if not lane.number]
        for lane in spare:
            lane.give(None)
        for lane in spare:
            lane.join(JOIN_SECONDS)
        return len(spare)

    def _new(self) -> Lane:
        taken = {lane.number for lane in self._busy}
        number = next(n for n in range(len(taken) + 1) if n not in taken)
        before = threading.stack_size(STACK_BYTES)
        try:
            lane = Lane(number, self._over)
            lane.start()
        finally:
            threading.stack_size(before)
        return lane

    def _over(self, lane: Lane, job: Job) -> None:
        """On the lane itself."""
        with self._changed:
            # From here on nothing can come between.
            lane.calm()
            job.over = True
            del self._busy[lane]
            self._free.append(lane)
            self._ended = True
            self._changed.notify()
