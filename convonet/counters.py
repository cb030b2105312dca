"""Named counts of what shall not happen unseen, kept here until somebody publishes them.

Standard library only, so that every process may count. The names are fixed: a count that can be
asked for by any name is a buffer without a bound.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping

# What one more of each means, in the order that people are told.
NAMES = {
    "calls_refused": "Calls refused, as no line was free",
    "inbound_pauses": "Times a socket was not read for a while, as too much came over it",
    "audio_dropped": "Messages of a caller's audio dropped, as they came faster than real time",
    "events_lost": "Times events for a call or page were trimmed away before they were read",
    "model_audio_dropped": "Calls that dropped audio on its way to a speech-to-speech model",
    "recording_dropped": "Pieces of a recording lost, as they could not be stored in time",
    "outbox_overflows": "Calls ended, as their far end stopped reading",
    "errands_overflows": "Wishes of a call refused, as too many waited",
    "requests_waited": "Requests that waited more than a second for a thread",
    "requests_refused": "Requests refused, as too many waited for a thread",
    "fillers": "Callers told to wait a moment",
    "memory_errors": "Turns and tools ended at their memory ceiling",
    "services_opened": "Models, voices and agents opened by workers for who chose them",
    "services_evicted": "Of those, closed to make room, or as nobody wanted them for a while",
    "services_closed": "Of those, closed in all",
    "children_recycled": "Workers' children replaced, as they had grown",
    "children_killed": "Workers' children killed from outside, by the kernel or at a time limit",
    "children_died": "Workers' children that ended by themselves",
}

_lock = threading.Lock()
_counts = dict.fromkeys(NAMES, 0)


def add(name: str, number: int = 1) -> None:
    """Count; any thread may. Raises KeyError for a name that is not in NAMES."""
    with _lock:
        _counts[name] += number


def waiting() -> bool:
    """Whether anything was counted that has not been taken."""
    return any(_counts.values())


def take() -> dict[str, int]:
    """What was counted since the last time, without the zeros; give it back if it gets lost."""
    if not waiting():
        return {}
    with _lock:
        taken = {name: number for name, number in _counts.items() if number}
        _counts.update(dict.fromkeys(taken, 0))
    return taken


def give_back(taken: Mapping[str, int]) -> None:
    for name, number in taken.items():
        add(name, number)


def _begin_anew() -> None:
    """In a child: what its parent counted is the parent's, and the lock may be held by nobody."""
    global _lock
    _lock = threading.Lock()
    _counts.update(dict.fromkeys(NAMES, 0))


os.register_at_fork(after_in_child=_begin_anew)
