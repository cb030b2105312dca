"""What is due by the clock, looked for in the tool server's process: no child is kept for it.

Reminders are marked and told here; what speaks, calls or takes long is queued, and only where
there is any. A tool server of its own has no such thread: there the worker's parent pushes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Thread
from time import monotonic, sleep
from typing import Any

from django.db import close_old_connections
from django.utils import timezone

from convonet import database
from workers import tasks, wiring
from workers.errors import place_of
from workers.schedule import CHORES, JOIN_SECONDS, Schedule

logger = logging.getLogger("workers.clock")

# How late a chore may be begun.
TICK_SECONDS = 0.5


def start() -> None:
    """In the tool server, before it serves; the thread ends with the process."""
    here = {"fire_due_reminders": tasks.fire_due_reminders.run, "join_recordings": join_if_any}
    Clock(Schedule(CHORES, here), wiring.redis_client).start()


def join_if_any() -> None:
    """Queue the joining of recordings where one waits for it."""
    from phone import recordings

    if recordings.any_due(timezone.now()):
        tasks.join_recordings.apply_async(expires=JOIN_SECONDS)


class Clock(Thread):
    def __init__(self, schedule: Schedule, redis: Callable[[], Any]) -> None:
        super().__init__(name="clock", daemon=True)
        self._schedule, self._redis = schedule, redis
        self._failing = False

    def run(self) -> None:
        database.keep()
        while True:
            self.tick(monotonic())
            sleep(TICK_SECONDS)

    def tick(self, now: float) -> None:
        """Begin what is due; what fails is tried again when it is due next."""
        try:
            close_old_connections()
            self._schedule.begin_due(self._redis(), now)
            self._failing = False
        except Exception as error:  # the next reminder must not wait for a restart
            if not self._failing:
                logger.warning("not done by the clock", extra={"error": place_of(error)})
            self._failing = True
