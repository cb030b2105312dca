"""The sentences a caller may be told, made from rows as they are now.

Short and spoken: numbers and days as people say them, at most three items before "and six more".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from todo import dates
from todo.actor import Actor
from todo.models import Reminder, Todo
from todo.naming import WEEKDAY_NAMES

MOST_ITEMS = 3
# What is due is what people plan by, so more of it is said than of the whole list.
MOST_DUE = 6
_WORDS_TEXT = (
    "no one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen twenty"
)
_WORDS = _WORDS_TEXT.split()


def number(count: int) -> str:
    """ "two" for 2, digits above twenty, "no" for 0."""
    return _WORDS[count] if 0 <= count < len(_WORDS) else str(count)


def counted(count: int, thing: str) -> str:
    return f"{number(count)} {thing}{'' if count == 1 else 's'}"


def sentence(text: str) -> str:
    text = text.strip()
    if not text:
        return ""
    return text[0].upper() + text[1:] + ("" if text[-1] in ".?!…" else ".")


def joined(items: Sequence[str], last: str = "and") -> str:
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"


def some(items: Sequence[str], most: int = MOST_ITEMS) -> str:
    """All of up to `most`, else so many "and six more"."""
    if len(items) <= most:
        return joined(items)
    return f"{', '.join(items[:most])}, and {number(len(items) - most)} more"


def due_text(todo: Todo, actor: Actor) -> str:
    """ "tomorrow at 5 PM", or nothing without a due date."""
    if todo.due_at is None:
        return ""
    return dates.describe(actor.local(todo.due_at), todo.due_has_time, actor.local_now)


def clock_text(moment: datetime) -> str:
    """ "5 PM", "10:15 AM" of a moment in the person's zone."""
    return dates.describe(moment, True, moment).removeprefix("today").strip().removeprefix("at ")


def with_due(todo: Todo, actor: Actor, *, day_known: bool = False) -> str:
    """The title with when it is due; only the hour when the day is clear from the sentence."""
    if todo.due_at is None:
        return todo.title
    if not day_known:
        return f"{todo.title}, {due_text(todo, actor)}"
    if not todo.due_has_time:
        return todo.title
    return f"{todo.title} at {clock_text(actor.local(todo.due_at))}"


def for_when(text: str) -> str:
    """ "for tomorrow at 5 PM"; "in two hours" needs no "for"."""
    return text if text.startswith(("in ", "at ")) else f"for {text}"


def on_when(text: str) -> str:
    """ "on Friday at 9 AM", "on 3 March", but "tomorrow at 5 PM"."""
    first = text.split(" ")[0].lower()
    plain = ("today", "tomorrow", "yesterday", "in", "at", "next", "this", "last", "tonight", "now")
    return text if first in plain else f"on {text}"


def due_clause(todo: Todo, actor: Actor) -> str:
    """ "is due tomorrow at 5 PM"."""
    text = due_text(todo, actor)
    clause = f"is due {on_when(text)}" if text else "has no due date"
    if todo.repeat:
        clause += f", {dates.describe_repeat(todo.repeat)}"
    return clause


def reminder_when(reminder: Reminder, actor: Actor) -> str:
    return dates.describe(actor.local(reminder.due_at), True, actor.local_now)


def reminder_item(reminder: Reminder, actor: Actor) -> str:
    repeat = f", {dates.describe_repeat(reminder.repeat)}" if reminder.repeat else ""
    return f"{reminder.text}, {on_when(reminder_when(reminder, actor))}{repeat}"


def when_label(when: str) -> str:
    """The day as it goes into "due ...": "today", "on Saturday", "this week"."""
    text = re.sub(r"\s+", " ", when.strip(" .,!?").lower())
    text = re.sub(r"^(?:due|for|from) ", "", text)
    bare = text.removeprefix("on ")
    if bare in WEEKDAY_NAMES:
        return f"on {bare.capitalize()}"
    capitals = "|".join(WEEKDAY_NAMES)
    return re.sub(rf"\b({capitals})\b", lambda found: found.group().capitalize(), text)


def titles(todos: Sequence[Todo]) -> str:
    return some([todo.title for todo in todos])


def which_question(items: Sequence[str], lead: str = "Which one do you mean") -> str:
    if len(items) > MOST_ITEMS:
        return f"{lead}? I have {some(items)}."
    return f"{lead}: {joined(items, 'or')}?"


def did_you_mean(items: Sequence[str]) -> str:
    return f"Did you mean {joined(list(items[:MOST_ITEMS]), 'or')}?"
