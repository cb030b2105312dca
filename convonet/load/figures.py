"""A stage's figures from what callers, database, marks and stand-ins say. Pure.

All times are of the machine's monotonic clock, which its processes have in common.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from convonet.overhead.legs import Way, quantile

# A gap that ends so soon after the first sound of the reply lay before it: after a filler.
FIRST_SECONDS = 0.25
START_MS = 300.0
OVER = ("done", "interrupted", "failed")

Taken = Mapping[str, Any]
"""What the driver's `take` answers."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a stand-in did for a turn; seconds."""

    service: str
    arrived: float
    answered: float


@dataclass(frozen=True, slots=True)
class Turned:
    """One thing said and what came of it; seconds, None where it did not come to that."""

    ended: float
    """The caller's last sound was made."""
    decided: float | None
    """Whoever is called took the caller to be done."""
    asked: float | None
    """The model was asked."""
    heard: float | None
    """The first sound came, be it a word to wait."""
    answered: float | None
    """The first of the answer came."""
    work: tuple[Work, ...]


def works(lines: Iterable[str]) -> dict[str, list[Work]]:
    """The stand-ins' log, by key; a line that is not whole yet is left out."""
    found: dict[str, list[Work]] = {}
    for line in lines:
        words = line.split()
        if len(words) == 4 and words[1] != "-":
            service, key, arrived, answered = words
            work = Work(service, int(arrived) / 1e9, int(answered) / 1e9)
            found.setdefault(key, []).append(work)
    return found


def turned(
    calls: Sequence[Taken],
    turns: Sequence[Taken],
    ways: Mapping[str, Way],
    work: Mapping[str, Sequence[Work]],
) -> list[Turned]:
    """Everything that was said, with the turn that was made of it."""
    by_call: dict[str, list[Taken]] = {}
    for turn in turns:
        by_call.setdefault(turn["key"], []).append(turn)
    found = []
    for call in calls:
        answers = {answer[0]: answer for answer in call["answers"]}
        pairs = _paired(call["spoken"], by_call.get(call["key"], ()), ways)
        ends = [*call["spoken"][1:], float("inf")][: len(pairs)]
        for (ended, made), until in zip(pairs, ends, strict=True):
            token = made["token"] if made is not None else ""
            mine = [w for w in work.get(token, ()) if ended <= w.arrived < until]
            found.append(_turned(ended, made, answers.get(ended), ways, mine))
    return found


def _paired(
    spoken: Sequence[float], turns: Sequence[Taken], ways: Mapping[str, Way]
) -> list[tuple[float, Taken | None]]:
    """Each thing said with the last turn that was taken to be over before the next was."""
    decided = [(at, turn) for turn in turns if (at := _at(ways, turn, "ended")) is not None]
    pairs: list[tuple[float, Taken | None]] = []
    for number, ended in enumerate(spoken):
        until = spoken[number + 1] if number + 1 < len(spoken) else float("inf")
        mine = [turn for at, turn in decided if ended <= at < until]
        pairs.append((ended, mine[-1] if mine else None))
    return pairs


def _turned(
    ended: float,
    turn: Taken | None,
    answer: Sequence[Any] | None,
    ways: Mapping[str, Way],
    work: Sequence[Work],
) -> Turned:
    _, _, heard, answered = answer or (0, 0, None, None)
    decided = _at(ways, turn, "ended") if turn is not None else None
    asked = [w.arrived for w in work if w.service == "completions"]
    thinking = _at(ways, turn, "thinking") if turn is not None else None
    begun = min(asked) if asked else thinking
    return Turned(ended, decided, begun, heard, answered, tuple(work))


def _at(ways: Mapping[str, Way], turn: Taken, place: str) -> float | None:
    at = ways.get(turn["id"], {}).get(place)
    return None if at is None else at / 1e9


