"""When a child claims more work, when it stops to, and when its shift is over. Pure.

A shift is one task of Celery's during which the child works on many. It has to end now and then:
only between two shifts does the pool see the child and replace it where it has grown.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

# A caller's transcript, turn and sentences follow each other within less.
LINGER_SECONDS = 1.0
# From here on the child asks to be the one that finishes, from there on it does not ask.
AGE_SECONDS = 20.0
LONGEST_SECONDS = 60.0
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
    """Nobody could take over meanwhile, so it stops for no one before it must."""
    _draining: bool = False
    _busy_at: float = 0.0
    _asked_at: float = 0.0

    def __post_init__(self) -> None:
        self._busy_at = self.began
        self._asked_at = self.began + AGE_SECONDS - ASK_SECONDS

    @property
    def draining(self) -> bool:
        return self._draining

    def drain(self) -> None:
        """Take nothing more: told to stop, damaged, or the one whose turn it is."""
        self._draining = True

    def next(self, now: float, running: int, *, keeps: bool = False) -> Step:
        """What to do now. `keeps`: a task runs that takes as long as a shift does, so its end is
        not waited for without taking others.
        """
        if running:
            self._busy_at = now
        if self.alone or self._draining:
            return Step.WAIT if running else Step.END
        if not running and now - self._busy_at >= LINGER_SECONDS:
            return Step.END
        age = now - self.began
        if age >= LONGEST_SECONDS and not keeps:
            self.drain()
            return Step.WAIT if running else Step.END
        if self._may_ask(now, age) and not keeps:
            self._asked_at = now
            return Step.ASK
        return Step.CLAIM if running < self.lanes else Step.WAIT

    def _may_ask(self, now: float, age: float) -> bool:
        old = age >= AGE_SECONDS and not self.only_child
        return old and now - self._asked_at >= ASK_SECONDS
