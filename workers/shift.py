"""When a child claims more work, when it stops to, and when its shift is over. Pure.

A shift is one task of Celery's during which the child works on many. It has to end where the child
has grown, since only between two shifts does the pool replace it, and at some time in any case.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

# A caller's transcript, turn and sentences follow each other within less.
LINGER_SECONDS = 1.0
# While one drains the others carry its callers, too. So it asks to be the one that does: from here
# on where it has grown, from there on where it is merely old; and then it does not ask.
GROWN_SECONDS = 20.0
OLD_SECONDS = 300.0
LONGEST_SECONDS = 600.0
ASK_SECONDS = 1.0


class Step(Enum):
    CLAIM = auto()
    """Wait a moment for more work, and take it."""
    WAIT = auto()
    """Take nothing; look again when a lane has become free, or in a moment."""
    ASK = auto()
    """Try to become the one child that drains."""
    END = auto()


@dataclass(slots=True)
class Shift:
    """`began` and every `now` are of the same clock, in seconds."""

    began: float
    lanes: int
    alone: bool = False
    """Its first task wants the child for itself."""
    only_child: bool = False
    """Nobody could take over meanwhile, so it asks nobody, and is not old before it must end."""
    _draining: bool = False
    _busy_at: float = 0.0
    _asked_at: float = 0.0

    def __post_init__(self) -> None:
        self._busy_at = self.began
        self._asked_at = self.began - ASK_SECONDS

    @property
    def draining(self) -> bool:
        return self._draining

    def drain(self) -> None:
        """Take nothing more: told to stop, damaged, or the one whose turn it is."""
        self._draining = True

    def next(self, now: float, running: int, *, grown: bool = False, keeps: bool = False) -> Step:
        """What to do now. `grown`: the child is to be replaced. `keeps`: a task runs that takes as
        long as a shift does, so its end is not waited for without taking others.
        """
        if running:
            self._busy_at = now
        if not (self.alone or self._draining):
            if not running and now - self._busy_at >= LINGER_SECONDS:
                return Step.END
            if not keeps and self._must_end(now - self.began, grown):
                self.drain()
        if self.alone or self._draining:
            return Step.WAIT if running else Step.END
        if not keeps and self._may_ask(now, grown):
            self._asked_at = now
            return Step.ASK
        return Step.CLAIM if running < self.lanes else Step.WAIT

    def _must_end(self, age: float, grown: bool) -> bool:
        return age >= LONGEST_SECONDS or (self.only_child and grown and age >= GROWN_SECONDS)

    def _may_ask(self, now: float, grown: bool) -> bool:
        due = now - self.began >= (GROWN_SECONDS if grown else OLD_SECONDS)
        return due and not self.only_child and now - self._asked_at >= ASK_SECONDS
