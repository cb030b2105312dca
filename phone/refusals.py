"""Log lines about what was refused, no more than a few a minute: a flood must not fill the disk."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Lock
from time import monotonic

MOST_LINES = 10
WINDOW_SECONDS = 60.0


class Refusals:
    """One line for each of the first few of a minute; what came beyond is counted in the next."""

    def __init__(
        self, logger: logging.Logger, message: str, clock: Callable[[], float] = monotonic
    ) -> None:
        self._logger, self._message, self._clock = logger, message, clock
        self._lock = Lock()
        self._began, self._count = 0.0, 0

    def note(self, **fields: object) -> None:
        with self._lock:
            now, untold = self._clock(), 0
            if now - self._began > WINDOW_SECONDS:
                untold = max(0, self._count - MOST_LINES)
                self._began, self._count = now, 0
            self._count += 1
            if self._count > MOST_LINES:
                return
        more = {"untold_before": untold} if untold else {}
        self._logger.warning(self._message, extra={**fields, **more})
