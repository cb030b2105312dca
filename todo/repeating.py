"""When something that repeats comes next, at its own hour and in its own rhythm."""

from __future__ import annotations

from datetime import datetime

from todo import dates

# Steps from an old date to the present; what is further behind starts its rhythm anew.
_MOST_STEPS = 400


def following(rule: str, due: datetime, after: datetime) -> datetime | None:
    """The first time of the rule later than `due` and `after`; both in the person's zone.

    Counted on from `due`, so that "every other monday" stays with its own mondays.
    """
    at = due
    for _ in range(_MOST_STEPS):
        next_time = _next(rule, at, due)
        if next_time is None or next_time > after:
            return next_time
        at = next_time
    return _next(rule, after, due)


def _next(rule: str, after: datetime, due: datetime) -> datetime | None:
    at = dates.next_occurrence(rule, after)
    if at is None or "HOURLY" in rule or "MINUTELY" in rule:
        return at
    moved = at.replace(hour=due.hour, minute=due.minute, second=0, microsecond=0)
    return moved if moved > after else at
