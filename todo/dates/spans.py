"""The stretch of time a question is about: "today", "this week", "in october"."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from todo.dates.cutting import find
from todo.dates.phrase import Phrase, local


def span(text: str, now: datetime, *, past: bool = False) -> tuple[datetime, datetime] | None:
    """From the first moment up to (not including) the last, or None when no day was said.

    "this week" is today to Sunday. With `past` (what was done) a weekday or date is the last
    one, and "this week" begins on Monday.
    """
    phrase = find(text, now)
    if phrase is None or phrase.rule:
        return None
    if phrase.moment is not None:
        return _whole_days(phrase.moment.date(), 1, now)
    if phrase.day is None:
        return _whole_days(now.date(), 1, now)
    if past:
        return _past_span(phrase, text.lower(), now)
    return _whole_days(phrase.day, phrase.days, now)


def _past_span(phrase: Phrase, text: str, now: datetime) -> tuple[datetime, datetime]:
    day, days, today = phrase.day or now.date(), phrase.days, now.date()
    if "this week" in text:
        return _whole_days(today - timedelta(days=today.weekday()), 7, now)
    if "this month" in text:
        return _whole_days(today.replace(day=1), today.day, now)
    if day > today:
        same_weekday = (day - today).days <= 7 and "in" not in text.split()
        day = day - timedelta(days=7) if same_weekday else _year_before(day)
    return _whole_days(day, days, now)


def _year_before(day: date) -> date:
    try:
        return day.replace(year=day.year - 1)
    except ValueError:
        return day.replace(year=day.year - 1, day=28)


def _whole_days(day: date, days: int, now: datetime) -> tuple[datetime, datetime]:
    zone = now.tzinfo
    return local(day, time(), zone), local(day + timedelta(days=days), time(), zone)
