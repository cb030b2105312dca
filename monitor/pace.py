"""When to take the next look, and which process of a machine does. Pure but for one small file."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from monitor.snapshot import CALLS, CLOCK

# Calls that begin and end together are looked at together, and never more often than this.
QUIET_SECONDS = 5.0
# So that the call has begun, or what it held has been let go.
SETTLE_SECONDS = 0.5


class Pace:
    """By the clock every `seconds`, and soon after a call began or ended. Times are monotonic."""

    def __init__(self, seconds: float, now: float) -> None:
        self._seconds = seconds
        self._clock_due = now
        self._calls_due: float | None = None
        self._looked: float | None = None

    def nudged(self, now: float) -> None:
        if self._calls_due is None:
            earliest = 0.0 if self._looked is None else self._looked + QUIET_SECONDS
            self._calls_due = max(now + SETTLE_SECONDS, earliest)

    def wait(self, now: float) -> float:
        """Seconds until the next look."""
        due = self._clock_due if self._calls_due is None else min(self._clock_due, self._calls_due)
        return max(0.0, due - now)

    def due(self, now: float) -> str:
        """Why a look is due, which it then no longer is; empty when none is."""
        if now >= self._clock_due:
            # From now on and not from when it was due: a machine that slept owes nothing.
            self._clock_due, self._calls_due, self._looked = now + self._seconds, None, now
            return CLOCK
        if self._calls_due is not None and now >= self._calls_due:
            self._calls_due, self._looked = None, now
            return CALLS
        return ""


class Turn:
    """Whose turn it is to look, of the processes that could: that of the lowest rank still living.

    Each look is noted in one file of the machine; who finds no fresh note of a better one looks.
    Two that look at once for a moment do no harm.
    """

    def __init__(self, path: Path, rank: int, fresh_seconds: float) -> None:
        self._path, self._rank, self._fresh_seconds = path, rank, fresh_seconds

    def is_mine(self) -> bool:
        """Call it before each look; it makes the note, too."""
        if self._better_is_alive():
            return False
        note = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        try:
            note.write_text(json.dumps({"rank": self._rank, "pid": os.getpid()}))
            note.replace(self._path)
        except OSError:
            note.unlink(missing_ok=True)  # a full or read-only disk: all may look
        return True

    def _better_is_alive(self) -> bool:
        try:
            age = time.time() - self._path.stat().st_mtime
            note = json.loads(self._path.read_text())
            rank, pid = int(note["rank"]), int(note["pid"])
        except (OSError, ValueError, KeyError, TypeError):
            return False
        # Whose place one has taken is no other; a better one that died is soon replaced.
        other = rank < self._rank or (pid != os.getpid() and _lives(pid))
        return other and rank <= self._rank and 0 <= age < self._fresh_seconds


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
