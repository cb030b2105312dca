"""Dates and repetitions in the words people use, for the voice and the page."""

from __future__ import annotations

from datetime import datetime, time

from todo.dates.days import add_months
from todo.dates.repeats import CODES, WORKING_DAYS, parts_of, spoken_unit
from todo.dates.words import MONTHS, WEEKDAYS

_PLACES = {"1": "first", "2": "second", "3": "third", "4": "fourth", "-1": "last"}


def describe(at: datetime, has_time: bool, now: datetime) -> str:
    """ "tomorrow at 5 PM", "Friday at 9 AM", "3 March"; the year only beyond twelve months."""
    day = describe_day(at, now)
    return f"{day} at {describe_clock(at.astimezone(now.tzinfo))}" if has_time else day


def describe_day(at: datetime, now: datetime) -> str:
    day, today = at.astimezone(now.tzinfo).date(), now.date()
    away = (day - today).days
    if away in (-1, 0, 1):
        return {-1: "yesterday", 0: "today", 1: "tomorrow"}[away]
    weekday = WEEKDAYS[day.weekday()].title()
    if 1 < away < 7:
        return weekday
    if -7 < away < -1:
        return f"last {weekday}"
    text = f"{day.day} {MONTHS[day.month - 1].title()}"
    if not add_months(today, -1) <= day < add_months(today, 12):
        return f"{text} {day.year}"
    return f"{weekday} {text}" if 0 < away < 60 else text


def describe_clock(at: datetime | time) -> str:
    if (at.hour, at.minute) == (12, 0):
        return "noon"
    half = "AM" if at.hour < 12 else "PM"
    minutes = f":{at.minute:02d}" if at.minute else ""
    return f"{(at.hour - 1) % 12 + 1}{minutes} {half}"


def describe_repeat(rrule: str) -> str:
    """ "every Monday at 9 AM"; empty for an empty rule."""
    parts = parts_of(rrule)
    if not parts:
        return ""
    return _days(parts) + _clock(parts) + _until(parts)


def _days(parts: dict[str, str]) -> str:
    interval, by_day = int(parts.get("INTERVAL", "1")), parts.get("BYDAY", "")
    if by_day[:1] in ("-", "1", "2", "3", "4"):
        place, code = by_day[:-2], by_day[-2:]
        return f"the {_PLACES.get(place, place)} {_weekday(code)} of every month"
    if by_day:
        return f"every {_counted('', interval)}{_weekdays(by_day)}".replace("  ", " ")
    if "BYMONTH" in parts:
        month = MONTHS[int(parts["BYMONTH"]) - 1].title()
        return f"every {parts.get('BYMONTHDAY', '1')} {month}"
    if "BYMONTHDAY" in parts:
        day = parts["BYMONTHDAY"]
        return f"the {'last day' if day == '-1' else ordinal(int(day))} of every month"
    return f"every {_counted(spoken_unit(parts.get('FREQ', '')), interval)}"


def _counted(unit: str, interval: int) -> str:
    if interval == 1:
        return unit
    if interval == 2:
        return f"other {unit}"
    return f"{interval} {unit}s" if unit else f"{ordinal(interval)} "


def _weekday(code: str) -> str:
    return WEEKDAYS[CODES.index(code)].title()


def _weekdays(by_day: str) -> str:
    if by_day == WORKING_DAYS:
        return "weekday"
    if by_day == "SA,SU":
        return "weekend"
    names = [_weekday(code) for code in by_day.split(",")]
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _clock(parts: dict[str, str]) -> str:
    if "BYHOUR" not in parts:
        return ""
    return " at " + describe_clock(time(int(parts["BYHOUR"]), int(parts.get("BYMINUTE", "0"))))


def _until(parts: dict[str, str]) -> str:
    if "UNTIL" not in parts:
        return ""
    end = datetime.strptime(parts["UNTIL"][:8], "%Y%m%d")
    return f" until {end.day} {MONTHS[end.month - 1].title()} {end.year}"


def ordinal(number: int) -> str:
    suffix = (
        "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    )
    return f"{number}{suffix}"
