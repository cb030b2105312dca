"""When people can be reached: reads "mon-fri 09:00-17:00, sat 10:00-14:00" and looks into it.

Pure. Times are those of the clock on the wall, so a change to summer time moves nothing; every
moment given here is aware and already in the zone of the business.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from todo import dates, speaking
from todo.dates.words import WEEKDAYS

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = 24 * 60
_NAMED = {"daily": range(7), "weekdays": range(5), "weekend": range(5, 7)}
_PART = re.compile(r"(?P<days>[^\d]*?)\s*(?P<times>\d.*)?")
_TIMES = re.compile(r"(\d{1,2})(?::(\d\d))?\s*(?:-|–|to)\s*(\d{1,2})(?::(\d\d))?")
EXAMPLE = "Write it like “mon-fri 09:00-17:00, sat 10:00-14:00”."


class BadHours(ValueError):
    """Says in a sentence what is wrong, and how it is written."""


@dataclass(frozen=True, slots=True)
class Span:
    """Minutes since Monday 00:00; `end` is beyond the week when Sunday's evening goes over it."""

    start: int
    end: int


@lru_cache(maxsize=256)
def parse(text: str) -> tuple[Span, ...]:
    """The open times of a week, in their order; none of an empty text, which means always.

    Raises BadHours.
    """
    spans: list[Span] = []
    days: list[int] = []
    for part in filter(None, map(str.strip, re.split(r"[,;\n]", text.lower()))):
        found = _PART.fullmatch(part)
        if found is None:
            raise BadHours(f"I cannot read “{part}”. {EXAMPLE}")
        days = _days(found["days"], part) if found["days"] else days
        if not days or not found["times"]:
            raise BadHours(f"“{part}” needs {'times' if days else 'days'}. {EXAMPLE}")
        spans += [span for day in days for span in _spans(day, found["times"], part)]
    return tuple(sorted(spans, key=lambda span: (span.start, span.end)))


def is_open(text: str, now: datetime) -> bool:
    """Raises BadHours for a text that `parse` refuses."""
    spans, minute = parse(text), _minute(now)
    return not spans or any(
        span.start <= at < span.end for span in spans for at in (minute, minute + 7 * DAY)
    )


def opens_at(text: str, now: datetime) -> datetime | None:
    """The next opening after `now`; None when it never closes. Raises BadHours."""
    spans, minute = parse(text), _minute(now)
    if not spans:
        return None
    away = min((span.start - minute - 1) % (7 * DAY) + 1 for span in spans)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    days, at = divmod(minute % DAY + away, DAY)
    return (midnight + timedelta(days=days)).replace(hour=at // 60, minute=at % 60)


def next_opening(text: str, now: datetime) -> str:
    """ "on Monday at 9 AM", "today at noon"; empty when it never closes. Raises BadHours."""
    moment = opens_at(text, now)
    return spoken(moment, now) if moment else ""


def spoken(moment: datetime, now: datetime) -> str:
    return speaking.on_when(dates.describe(moment, True, now))


def _minute(now: datetime) -> int:
    return now.weekday() * DAY + now.hour * 60 + now.minute


def _days(text: str, part: str) -> list[int]:
    """ "mon-fri", "sat", "mon wed fri", "daily"; fri-mon goes over the weekend."""
    found: list[int] = []
    for word in re.sub(r"\s*[-–]\s*", "-", text.replace(":", " ").replace(" and ", " ")).split():
        if word in _NAMED:
            found += _NAMED[word]
            continue
        first, _, last = word.partition("-")
        start, end = _day(first, part), _day(last or first, part)
        found += [day % 7 for day in range(start, end + 1 if end >= start else end + 8)]
    return list(dict.fromkeys(found))


def _day(word: str, part: str) -> int:
    """By its name or the beginning of it."""
    name = word.rstrip(".")
    for number, day in enumerate(DAYS):
        if name[:3] == day and WEEKDAYS[number].startswith(name.removesuffix("s")):
            return number
    raise BadHours(f"I know no day “{word}” in “{part}”. {EXAMPLE}")


def _spans(day: int, times: str, part: str) -> list[Span]:
    """ "09:00-12:00 13:00-17:00"; 22:00-02:00 ends on the day after."""
    if _TIMES.sub("", times).replace("and", "").strip():
        raise BadHours(f"I cannot read the times of “{part}”. {EXAMPLE}")
    return [_span(day, [int(one or 0) for one in found], part) for found in _TIMES.findall(times)]


def _span(day: int, times: list[int], part: str) -> Span:
    start_hour, start_minute, end_hour, end_minute = times
    start, end = start_hour * 60 + start_minute, end_hour * 60 + end_minute
    if max(start_minute, end_minute) > 59 or start >= DAY or end > DAY or start == end:
        raise BadHours(f"“{part}” has no such time. A day goes from 00:00 to 24:00.")
    return Span(day * DAY + start, day * DAY + end + (DAY if end < start else 0))
