"""Celery's prefork pool, whose children work on many tasks at once and measure themselves.

Celery compares a child's peak RSS, pages inherited from the warm parent included, so a fixed
figure is either useless or replaces the child after every task.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from time import monotonic
from typing import Any

from billiard.pool import EX_RECYCLE, RUN
from celery.app import trace
from celery.concurrency import asynpool, prefork

from convonet import memory
from workers import bootsteps, endings, engines, intake, lanes, preload, wiring
from workers.returns import Returns
from workers.shift import LONGEST_SECONDS

# What the end of a shift may take beside its last task.
SLACK_SECONDS = 5.0


class MeasuredWorker(asynpool.Worker):  # type: ignore[misc]  # celery has no types
    """Runs in the child, after its warm-up and before its first task."""

    wait_for_job: Callable[[], Any]

    def on_loop_start(self, pid: int) -> None:
        options = wiring.memory_options()
        self.max_memory_per_child = (
            memory.peak_rss_kib() + engines.to_come_kib() + options.headroom_mb * 1024
        )
        memory.replace_above(self.max_memory_per_child)
        memory.limit_growth(options.ceiling_mb)
        memory.volunteer()
        super().on_loop_start(pid)

    def _make_child_methods(self, *args: Any) -> None:
        super()._make_child_methods(*args)
        self.wait_for_job = _unless_damaged(self.wait_for_job)


def _unless_damaged(wait: Callable[[], Any]) -> Callable[[], Any]:
    def wait_or_leave() -> Any:
        if lanes.damaged.is_set():
            sys.exit(EX_RECYCLE)
        return wait()

    return wait_or_leave


class MeasuredAsynPool(asynpool.AsynPool):  # type: ignore[misc]  # celery has no types
    Worker = MeasuredWorker
    _quick_put: Callable[[Any], None]
    _forget: Callable[[Any], None]
    on_process_down: Callable[[Any], None]

    def __init__(self, processes: int | None = None, *args: Any, **options: Any) -> None:
        self._shifts = preload.turns_per_child() > 1
        self._returns = Returns(bootsteps.impatient_client) if self._shifts else None
        intake.children = processes or 1
        super().__init__(processes, *args, **options)
        if self._shifts:
            # Else it stands in for the None of `apply_async` and breaks the shift off, be it with a
            # message claimed and not begun. Each task's own limit is kept on its lane.
            self.soft_timeout = None
        self._most = self._processes

    def apply_async(self, func: Any, *args: Any, **options: Any) -> Any:
        """A child that works on many begins a shift with this task, within a limit of its own."""
        if self._shifts and func is trace.fast_trace_task:
            func = intake.run_shift
            hard = options.get("timeout")
            options["soft_timeout"] = None
            options["timeout"] = hard and hard + LONGEST_SECONDS + SLACK_SECONDS
        return super().apply_async(func, *args, **options)

    def maintain_pool(self) -> None:
        super().maintain_pool()
        if self._returns is not None:
            self._returns.look(monotonic())

    def let_go(self, least: int) -> int:
        """End children that do nothing; how many went. New ones are started up to so many, all
        others by `grow_back`, and what is to be done meanwhile waits for that.
        """
        if any(not job.worker_pids() for job in self._cache.values()):
            return 0  # on its way to one of them
        going = [child for child in self._pool if not self._worker_active(child)]
        self._processes = max(least, len(self._pool) - len(going))
        for child in going:
            # So that the pool finds nothing wrong with it.
            child._controlled_termination = True
            os.kill(child.pid, signal.SIGKILL)
        return len(going)

    def grow_back(self) -> None:
        """Have as many children as there were at the start."""
        if self._processes < self._most:
            self._processes = self._most
            self.maintain_pool()

    def _create_worker_process(self, i: int) -> Any:
        process = super()._create_worker_process(i)
        if self._returns is not None:
            self._returns.began(process.pid)
        return process

    def _create_write_handlers(self, hub: Any, **options: Any) -> None:
        super()._create_write_handlers(hub, **options)
        self._write, self._buffer = hub.consolidate_callback, self._quick_put
        self._quick_put = self._put

    def _create_process_handlers(self, hub: Any) -> None:
        super()._create_process_handlers(hub)
        self._forget, self.on_process_down = self.on_process_down, self._ended

    def _ended(self, worker: Any) -> None:
        wanted = worker._controlled_termination or getattr(worker, "dead", None)
        if self._state == RUN and not wanted:
            endings.note(worker.pid, worker.exitcode)
        if self._returns is not None:
            # Before another child is forked: callers wait.
            self._returns.ended(worker.pid, monotonic())
        self._forget(worker)

    def _put(self, job: Any) -> None:
        """Hand the job to an idle child now: Celery would do so in the next turn of its loop.

        By then it may have taken the next message from the broker, and that takes a while.
        """
        self._buffer(job)
        idle = self._all_inqueues - self._active_writes - self._busy_workers
        if idle:
            self._write(list(idle))


class MeasuredPool(prefork.TaskPool):  # type: ignore[misc]  # celery has no types
    Pool = MeasuredAsynPool
