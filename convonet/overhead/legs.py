"""The way of a turn from the marks of all processes: how long each leg took. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

# In the order in which a turn passes them; what a turn has no mark of joins the next leg.
PLACES: tuple[tuple[str, str], ...] = (
    ("ended", "the caller's speech has ended"),
    ("row", "the turn's row is written"),
    ("asked", "the words are on record, a worker is asked for"),
    ("queued", "the task is queued"),
    ("received", "the agent worker's parent has the task"),
    ("taken", "a child has the task"),
    ("claimed", "the child has the turn"),
    ("thinking", "the agent begins"),
    ("model asked", "the model is asked"),
    ("tool wanted", "the model wants a tool"),
    ("tool began", "the tool call is on record"),
    ("tool ended", "the tool has answered"),
    ("tool answered", "the model is asked again"),
    ("worded", "the child has the first word"),
    ("speech queued", "the call knows the first sentence, its speech is queued"),
    ("speech received", "the speech worker's parent has the task"),
    ("speech taken", "a child has the task"),
    ("voice asked", "the voice is asked"),
    ("stored", "the first audio is stored and told"),
    ("seen", "the web process knows"),
    ("read", "the audio is read"),
    ("sent", "the first audio is sent on the socket"),
    ("heard", "the caller's device has it"),
)
FIRST, LAST = "ended", "sent"

Way = dict[str, int]
"""Of one turn: the place, and the nanoseconds at which it was first passed."""


@dataclass(frozen=True, slots=True)
class Leg:
    """Milliseconds over all turns."""

    name: str
    to: str
    median: float
    p90: float
    p99: float
    most: float


def read(lines: Iterable[str]) -> dict[str, Way]:
    """Every turn's way; the first mark of a place counts."""
    ways: dict[str, Way] = {}
    for line in lines:
        place, turn, at = line.rsplit(" ", 2)
        way = ways.setdefault(turn, {})
        way[place] = min(int(at), way.get(place, int(at)))
    return ways


def whole(ways: Mapping[str, Way], turns: Iterable[str]) -> list[Way]:
    """Those of these turns that were seen from the end of speech to the first sound."""
    found = (ways.get(turn, {}) for turn in turns)
    return [way for way in found if FIRST in way and LAST in way]


def legs(ways: Sequence[Way]) -> list[Leg]:
    """One per place that was passed, from the place before it, then the sum up to `LAST`."""
    passed = [(name, text) for name, text in PLACES if any(name in way for way in ways)]
    measured = []
    for (before, _), (name, text) in pairwise(passed):
        took = [_ms(way[before], way[name]) for way in ways if before in way and name in way]
        if took:
            measured.append(_leg(name, text, took))
    return [*measured, _leg("total", "in all", totals(ways))]


def totals(ways: Iterable[Way]) -> list[float]:
    return [_ms(way[FIRST], way[LAST]) for way in ways]


def _ms(begin: int, end: int) -> float:
    return (end - begin) / 1e6


def _leg(name: str, text: str, took: Sequence[float]) -> Leg:
    return Leg(
        name, text, statistics.median(took), quantile(took, 0.9), quantile(took, 0.99), max(took)
    )


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share does not exceed."""
    ordered = sorted(values)
    rank = -int(-share * len(ordered) // 1)  # the ceiling
    return ordered[max(0, rank - 1)]
