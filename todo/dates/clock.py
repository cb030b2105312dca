"""Pieces that name an hour ("half past three", "in the evening") or a delay ("in 2 hours")."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from todo.dates.days import Handler, add_months, set_day
from todo.dates.phrase import Phrase, later, local

UNIT_SECONDS = {"second": 1, "minute": 60, "hour": 3600}
_COUNTS = {"a": 1.0, "a couple of": 2.0, "a few": 3.0, "half a": 0.5}


def set_clock(phrase: Phrase, hour: int, minute: int, exact: bool) -> bool:
    if phrase.hour is not None or phrase.moment is not None or hour > 24 or minute > 59:
        return False
    phrase.hour, phrase.minute, phrase.exact = hour, minute, exact
    return True


def _with_meridiem(phrase: Phrase, found: re.Match[str]) -> bool:
    hour = int(found["hour"])
    if not 1 <= hour <= 12:
        return False
    hour = hour % 12 + (12 if found["half"] == "pm" else 0)
    phrase.strong = True
    return set_clock(phrase, hour, int(found["minute"] or 0), True)


def _clock(phrase: Phrase, found: re.Match[str]) -> bool:
    hour = int(found["hour"])
    written_in_24_hours = hour > 12 or found["hour"].startswith("0")
    phrase.strong = phrase.strong or ":" in found.group()
    return set_clock(phrase, hour, int(found["minute"] or 0), written_in_24_hours)


def _oclock(phrase: Phrase, found: re.Match[str]) -> bool:
    phrase.strong = True
    return set_clock(phrase, int(found["hour"]), 0, int(found["hour"]) > 12)


def _past(phrase: Phrase, found: re.Match[str]) -> bool:
    """ "half past three", "quarter to five", "ten past noon"."""
    said = found["minutes"].removesuffix(" minutes").removeprefix("a ")
    minutes = {"half": 30, "quarter": 15}.get(said) or int(said)
    named = {"noon": 12, "midnight": 24}.get(found["hour"])
    hour = named or int(found["hour"])
    if not 0 < minutes <= 59 or hour > 24:
        return False
    exact = named is not None or hour > 12
    if found["way"] in ("to", "before"):
        hour, minutes = (12 if hour == 1 else hour - 1), 60 - minutes
    phrase.strong = phrase.strong or not said.isdigit()
    return set_clock(phrase, hour, minutes, exact)


def _half(phrase: Phrase, found: re.Match[str]) -> bool:
    return set_clock(phrase, int(found["hour"]), 30, False)


def _named_hour(phrase: Phrase, found: re.Match[str]) -> bool:
    phrase.strong = True
    return set_clock(phrase, 12 if found["name"] == "noon" else 24, 0, True)


def _spoken_minutes(phrase: Phrase, found: re.Match[str]) -> bool:
    """ "ten fifteen", "nine oh five"; alone it may be anything, so it does not make a date."""
    return set_clock(phrase, int(found["hour"]), int(found["minute"]), int(found["hour"]) > 12)


def _part(phrase: Phrase, found: re.Match[str]) -> bool:
    if phrase.part or phrase.moment is not None:
        return False
    phrase.part = found["part"] or "close"
    phrase.strong = True
    return True


def _delay(phrase: Phrase, found: re.Match[str]) -> bool:
    if phrase.day is not None or phrase.has_clock or phrase.moment is not None:
        return False
    unit = found["unit"].removesuffix("s")
    count = _COUNTS.get(found["count"]) or float(found["count"])
    count += 0.5 if found["half"] or found["half2"] else 0
    sign = -1 if found["ago"] else 1
    if count > 5000:
        return False
    if unit in UNIT_SECONDS:
        seconds = sign * count * UNIT_SECONDS[unit]
        if found["minutes"]:
            seconds += sign * 60 * int(found["minutes"])
        phrase.moment = later(phrase.now, timedelta(seconds=seconds))
        phrase.strong = True
        return True
    if unit in ("month", "year"):
        day = add_months(phrase.today, sign * round(count * (12 if unit == "year" else 1)))
    else:
        days = count * {"day": 1, "week": 7, "fortnight": 14}[unit]
        day = phrase.today + timedelta(days=sign * round(days))
    return set_day(phrase, day)


def _iso(phrase: Phrase, found: re.Match[str]) -> bool:
    try:
        moment = datetime.fromisoformat(found.group().upper().replace(" ", "T"))
    except ValueError:
        return False
    if len(found.group()) == 10:
        return set_day(phrase, moment.date())
    if phrase.day is not None:
        return False
    zone = phrase.now.tzinfo
    phrase.moment = (
        moment.astimezone(zone) if moment.tzinfo else local(moment.date(), moment.time(), zone)
    )
    phrase.strong = True
    return True


_DELAY = (
    r"(?P<count>\d+|a couple of|a few|a|half a)(?P<half> and a half)? "
    r"(?P<unit>(?:second|minute|hour|day|week|fortnight|month|year)s?)(?P<half2> and a half)?"
    r"(?: and (?P<minutes>\d+) minutes?)?"
)
PIECES: list[tuple[re.Pattern[str], Handler]] = [
    (re.compile(pattern + r"(?= |$)"), handler)
    for pattern, handler in [
        (r"\d{4}-\d{2}-\d{2}(?:[t ]\d{2}:\d{2}\S*)?", _iso),
        (rf"(?:in|within|after) {_DELAY}(?P<ago>)(?: time| from now)?", _delay),
        (rf"{_DELAY} (?:(?P<ago>ago)|from now|from today)", _delay),
        (
            r"(?P<hour>\d{1,2})(?:[: ](?:oh )?(?P<minute>\d{1,2}))? (?P<half>[ap]m)",
            _with_meridiem,
        ),
        (
            r"(?P<minutes>half|a quarter|quarter|\d{1,2}(?: minutes)?) "
            r"(?P<way>past|to|before|after) (?P<hour>\d{1,2}|noon|midnight)(?: oclock)?",
            _past,
        ),
        (r"(?P<hour>\d{1,2}) oclock", _oclock),
        (r"(?P<hour>\d{1,2}):(?P<minute>\d{2})", _clock),
        (r"(?P<name>noon|midnight)", _named_hour),
        (r"(?:early |late )?(?P<part>morning|afternoon|evening|night)", _part),
        (r"(?P<part>)(?:close of business|end of business|end of the working day)", _part),
    ]
]
# Numbers that are an hour only in company: after "at", or beside a day.
WEAK_PIECES: list[tuple[re.Pattern[str], Handler]] = [
    (re.compile(r"half (?P<hour>\d{1,2})(?= |$)"), _half),
    (re.compile(r"(?P<hour>\d{1,2}) (?:oh (?=\d ?))?(?P<minute>\d{1,2})(?= |$)"), _spoken_minutes),
    (re.compile(r"(?P<hour>\d{1,2})(?P<minute>)(?= |$)"), _clock),
    (re.compile(r"(?P<hour>\d{1,2})(?P<minute>[0-5]\d)(?: hours)?(?= |$)"), _clock),
]
