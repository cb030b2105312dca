"""When a worker may let its children go. Pure."""

from __future__ import annotations

from dataclasses import dataclass

# One that has just started has not been used: it waits no longer than this.
FIRST_SECONDS = 10.0


@dataclass(slots=True)
class Idleness:
    """Tells when nothing was done for `seconds`. Times are monotonic."""

    seconds: float
    began: float
    _tasks: int = 0
    _since: float | None = None

    def __post_init__(self) -> None:
        self._since = self.began - max(0.0, self.seconds - FIRST_SECONDS)

    def over(self, now: float, tasks: int, *, busy: bool) -> bool:
        """Whether that time has passed, just once; `tasks` have been received since the start."""
        if busy or tasks != self._tasks:
            self._tasks, self._since = tasks, now
        if self._since is None or now - self._since < self.seconds:
            return False
        self._since = None
        return True

    def go_on(self, now: float, seconds: float | None = None) -> None:
        """It is not to be over yet, but in so many seconds, or in all of them."""
        self._since = now - self.seconds + (self.seconds if seconds is None else seconds)

    @property
    def working(self) -> bool:
        """Something was done not long ago, and not only the start."""
        return self._since is not None and self._tasks > 0
