"""From the natural words of a tool or a page to the moment a row stores."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from todo import dates
from todo.actor import Actor
from todo.daywords import names_a_day
from todo.errors import Refused
from todo.models import Todo
from todo.todos import day_only

_NEVER = {"none", "no", "never", "no date", "no due date", "nothing", "no time", "remove", "clear"}

_SHIFT = re.compile(r"(?:by )?(?P<by>.+?) (?P<way>later|earlier|sooner)", re.IGNORECASE)
_BEFORE = re.compile(
    r"(?P<by>.+?) (?:before|beforehand|earlier|in advance|ahead)(?: (?:it|that|then))?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Due:
    """`at` None: no due date. `repeat` is a rule or empty."""

    at: datetime | None
    has_time: bool = True
    repeat: str = ""


def read_due(actor: Actor, text: str, *, of: Todo | None = None) -> Due:
    """Raises Refused when the words name no day or hour.

    `of` is the todo that moves: it keeps its hour when only a day is said, and its day when only
    an hour is said; "three days later" counts from when it is due.
    """
    if text.strip().lower() in _NEVER:
        return Due(None)
    if of is not None and (shifted := _shifted(actor, text, of)):
        return shifted
    when = dates.parse(text, actor.local_now, morning_hour=actor.morning_hour)
    if when is None:
        raise Refused(f"I did not understand “{text[:60]}” as a day or time. When is it due?")
    if of is not None and of.due_at is not None and of.due_has_time:
        old = actor.local(of.due_at)
        if not when.has_time:
            moved = when.at.replace(hour=old.hour, minute=old.minute)
            return Due(moved, True, when.repeat)
        if not when.repeat and not names_a_day(text):
            moved = old.replace(hour=when.at.hour, minute=when.at.minute)
            return Due(moved if moved > actor.now else when.at)
    at = when.at if when.has_time else day_only(when.at)
    return Due(at, when.has_time, when.repeat)


def read_repeat(actor: Actor, text: str) -> Due:
    """The rule, and its first time; an empty rule for "never". Raises Refused for other words."""
    words = text.strip()
    if words.lower() in _NEVER:
        return Due(None)
    if words.upper().startswith(("RRULE:", "FREQ=")):
        return _rule(actor, words.upper().removeprefix("RRULE:"))
    when = dates.parse(words, actor.local_now, morning_hour=actor.morning_hour)
    if when is None or not when.repeat:
        every = re.sub(r"^(?:each |on )?", "every ", words)
        when = dates.parse(every, actor.local_now, morning_hour=actor.morning_hour)
    if when is None or not when.repeat:
        raise Refused(f"I did not understand “{text[:60]}” as a repetition. How often is it?")
    return Due(when.at if when.has_time else day_only(when.at), when.has_time, when.repeat)


def read_reminder(actor: Actor, text: str) -> Due:
    """A moment for a reminder; the person's morning hour when only a day was said."""
    when = dates.parse(text, actor.local_now, morning_hour=actor.morning_hour, reminder=True)
    if when is None:
        raise Refused(f"I did not understand “{text[:60]}” as a time. When shall I remind you?")
    if when.at <= actor.now:
        raise Refused("That time has already passed. When shall I remind you?")
    return Due(when.at, True, when.repeat)


def before(text: str, due: datetime) -> datetime | None:
    """ "an hour before" what is due at `due`; None for other words."""
    found = _BEFORE.fullmatch(text.strip())
    ahead = _ahead(found["by"], due) if found else None
    return due - ahead if ahead is not None else None


def is_before(text: str) -> bool:
    return _BEFORE.fullmatch(text.strip()) is not None


def _shifted(actor: Actor, text: str, todo: Todo) -> Due | None:
    found = _SHIFT.fullmatch(text.strip())
    if found is None or todo.due_at is None:
        return None
    old = actor.local(todo.due_at)
    ahead = _ahead(found["by"], old)
    if ahead is None:
        return None
    at = old + ahead if found["way"].lower() == "later" else old - ahead
    return Due(at, todo.due_has_time)


def _ahead(words: str, start: datetime) -> timedelta | None:
    """How long "three days" is, from `start`; whole days keep the hour over a clock change."""
    when = dates.parse(f"in {words}", start)
    if when is None or when.repeat or not dates.is_date(f"in {words}", start):
        return None
    return (
        when.at - start if when.has_time else timedelta(days=(when.at.date() - start.date()).days)
    )


def _rule(actor: Actor, rule: str) -> Due:
    try:
        first = dates.next_occurrence(rule, actor.local_now)
    except ValueError:
        first = None
    if first is None or len(rule) > 200:
        raise Refused("I did not understand that repetition. How often is it?")
    return Due(first, "BYHOUR" in rule, rule)
