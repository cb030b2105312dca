"""Celery's prefork pool whose children measure themselves before their memory is limited.

Celery compares a child's peak RSS, pages inherited from the warm parent included, so a fixed
figure is either useless or replaces the child after every task.
"""

from __future__ import annotations

from celery.concurrency import asynpool, prefork

from convonet import memory
from workers import wiring


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


class MeasuredPool(prefork.TaskPool):  # type: ignore[misc]  # celery has no types
    Pool = MeasuredAsynPool
