"""A stage's figures from what callers, database and marks say. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from convonet.load.providers import SAY_SECONDS
from convonet.overhead.legs import Way, quantile

# A gap that ends so soon after the first sound of the reply lay before it: after a filler.
FIRST_SECONDS = 0.25
START_MS = 300.0
OVER = ("done", "interrupted", "failed")

Taken = Mapping[str, Any]
"""What the driver's `take` answers."""


def of_stage(taken: Taken, ways: Mapping[str, Way], think: float) -> dict[str, Any]:
    """`think`: seconds that the model takes, which are not the product's."""
    calls, turns = taken["calls"], taken["turns"]
    frames = sum(call["frames"] for call in calls)
    late = late_frames((gap for call in calls for gap in call["gaps"]), ways)
    said = sum(call["said"] for call in calls)
    starts = [start for turn in turns if (start := _start_ms(ways.get(turn["id"], {}))) is not None]
    return {
        "calls": len(calls),
        "up": sum(call["up"] for call in calls),
        "dropped": sum(call["dropped"] for call in calls),
        "faults": sorted({fault for call in calls for fault in call["faults"]})[:5],
        "said": said,
        "held": sum(call["held"] for call in calls),
        "unanswered": sum(call["unanswered"] for call in calls),
        "answer_ms": spread([ms for call in calls for ms in call["delays_ms"]]),
        "frames": frames,
        "late_frames": late,
        "late_percent": round(100 * late / frames, 3) if frames else 0.0,
        "lost_ms": sum(call["lost_ms"] for call in calls),
        "doubled_ms": sum(call["doubled_ms"] for call in calls),
        "turns": {
            "states": dict(Counter(turn["state"] for turn in turns)),
            "errors": dict(Counter(turn["error"] for turn in turns if turn["error"])),
            "again": sum(turn["attempts"] > 1 for turn in turns),
            **balance(calls, turns),
        },
        "start_ms": spread(starts),
        "started_in_time_percent": in_time(starts, said),
        "overhead_ms": spread(overheads(turns, ways, think)),
        "driver": taken["late"],
    }


def balance(calls: Sequence[Taken], turns: Sequence[Taken]) -> dict[str, int]:
    """Everything said has one turn: `missing` and `too_many` say how far that is not so."""
    rows = Counter(turn["key"] for turn in turns)
    differences = [rows[call["key"]] - call["said"] for call in calls]
    return {
        "missing": sum(-n for n in differences if n < 0),
        "too_many": sum(n for n in differences if n > 0),
        "open": sum(turn["state"] not in OVER for turn in turns),
    }


def late_frames(gaps: Iterable[Sequence[Any]], ways: Mapping[str, Way]) -> int:
    """Without the one between a filler and the reply, where there is nothing to be heard yet."""
    return sum(frames for turn, at, frames in gaps if not _before_reply(at, ways.get(turn, {})))


def _before_reply(at: float, way: Way) -> bool:
    sent = way.get("sent")
    return sent is None or at <= sent / 1e9 + FIRST_SECONDS


def _start_ms(way: Way) -> float | None:
    """From the end of speech to a worker that has the turn."""
    if "ended" not in way or "claimed" not in way:
        return None
    return (way["claimed"] - way["ended"]) / 1e6


def in_time(starts: Sequence[float], said: int) -> float | None:
    """Percent of what was said that a worker had in time; what has no start had none."""
    if not said:
        return None
    return round(100 * min(1.0, sum(ms <= START_MS for ms in starts) / said), 2)


def overheads(turns: Iterable[Taken], ways: Mapping[str, Way], think: float) -> list[float]:
    """Milliseconds from the end of speech to the first sound, without what the services took."""
    measured = []
    for turn in turns:
        way = ways.get(turn["id"], {})
        if turn["state"] == "done" and "ended" in way and "sent" in way:
            questions = 1 + turn["tools"]
            waited = 1000 * (questions * think + SAY_SECONDS)
            measured.append((way["sent"] - way["ended"]) / 1e6 - waited)
    return measured


def spread(values: Sequence[float]) -> dict[str, float] | None:
    if not values:
        return None
    return {
        "number": len(values),
        "median": round(quantile(values, 0.5), 1),
        "p90": round(quantile(values, 0.9), 1),
        "p99": round(quantile(values, 0.99), 1),
        "most": round(max(values), 1),
    }
