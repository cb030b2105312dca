"""Pieces that repeat ("every other monday"), and the moments their rules mean."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from dateutil.rrule import rrulestr  # type: ignore[import-untyped]  # publishes no types

from todo.dates.days import MONTH, WEEKDAY, Handler, next_date
from todo.dates.phrase import Phrase, local
from todo.dates.words import MONTHS, WEEKDAYS

CODES = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
WORKING_DAYS = "MO,TU,WE,TH,FR"
FREQUENCIES = {
    "minute": "MINUTELY",
    "hour": "HOURLY",
    "day": "DAILY",
    "week": "WEEKLY",
    "month": "MONTHLY",
    "year": "YEARLY",
}
ADVERBS = {
    "hourly": ("HOURLY", 1),
    "daily": ("DAILY", 1),
    "weekly": ("WEEKLY", 1),
    "biweekly": ("WEEKLY", 2),
    "fortnightly": ("WEEKLY", 2),
    "monthly": ("MONTHLY", 1),
    "quarterly": ("MONTHLY", 3),
    "yearly": ("YEARLY", 1),
    "annually": ("YEARLY", 1),
}
_SPOKEN_UNITS = {code: unit for unit, code in FREQUENCIES.items()}


def _set(phrase: Phrase, frequency: str, interval: int = 1, **parts: str) -> bool:
    if phrase.rule:
        return False
    phrase.rule = {"FREQ": frequency}
    if interval > 1:
        phrase.rule["INTERVAL"] = str(interval)
    phrase.rule |= parts
    phrase.strong = True
    return True


def _weekday_codes(text: str) -> str:
    named = {name for name in WEEKDAYS if re.search(rf"\b{name}", text)}
    return ",".join(code for code, name in zip(CODES, WEEKDAYS, strict=True) if name in named)


def _interval(text: str | None) -> int:
    if text in ("other", "2th"):
        return 2
    return int((text or "1").removesuffix("th"))


def _weekdays(phrase: Phrase, found: re.Match[str]) -> bool:
    return _set(phrase, "WEEKLY", _interval(found["interval"]), BYDAY=_weekday_codes(found["days"]))


def _named_days(phrase: Phrase, found: re.Match[str]) -> bool:
    days = "SA,SU" if "weekend" in found.group() else WORKING_DAYS
    return _set(phrase, "WEEKLY", BYDAY=days)


def _part(phrase: Phrase, found: re.Match[str]) -> bool:
    if phrase.part:
        return False
    phrase.part = found["part"]
    return _set(phrase, "DAILY")


def _weekday_part(phrase: Phrase, found: re.Match[str]) -> bool:
    if phrase.part:
        return False
    phrase.part = found["part"]
    return _set(phrase, "WEEKLY", BYDAY=_weekday_codes(found["days"]))


def _every(phrase: Phrase, found: re.Match[str]) -> bool:
    unit, interval = found["unit"], _interval(found["interval"])
    if interval < 1:
        return False
    if unit == "quarter":
        return _set(phrase, "MONTHLY", 3 * interval)
    if unit == "fortnight":
        return _set(phrase, "WEEKLY", 2 * interval)
    return _set(phrase, FREQUENCIES[unit], interval)


def _adverb(phrase: Phrase, found: re.Match[str]) -> bool:
    return _set(phrase, *ADVERBS[found["word"]])


def _month_day(phrase: Phrase, found: re.Match[str]) -> bool:
    day = -1 if found["last"] else int(found["date"])
    if day > 31:
        return False
    return _set(phrase, "MONTHLY", BYMONTHDAY=str(day))


def _month_weekday(phrase: Phrase, found: re.Match[str]) -> bool:
    place = -1 if found["place"] == "last" else int(found["place"].removesuffix("th"))
    if place > 4:
        return False
    return _set(phrase, "MONTHLY", BYDAY=f"{place}{_weekday_codes(found['day'])}")


def _year_date(phrase: Phrase, found: re.Match[str]) -> bool:
    month = MONTHS.index(found["month"] or found["month2"]) + 1
    day = int(found["date"] or found["date2"])
    if next_date(phrase.today, month, day) is None:
        return False
    return _set(phrase, "YEARLY", BYMONTH=str(month), BYMONTHDAY=str(day))


_DAYS = rf"(?:{WEEKDAY})s?(?:(?: and| or)? (?:on )?(?:every )?(?:{WEEKDAY})s?)*"
_OF_MONTH = r"(?:of |in )?(?:every|the|a) month|(?:every month|monthly)"
PIECES: list[tuple[re.Pattern[str], Handler]] = [
    (re.compile(pattern + r"(?= |$)"), handler)
    for pattern, handler in [
        (r"(?:every|on) (?:weekday|week day|workday|working day|weekend)s?|weekdays", _named_days),
        (
            rf"every (?P<days>{WEEKDAY}) (?P<part>morning|afternoon|evening|night)",
            _weekday_part,
        ),
        (rf"every (?:(?P<interval>other|2th|3th|4th) )?(?P<days>{_DAYS})", _weekdays),
        (
            rf"every (?P<interval>other|2th|\d+) weeks? (?:on )?(?P<days>{_DAYS})",
            _weekdays,
        ),
        (rf"(?:every week|weekly|once a week) (?P<interval>)(?:on )?(?P<days>{_DAYS})", _weekdays),
        (
            r"(?P<interval>)(?P<days>(?:mondays|tuesdays|wednesdays|thursdays|fridays|saturdays"
            rf"|sundays)(?: and {_DAYS})?)",
            _weekdays,
        ),
        (r"every (?P<part>morning|afternoon|evening|night)", _part),
        (
            rf"every (?:(?P<month>{MONTH}) (?:the )?(?P<date>\d{{1,2}})(?:th)?"
            rf"|(?P<date2>\d{{1,2}})(?:th)? (?:of )?(?P<month2>{MONTH}))",
            _year_date,
        ),
        (
            rf"(?P<month>{MONTH}) (?:the )?(?P<date>\d{{1,2}})(?:th)? (?:of )?every year"
            rf"|(?P<date2>\d{{1,2}})(?:th)? (?:of )?(?P<month2>{MONTH}) (?:of )?every year",
            _year_date,
        ),
        (
            r"every year on (?:the )?"
            rf"(?:(?P<month>{MONTH}) (?:the )?(?P<date>\d{{1,2}})(?:th)?"
            rf"|(?P<date2>\d{{1,2}})(?:th)? (?:of )?(?P<month2>{MONTH}))",
            _year_date,
        ),
        (
            r"(?:(?P<last>last day)|(?P<date>\d{1,2})th(?: day)?) (?:of |in )?every month",
            _month_day,
        ),
        (
            r"(?:every month|monthly) on the (?:(?P<last>last(?: day)?)|(?P<date>\d{1,2})th)",
            _month_day,
        ),
        (r"every (?P<last>)(?P<date>\d{1,2})th(?: of the month)?", _month_day),
        (
            rf"(?:every )?(?P<place>last|\dth) (?P<day>{WEEKDAY}) "
            r"(?:of |in )?(?:every|the|a) month",
            _month_weekday,
        ),
        (rf"every month on the (?P<place>last|\dth) (?P<day>{WEEKDAY})", _month_weekday),
        (
            r"(?:every|once a) (?:single )?(?:(?P<interval>other|2th|3th|4th|\d+) )?"
            r"(?P<unit>minute|hour|day|week|fortnight|month|quarter|year)s?",
            _every,
        ),
        (rf"(?P<word>{'|'.join(ADVERBS)})", _adverb),
    ]
]


def next_occurrence(rrule: str, after: datetime) -> datetime | None:
    """The first occurrence later than `after`, in its zone and on the wall clock, or None.

    Intervals count from `after`, so give the occurrence before; an hour the rule does not
    name is taken from it. Raises ValueError when `rrule` is no rule.
    """
    zone, start = after.tzinfo, after.replace(tzinfo=None, second=0, microsecond=0)
    if "BYHOUR" in rrule and "BYMINUTE" not in rrule:
        rrule += ";BYMINUTE=0"
    try:
        found: datetime | None = rrulestr(rrule, dtstart=start).after(start)
    except (ValueError, OverflowError, TypeError, AttributeError) as error:
        raise ValueError(f"not a repeat rule: {rrule!r}") from error
    if found is None:
        return None
    if "FREQ=HOURLY" in rrule or "FREQ=MINUTELY" in rrule:
        elapsed = found - start
        return (after.astimezone(UTC) + elapsed).astimezone(zone)
    return local(found.date(), found.time(), zone)


def first_occurrence(rrule: str, day: datetime, has_time: bool, now: datetime) -> datetime:
    """The first occurrence from now on; one without an hour may be today."""
    if "FREQ=HOURLY" in rrule or "FREQ=MINUTELY" in rrule:
        return next_occurrence(rrule, now) or now
    start = day.replace(tzinfo=None)
    # The interval counts from the first one, which may be any that fits.
    rrule = re.sub(r";INTERVAL=\d+", "", rrule)
    earliest = now.replace(tzinfo=None) if has_time else start
    found = rrulestr(rrule, dtstart=start).after(earliest, inc=not has_time)
    return local(found.date(), found.time(), now.tzinfo) if found else day


def parts_of(rrule: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in rrule.split(";") if "=" in part)


def spoken_unit(frequency: str) -> str:
    return _SPOKEN_UNITS.get(frequency, "time")
