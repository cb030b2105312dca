"""How many calls are up in this process, and whether one more may come: a counter, no sampling."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager

from voice.errors import Refused

_calls_of: Counter[Hashable] = Counter()


def calls_in_progress() -> int:
    return _calls_of.total()


@contextmanager
def admitted(caller: Hashable, *, most: int, most_per_user: int) -> Iterator[None]:
    """Hold a place for one call; raises `Refused` when there is none.

    `caller` is a user's id, or the number that a guest calls from.
    """
    if calls_in_progress() >= most:
        raise Refused(4503, "All lines are busy. Please try again in a minute.")
    if _calls_of[caller] >= most_per_user:
        raise Refused(4409, "You already have as many calls open as this service allows.")
    _calls_of[caller] += 1
    try:
        yield
    finally:
        _calls_of[caller] -= 1
        if not _calls_of[caller]:
            del _calls_of[caller]
