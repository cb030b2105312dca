"""Why children of a worker ended: kept in its parent until the heartbeat tells it."""

from __future__ import annotations

import os
import signal
import time
from collections import deque
from socket import gethostname

from billiard.pool import EX_RECYCLE

from convonet import counters
from monitor.snapshot import Ending

MOST_WAITING = 50
_waiting: deque[Ending] = deque(maxlen=MOST_WAITING)


def note(pid: int, code: int | None) -> None:
    """A child ended with this exit code, negative for a signal; a clean end is none of interest."""
    why, detail = told(code)
    if not why:
        return
    counters.add(f"children_{why}")
    role = os.environ.get("WORKER_ROLE", "worker")
    _waiting.append(Ending(time.time(), gethostname()[:64], role, pid, why, detail))


def take() -> list[Ending]:
    """What was noted since the last time, the oldest first; give it back if it gets lost."""
    taken = []
    while _waiting:
        taken.append(_waiting.popleft())
    return taken


def give_back(taken: list[Ending]) -> None:
    _waiting.extendleft(reversed(taken))


def told(code: int | None) -> tuple[str, str]:
    """(`recycled`, `killed`, `died` or nothing, a few words)."""
    if code == EX_RECYCLE:
        return "recycled", "had grown beyond its headroom"
    if code in (None, 0):
        return "", ""
    if code < 0:
        try:
            return "killed", signal.Signals(-code).name
        except ValueError:
            return "killed", f"signal {-code}"
    return "died", f"exit code {code}"