def of_stage(
    taken: Taken, ways: Mapping[str, Way], work: Mapping[str, Sequence[Work]], silence: float
) -> dict[str, Any]:
    """`silence`: seconds of it by which whoever is called is set to take a caller to be done."""
    calls = taken["calls"]
    keys = {call["key"] for call in calls}
    turns = [turn for turn in taken["turns"] if turn["key"] in keys]
    every = turned(calls, turns, ways, work)
    frames = sum(call["frames"] for call in calls)
    late = late_frames((gap for call in calls for gap in call["gaps"]), ways)
    starts = [start for one in every if (start := start_ms(one, silence)) is not None]
    said = sum(call["said"] for call in calls)
    return {
        "calls": len(calls),
        "up": sum(call["up"] for call in calls),
        "dropped": sum(call["dropped"] for call in calls),
        "faults": sorted({fault for call in calls for fault in call["faults"]})[:5],
        "said": said,
        "held": sum(call["held"] for call in calls),
        "unanswered": sum(call["unanswered"] for call in calls),
        "answer_ms": spread([1000 * (t.heard - t.ended) for t in every if t.heard is not None]),
        "frames": frames,
        "late_frames": late,
        "late_percent": round(100 * late / frames, 3) if frames else 0.0,
        "lost_ms": sum(call["lost_ms"] for call in calls),
        "doubled_ms": sum(call["doubled_ms"] for call in calls),
        "taken": taken["taken"],
        "taken_in_time_percent": _taken_in_time(taken["taken"]),
        "turns": {
            "states": dict(Counter(turn["state"] for turn in turns)),
            "errors": dict(Counter(turn["error"] for turn in turns if turn["error"])),
            "again": sum(turn["attempts"] > 1 for turn in turns),
            **balance(calls, turns),
        },
        "decided_ms": spread([_after(t, t.decided, silence) for t in every if t.decided]),
        "start_ms": spread(starts),
        "started_in_time_percent": in_time(starts, said),
        "overhead_ms": spread([ms for t in every if (ms := overhead_ms(t)) is not None]),
        "whole_overhead_ms": spread(
            [ms for t in every if (ms := overhead_ms(t, t.ended + silence)) is not None]
        ),
        "driver": taken["late"],
    }


def _taken_in_time(told: Taken) -> float | None:
    number = told["frames"]
    return round(100 * (1 - told["over_20_ms"] / number), 3) if number else None


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
    return sum(frames for _, frames in late_gaps(gaps, ways))


def late_gaps(
    gaps: Iterable[Sequence[Any]], ways: Mapping[str, Way]
) -> Iterator[tuple[float, int]]:
    """(end, frames) without that between a filler and the reply: nothing is to be heard there."""
    for turn, at, frames in gaps:
        if not _before_reply(at, ways.get(turn)):
            yield at, frames


def _before_reply(at: float, way: Way | None) -> bool:
    if way is None:
        return False
    sent = way.get("sent")
    return sent is None or at <= sent / 1e9 + FIRST_SECONDS


def start_ms(one: Turned, silence: float) -> float | None:
    """From when the caller was silent for `silence` until the model was asked."""
    return None if one.asked is None else _after(one, one.asked, silence)


def _after(one: Turned, moment: float, silence: float) -> float:
    return 1000 * (moment - one.ended - silence)


def in_time(starts: Sequence[float], said: int) -> float | None:
    """Percent of what was said that was begun in time; what has no start was not."""
    if not said:
        return None
    return round(100 * min(1.0, sum(ms <= START_MS for ms in starts) / said), 2)


def overhead_ms(one: Turned, since: float | None = None) -> float | None:
    """From the decision that the caller is done (or `since`) to the first of the answer.

    Without the time in which a stand-in was at work for this turn. None where no stand-in was
    (speech of its own), or nothing was answered.
    """
    since = one.decided if since is None else since
    services = {work.service for work in one.work}
    if since is None or one.answered is None or not {"completions", "speech"} <= services:
        return None
    spans = ((max(since, w.arrived), min(one.answered, w.answered)) for w in one.work)
    return 1000 * (one.answered - since - covered(spans))


def covered(spans: Iterable[tuple[float, float]]) -> float:
    """Seconds that lie in at least one of them; those that end before they begin are none."""
    total, reached = 0.0, float("-inf")
    for begin, end in sorted(span for span in spans if span[1] > span[0]):
        total += max(0.0, end - max(begin, reached))
        reached = max(reached, end)
    return total


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
