"""Draws the graph's shapes: roles stacked over time, and the calls as a line. Pure.

The drawing is one unit wide for each bucket and 100 high, and is stretched to its place; words
stand beside it in HTML, so that they keep their size.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from monitor.history import Bucket, History
from monitor.roles import ROLES
from voice.uses_told import count

HEIGHT = 100
TICKS = 4
# A limit is drawn when it is at most so many times what is used: beyond, it would flatten that.
LIMIT_REACH = 3.0
# Room above a limit is of no use.
CLOSE_STEPS = (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)
# There are no halves of calls.
WHOLE_STEPS = (1, 2, 5, 10)


@dataclass(frozen=True, slots=True)
class Area:
    role: str
    number: int
    """Of its colour."""
    path: str


@dataclass(frozen=True, slots=True)
class Tick:
    percent: float
    """Of the way from the bottom, or from the left."""
    label: str
    calls: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one machine, in KiB: what may be used, and below which new calls are taken."""

    allowance: int
    admission: int


@dataclass(frozen=True, slots=True)
class Limit:
    """A line across the graph."""

    kind: str
    """`allowance` or `admission`."""
    percent: float
    """Of the way from the bottom."""
    label: str

    @property
    def y(self) -> float:
        return HEIGHT - self.percent


@dataclass(frozen=True, slots=True)
class Spot:
    """One bucket's place and words."""

    x: int
    words: str


@dataclass(frozen=True, slots=True)
class Graph:
    width: int
    areas: list[Area]
    calls: str
    levels: list[Tick]
    times: list[Tick]
    spots: list[Spot]
    limits: list[Limit]
    told: str
    """The whole in a sentence, for whoever does not see it."""


def draw(history: History, time_format: str = "%H:%M", limits: Limits | None = None) -> Graph:
    buckets = history.buckets
    highest = max(bucket.total for bucket in buckets)
    if limits is not None and limits.allowance > LIMIT_REACH * highest:
        limits = None
    top = nice(highest / 1024)
    if limits is not None:
        top = nice(max(highest, limits.allowance) / 1024, CLOSE_STEPS)
    most_calls = max(bucket.calls or 0 for bucket in buckets)
    calls_top = nice(most_calls, WHOLE_STEPS)
    shown = [role for role in ROLES if any(role in bucket.sizes for bucket in buckets)]
    steps = [one / TICKS for one in range(TICKS + 1)]
    return Graph(
        width=len(buckets),
        areas=_areas(buckets, shown, top * 1024),
        calls=_line([bucket.calls for bucket in buckets], calls_top),
        levels=[Tick(100 * one, f"{top * one:,g}", f"{calls_top * one:g}") for one in steps],
        times=_times(history, time_format),
        spots=_spots(history, time_format),
        limits=_limits(limits, top) if limits else [],
        told=f"At most {history.most / 1024:,.0f} MB, and {count(most_calls, 'call')} at once.",
    )


def _limits(limits: Limits, top: float) -> list[Limit]:
    sizes = {
        "admission": (limits.admission, "new calls below"),
        "allowance": (limits.allowance, "allowed"),
    }
    return [
        Limit(kind, round(100 * size / 1024 / top, 2), f"{words} {size / 1024:,.0f}")
        for kind, (size, words) in sizes.items()
    ]


def nice(value: float, steps: Sequence[float] = (1, 2, 2.5, 5, 10)) -> float:
    """The least top of an axis that holds `value` and whose ticks are round numbers."""
    step = max(value / TICKS, 1.0)
    scale = 10.0 ** math.floor(math.log10(step))
    return TICKS * next(scale * one for one in steps if scale * one >= step)


def _areas(buckets: Sequence[Bucket], roles: Sequence[str], top: float) -> list[Area]:
    """From the bottom up, in the order of the roles; a time without looks stays empty."""
    below = [0.0] * len(buckets)
    areas = []
    for role in roles:
        above = [low + one.sizes.get(role, 0.0) for low, one in zip(below, buckets, strict=True)]
        parts = [_part(run, below, above, top) for run in _runs([bool(b.sizes) for b in buckets])]
        areas.append(Area(role, ROLES.index(role), " ".join(parts)))
        below = above
    return areas


def _part(run: range, below: Sequence[float], above: Sequence[float], top: float) -> str:
    """A closed shape; one bucket alone is as wide as a bucket."""
    places = _places(run)
    upper = [f"{x:g} {_y(above[i], top)}" for x, i in places]
    lower = [f"{x:g} {_y(below[i], top)}" for x, i in reversed(places)]
    return f"M{' L'.join([*upper, *lower])}Z"


def _places(run: range) -> list[tuple[float, int]]:
    """(x, bucket): the middle of each bucket, and the outer edges of the run."""
    middles = [(i + 0.5, i) for i in run]
    return [(float(run.start), run.start), *middles, (float(run.stop), run.stop - 1)]


def _line(values: Sequence[int | None], top: float) -> str:
    """Steps, as there are no halves of calls."""
    parts = []
    for run in _runs([value is not None for value in values]):
        steps = [f"{x} {_y(values[i] or 0, top)}" for i in run for x in (i, i + 1)]
        parts.append(f"M{' L'.join(steps)}")
    return " ".join(parts)


def _runs(present: Sequence[bool]) -> list[range]:
    runs = []
    for there, group in groupby(range(len(present)), key=lambda i: present[i]):
        places = list(group)
        if there:
            runs.append(range(places[0], places[-1] + 1))
    return runs


def _y(value: float, top: float) -> str:
    return f"{HEIGHT * (1 - value / top):.2f}".rstrip("0").rstrip(".")


def _times(history: History, time_format: str) -> list[Tick]:
    whole = history.until - history.since
    return [
        Tick(100 * part / TICKS, f"{history.since + whole * part / TICKS:{time_format}}")
        for part in range(TICKS + 1)
    ]


def _spots(history: History, time_format: str) -> list[Spot]:
    width: timedelta = (history.until - history.since) / len(history.buckets)
    spots = []
    for place, bucket in enumerate(history.buckets):
        if not bucket.sizes:
            continue
        at: datetime = history.since + width * place
        calls = "" if bucket.calls is None else f", {count(bucket.calls, 'call')}"
        spots.append(Spot(place, f"{at:{time_format}}: {bucket.total / 1024:,.0f} MB{calls}"))
    return spots
