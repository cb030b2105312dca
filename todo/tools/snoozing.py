"""answer_reminder: done with what was reminded of, or once more later."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from todo import reminders, speaking
from todo.actor import Actor
from todo.dates import is_date
from todo.errors import Refused
from todo.matching import Candidate, match
from todo.models import Reminder
from todo.moments import read_reminder
from todo.naming import read_name
from todo.tools.answers import Answer, nothing
from todo.tools.arguments import Arguments

ACTIONS = ("done", "snooze")
DEFAULT_MINUTES = 10
MOST_MINUTES = 1440
NOTHING_TOLD = "I have not reminded you of anything in the last hour."


def answer(actor: Actor, arguments: Arguments) -> Answer:
    """In a call made for a reminder that one is meant, and its answer is the last word."""
    action = arguments.needed("action", "Is it done, or shall I remind you again?").lower()
    if action not in ACTIONS:
        raise Refused("Is it done, or shall I remind you again?")
    reminder = _meant(actor, arguments.text("which"))
    if isinstance(reminder, str):
        return nothing(reminder)
    if action == "done":
        return _done(actor, reminder)
    return _again(actor, reminder, _later(actor, arguments))


def _done(actor: Actor, reminder: Reminder) -> Answer:
    todo = reminder.todo
    was_open = todo is not None and todo.completed_at is None and todo.deleted_at is None
    change = reminders.answer_done(actor, reminder)
    todos = [todo] if todo is not None and was_open else []
    said = f"All right, done: {reminder.text}."
    if todos and todos[0].completed_at is None:
        said += f" It {speaking.due_clause(todos[0], actor)}."
    return _last_word(actor, Answer("ok", said, change, todos=todos, reminders=[reminder]))


def _again(actor: Actor, reminder: Reminder, at: datetime) -> Answer:
    again, change = reminders.snooze(actor, reminder, at)
    when = speaking.on_when(speaking.reminder_when(again, actor))
    said = f"All right, I will remind you again {when}: {reminder.text}."
    return _last_word(actor, Answer("ok", said, change, reminders=[again, reminder]))


def _last_word(actor: Actor, answer: Answer) -> Answer:
    if actor.about_reminder is None:
        return answer
    return replace(answer, said=f"{answer.said} Goodbye!", ends_call=True)


def _meant(actor: Actor, which: str) -> Reminder | str:
    """The reminder, or why there is none."""
    rows = reminders.answerable(actor)
    if not rows:
        return NOTHING_TOLD
    if actor.about_reminder is not None or not which or read_name(which).kind in ("last", "them"):
        return rows[0]
    found = match(which, [Candidate(row.pk, row.text) for row in rows])
    named = [row for row in rows if row.pk in found.ids]
    if found.kind not in ("one", "several") or not named:
        return f"I have not reminded you of {which} in the last hour."
    return named[0]


def _later(actor: Actor, arguments: Arguments) -> datetime:
    if until := arguments.text("until"):
        # "For ten minutes", "half an hour": how long, and not when.
        long = f"in {until.removeprefix('for ')}"
        is_long = not is_date(until, actor.local_now) and is_date(long, actor.local_now)
        at = read_reminder(actor, long if is_long else until).at
        assert at is not None
        return at
    return actor.now + timedelta(minutes=_minutes(arguments))


def _minutes(arguments: Arguments) -> int:
    said = arguments.text("minutes") or str(DEFAULT_MINUTES)
    try:
        minutes = round(float(said))
    except (ValueError, OverflowError):
        raise Refused("In how many minutes shall I remind you again?") from None
    if not 1 <= minutes <= MOST_MINUTES:
        raise Refused("I can remind you again in one minute to a day, or at a time you say.")
    return minutes
