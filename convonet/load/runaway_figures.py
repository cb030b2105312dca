"""Whether anybody noticed that somebody else's tool ran away. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from convonet.load.figures import Turned, in_time, late_gaps, spread, start_ms
from convonet.load.plan import RUNAWAYS
from convonet.overhead.legs import Way

# From what the extra caller says until the tool has surely met its end, one way or the other.
AFTER_SECONDS = 15.0


def of_stage(
    taken: Mapping[str, Any], every: Sequence[Turned], ways: Mapping[str, Way], silence: float
) -> dict[str, Any]:
    """Of the other calls: what they noticed, and their turns during runaways and besides."""
    runaways = taken["runaways"]
    windows = [(r["began"], r["began"] + AFTER_SECONDS) for r in runaways if "began" in r]
    within = [turn for turn in every if _within(turn.ended, windows)]
    beside = [turn for turn in every if not _within(turn.ended, windows)]
    return {
        "number": len(runaways),
        "kinds": {name: _kind(runaways, n) for n, name in enumerate(RUNAWAYS)},
        "noticed": _noticed(taken),
        "turns_within": len(within),
        "start_ms_within": spread(_starts(within, silence)),
        "start_ms_beside": spread(_starts(beside, silence)),
        "in_time_percent_within": in_time(_starts(within, silence), len(within)),
        "late_frames_within": sum(
            frames
            for call in taken["calls"]
            for at, frames in late_gaps(call["gaps"], ways)
            if _within(at, windows)
        ),
    }


def _within(at: float, windows: Sequence[tuple[float, float]]) -> bool:
    return any(begin <= at <= end for begin, end in windows)


def _starts(turns: Sequence[Turned], silence: float) -> list[float]:
    return [ms for turn in turns if (ms := start_ms(turn, silence)) is not None]


def _kind(runaways: Sequence[Mapping[str, Any]], place: int) -> dict[str, Any]:
    mine = [r for r in runaways if r["number"] % len(RUNAWAYS) == place]
    took = [r["ended"] - r["began"] for r in mine if r.get("answered")]
    return {
        "calls": len(mine),
        "refused": sum("began" not in r for r in mine),
        "answered": sum(bool(r.get("answered")) for r in mine),
        "most_seconds": round(max(took, default=math.nan), 1) if took else None,
    }


def _noticed(taken: Mapping[str, Any]) -> dict[str, int]:
    """Calls, by what they noticed; those whose own tool ran away are not among them."""
    calls = taken["calls"]
    keys = {call["key"] for call in calls}
    turns = [turn for turn in taken["turns"] if turn["key"] in keys]
    failed = {turn["key"] for turn in turns if turn["state"] == "failed"}
    return {
        "dropped": sum(bool(call["dropped"]) for call in calls),
        "unanswered": sum(bool(call["unanswered"]) for call in calls),
        "failed": len(failed),
        "lost or doubled sound": sum(bool(c["lost_ms"] or c["doubled_ms"]) for c in calls),
    }


def any_noticed(told: Mapping[str, Any]) -> int:
    return sum(told["noticed"].values())
