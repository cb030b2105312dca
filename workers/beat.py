"""The scheduler inside the agent worker: one at a time, and never outliving its worker."""

from __future__ import annotations

import fcntl
from typing import IO, Any

from billiard.process import current_process
from celery import platforms
from celery.beat import PersistentScheduler

from monitor import lookout


class OneScheduler(PersistentScheduler):  # type: ignore[misc]  # celery has no types
    """Waits for the schedule file's lock, so a second beat takes over when the first has gone."""

    _lock: IO[Any] | None = None

    def _open_schedule(self) -> Any:
        if self._lock is None:
            if current_process().name != "MainProcess":
                # Embedded: a worker that is killed takes its beat with it.
                platforms.set_pdeathsig("SIGKILL")
            self._lock = open(f"{self.schedule_filename}.lock", "w")  # noqa: SIM115  # held for life
            fcntl.flock(self._lock, fcntl.LOCK_EX)
            # The one process that neither carries calls nor works on turns looks at all others.
            from monitor import recorder  # it loads models, which needs Django to be set up

            recorder.start(lookout.BEAT)
        return super()._open_schedule()
