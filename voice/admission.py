"""How many calls are up in this process, and whether one more may come: a counter, no sampling."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from voice.errors import Refused

_calls_of: Counter[int] = Counter()


def calls_in_progress() -> int:
    return _calls_of.total()


@contextmanager
def admitted(user_id: int, *, most: int, most_per_user: int) -> Iterator[None]:
    """Hold a place for one call; raises `Refused` when there is none."""
    if calls_in_progress() >= most:
        raise Refused(4503, "All lines are busy. Please try again in a minute.")
    if _calls_of[user_id] >= most_per_user:
        raise Refused(4409, "You already have as many calls open as this service allows.")
    _calls_of[user_id] += 1
    try:
        yield
    finally:
        _calls_of[user_id] -= 1
        if not _calls_of[user_id]:
            del _calls_of[user_id]
