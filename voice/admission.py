"""How many calls are up in this process, and whether one more may come: a counter, no sampling."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager

from convonet import counters
from voice.errors import Refused

_calls_of: Counter[Hashable] = Counter()
_watchers: list[Callable[[], None]] = []


def calls_in_progress() -> int:
    return _calls_of.total()


def watch(changed: Callable[[], None]) -> Callable[[], None]:
    """Have `changed` called whenever a call began or ended, on any thread; returns what ends it."""
    _watchers.append(changed)
    return lambda: _watchers.remove(changed)


def check(caller: Hashable, *, most: int, most_per_user: int) -> None:
    """Is there a place for one more call? Raises `Refused` when there is none; on any thread.

    `caller` is a user's id, or the number that a guest calls from.
    """
    if calls_in_progress() >= most:
        counters.add("calls_refused")
        raise Refused(4503, "All lines are busy. Please try again in a minute.")
    if _calls_of[caller] >= most_per_user:
        counters.add("calls_refused")
        raise Refused(4409, "You already have as many calls open as this service allows.")


@contextmanager
def admitted(caller: Hashable, *, most: int, most_per_user: int) -> Iterator[None]:
    """Hold a place for one call, on the event loop; raises `Refused` when there is none."""
    check(caller, most=most, most_per_user=most_per_user)
    _calls_of[caller] += 1
    _tell()
    try:
        yield
    finally:
        _calls_of[caller] -= 1
        if not _calls_of[caller]:
            del _calls_of[caller]
        _tell()


def _tell() -> None:
    for changed in _watchers:
        changed()
