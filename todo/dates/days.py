"""Pieces that name a day: "tomorrow", "next friday", "the third of march", "the end of june"."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from datetime import date, timedelta

from todo.dates.phrase import Phrase
from todo.dates.words import MONTHS, WEEKDAYS

WEEKDAY = "|".join(WEEKDAYS)
MONTH = "|".join(MONTHS)
YEAR = r"(?: (?P<year>(?:19|20)\d\d|20 \d\d))?"
HOLIDAYS = {
    "christmas eve": (12, 24),
    "christmas day": (12, 25),
    "christmas": (12, 25),
    "new year eve": (12, 31),
    "new year day": (1, 1),
    "valentine day": (2, 14),
    "halloween": (10, 31),
}
Handler = Callable[[Phrase, re.Match[str]], bool]


def set_day(phrase: Phrase, day: date, days: int = 1) -> bool:
    """False when a day was said before: then the second one belongs to something else."""
    if phrase.day is not None or phrase.moment is not None:
        return False
    phrase.day, phrase.days, phrase.strong = day, days, True
    return True


def next_weekday(today: date, name: str) -> date:
    """The next one to come, never today."""
    return today + timedelta(days=(WEEKDAYS.index(name) - today.weekday() - 1) % 7 + 1)


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def add_months(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, month_length(year, month + 1)))


def month_length(year: int, month: int) -> int:
    return calendar.monthrange(year, month)[1]


def next_date(today: date, month: int, day: int) -> date | None:
    """The next such date, today included; 29 February waits for its year."""
    for year in range(today.year, today.year + 9):
        if day <= month_length(year, month) and date(year, month, day) >= today:
            return date(year, month, day)
    return None


def _relative(phrase: Phrase, found: re.Match[str]) -> bool:
    shift = {
        "today": 0, "tomorrow": 1, "yesterday": -1, "tonight": 0, "last night": -1,
        "day after tomorrow": 2, "day before yesterday": -2, "later today": 0, "now": 0,
    }[found["word"]]  # fmt: skip
    if found["word"] in ("tonight", "last night"):
        if phrase.part:
            return False
        phrase.part = "night"
    return set_day(phrase, phrase.today + timedelta(days=shift))


def _this_part(phrase: Phrase, found: re.Match[str]) -> bool:
    if phrase.part or not set_day(phrase, phrase.today):
        return False
    phrase.part = found["part"]
    return True


def _weekday(phrase: Phrase, found: re.Match[str]) -> bool:
    today, name = phrase.today, found["day"]
    prefix = found["prefix"] or ""
    day = next_weekday(today, name)
    if prefix == "last":
        day -= timedelta(days=7 if day - today < timedelta(days=7) else 14)
        if day == today:
            day -= timedelta(days=7)
    elif prefix == "this" and today.weekday() == WEEKDAYS.index(name):
        day = today
    if found["later"]:
        day += timedelta(days=7)
    return set_day(phrase, day)


def _weeks_from(phrase: Phrase, found: re.Match[str]) -> bool:
    """ "a week from saturday", "two weeks from today"."""
    weeks = int(found["weeks"]) if found["weeks"].isdigit() else 1
    named = {"today": phrase.today, "tomorrow": phrase.today + timedelta(days=1)}
    day = named.get(found["day"]) or next_weekday(phrase.today, found["day"])
    return set_day(phrase, day + timedelta(weeks=weeks))


def _weekday_of_week(phrase: Phrase, found: re.Match[str]) -> bool:
    name = found["day"] or found["day2"]
    weeks = 0 if (found["week"] or found["week2"]) == "this" else 1
    start = monday_of(phrase.today) + timedelta(weeks=weeks)
    return set_day(phrase, start + timedelta(days=WEEKDAYS.index(name)))


def _period(phrase: Phrase, found: re.Match[str]) -> bool:
    """ "next week": its first day, and its length for `span`."""
    today, which, unit = phrase.today, found["which"], found["unit"]
    step = {"this": 0, "next": 1, "coming": 1, "last": -1, "after": 2}[which]
    if unit == "weekend":
        saturday = monday_of(today) + timedelta(days=5, weeks=0 if which != "last" else -1)
        if which == "next" or (which == "coming" and today >= saturday):
            saturday += timedelta(weeks=1)
        if today.weekday() == 6 and which == "this":
            return set_day(phrase, today)
        return set_day(phrase, saturday, 2)
    if unit == "week":
        start = monday_of(today) + timedelta(weeks=step)
        if step == 0:
            return set_day(phrase, today, 7 - today.weekday())
        return set_day(phrase, start, 7)
    if unit == "month":
        first = add_months(today.replace(day=1), step)
        length = month_length(first.year, first.month)
        return set_day(
            phrase, today if step == 0 else first, length - (step == 0) * (today.day - 1)
        )
    first = date(today.year + step, 1, 1)
    length = 366 if calendar.isleap(first.year) else 365
    start = today if step == 0 else first
    return set_day(phrase, start, length - (start - first).days)


def _date(phrase: Phrase, found: re.Match[str]) -> bool:
    month, day = MONTHS.index(found["month"]) + 1, int(found["date"])
    if found["year"]:
        year = int(found["year"].replace(" ", ""))
        if not 1 <= day <= month_length(year, month):
            return False
        return set_day(phrase, date(year, month, day))
    result = next_date(phrase.today, month, day) if day else None
    return result is not None and set_day(phrase, result)


def _day_of_month(phrase: Phrase, found: re.Match[str]) -> bool:
    number, today = int(found["date"]), phrase.today
    if not 1 <= number <= 31:
        return False
    first = today.replace(day=1)
    if found["of"]:
        first = add_months(first, 1 if found["of"] == "next" else 0)
        if number > month_length(first.year, first.month):
            return False
        return set_day(phrase, first.replace(day=number))
    while number > month_length(first.year, first.month) or first.replace(day=number) < today:
        first = add_months(first, 1)
    return set_day(phrase, first.replace(day=number))


def _slashed(phrase: Phrase, found: re.Match[str]) -> bool:
    """12/24 and 24/12 explain themselves; 3/4 is taken as month before day."""
    first, second = int(found["a"]), int(found["b"])
    month, day = (second, first) if first > 12 else (first, second)
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return False
    result = next_date(phrase.today, month, day)
    if found["year"] and result:
        year = int(found["year"]) + (2000 if len(found["year"]) == 2 else 0)
        if day > month_length(year, month):
            return False
        result = date(year, month, day)
    return result is not None and set_day(phrase, result)


def _month(phrase: Phrase, found: re.Match[str]) -> bool:
    month, today = MONTHS.index(found["month"]) + 1, phrase.today
    year = today.year + (month < today.month)
    if found["which"] == "last":
        year = today.year - (month >= today.month)
    elif found["which"] == "next" and month == today.month:
        year += 1
    if found["year"]:
        year = int(found["year"].replace(" ", ""))
    return _edge_of_month(phrase, year, month, found["edge"] or "")


def _edge_of_month(phrase: Phrase, year: int, month: int, edge: str) -> bool:
    length = month_length(year, month)
    if edge == "end":
        phrase.range_end = True
        return set_day(phrase, date(year, month, length))
    if edge == "middle":
        return set_day(phrase, date(year, month, 15))
    return set_day(phrase, date(year, month, 1), 1 if edge else length)


def _end_of_period(phrase: Phrase, found: re.Match[str]) -> bool:
    today, unit = phrase.today, found["unit"]
    step = 1 if found["which"] == "next" else 0
    phrase.range_end = found["edge"] == "end"
    if unit == "day":
        if not phrase.has_clock:
            phrase.part = "close"
        return set_day(phrase, today)
    if unit == "week":
        start = monday_of(today) + timedelta(weeks=step)
        return set_day(phrase, start + timedelta(days=6 if found["edge"] == "end" else 0))
    if unit == "month":
        first = add_months(today.replace(day=1), step)
        return _edge_of_month(phrase, first.year, first.month, found["edge"])
    edge_month = 12 if found["edge"] == "end" else 1
    return _edge_of_month(phrase, today.year + step, edge_month, found["edge"])


def _holiday(phrase: Phrase, found: re.Match[str]) -> bool:
    result = next_date(phrase.today, *HOLIDAYS[found["name"].replace("years", "year")])
    return result is not None and set_day(phrase, result)


EDGE = r"(?:(?P<edge>end|start|beginning|middle|mid) (?:of )?(?:the )?)"
PIECES: list[tuple[re.Pattern[str], Handler]] = [
    (re.compile(pattern + r"(?= |$)"), handler)
    for pattern, handler in [
        (
            r"(?P<word>day after tomorrow|day before yesterday|later today|today|tomorrow"
            r"|yesterday|tonight|last night)",
            _relative,
        ),
        (
            r"(?P<weeks>a|\d) weeks? (?:from|after|on) (?:(?:next|this|the coming) )?"
            rf"(?P<day>{WEEKDAY}|today|tomorrow)",
            _weeks_from,
        ),
        (r"this (?P<part>morning|afternoon|evening)", _this_part),
        (
            rf"(?:(?P<week>next|this) week (?:on )?(?P<day>{WEEKDAY})"
            rf"|(?P<day2>{WEEKDAY}) (?:of )?(?P<week2>next|this) week)",
            _weekday_of_week,
        ),
        (
            r"(?:(?P<prefix>next|this coming|this|coming|following|last) )?"
            rf"(?P<day>{WEEKDAY})(?P<later> week| after next)?",
            _weekday,
        ),
        (r"(?P<which>this|next|coming|last) (?P<unit>week|weekend|month|year)", _period),
        (r"(?P<unit>week|month|year) (?P<which>after) next", _period),
        (r"(?P<unit>weekend)(?P<which>)", lambda p, m: set_day(p, _saturday(p.today), 2)),
        (rf"(?P<date>\d{{1,2}})(?:th)? (?:of )?(?P<month>{MONTH}){YEAR}", _date),
        (rf"(?P<month>{MONTH}) (?:the )?(?P<date>\d{{1,2}})(?:th)?(?! pm| am){YEAR}", _date),
        (
            r"(?P<date>\d{1,2})th(?: (?:of )?(?:the )?(?P<of>next|this) month"
            r"| of the month(?P<x>))?",
            _day_of_month,
        ),
        (r"(?P<a>\d{1,2})/(?P<b>\d{1,2})(?:/(?P<year>\d{4}|\d{2}))?", _slashed),
        (rf"{EDGE}?(?:(?P<which>next|this|last) )?(?P<month>{MONTH}){YEAR}(?! \d)", _month),
        (rf"{EDGE}(?:(?P<which>next|this) )?(?P<unit>day|week|month|year)", _end_of_period),
        (
            r"(?P<name>christmas eve|christmas day|christmas|new years? eve|new years? day"
            r"|valentine day|halloween)",
            _holiday,
        ),
    ]
]


def _saturday(today: date) -> date:
    return monday_of(today) + timedelta(days=5) if today.weekday() < 6 else today
