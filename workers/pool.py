"""Celery's prefork pool whose children measure themselves before their memory is limited.

Celery compares a child's peak RSS, pages inherited from the warm parent included, so a fixed
figure is either useless or replaces the child after every task.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from billiard.pool import RUN
from celery.concurrency import asynpool, prefork

from convonet import memory
from workers import endings, wiring


class MeasuredWorker(asynpool.Worker):  # type: ignore[misc]  # celery has no types
    """Runs in the child, after its warm-up and before its first task."""

    def on_loop_start(self, pid: int) -> None:
        options = wiring.memory_options()
        self.max_memory_per_child = memory.peak_rss_kib() + options.headroom_mb * 1024
        memory.limit_growth(options.ceiling_mb)
        memory.volunteer()
        super().on_loop_start(pid)


class MeasuredAsynPool(asynpool.AsynPool):  # type: ignore[misc]  # celery has no types
    Worker = MeasuredWorker
    _quick_put: Callable[[Any], None]
    _forget: Callable[[Any], None]
    on_process_down: Callable[[Any], None]

    def _create_write_handlers(self, hub: Any, **options: Any) -> None:
        super()._create_write_handlers(hub, **options)
        self._write, self._buffer = hub.consolidate_callback, self._quick_put
        self._quick_put = self._put

    def _create_process_handlers(self, hub: Any) -> None:
        super()._create_process_handlers(hub)
        self._forget, self.on_process_down = self.on_process_down, self._ended

    def _ended(self, worker: Any) -> None:
        if self._state == RUN and not getattr(worker, "dead", None):
            endings.note(worker.pid, worker.exitcode)
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
