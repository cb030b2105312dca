"""find_todos: what is on the list, how many, and the one thing asked about a todo."""

from __future__ import annotations

import re

from todo import dates, speaking
from todo.actor import Actor
from todo.errors import Refused
from todo.lists import NAME_LENGTH, find_list
from todo.models import Priority, Todo
from todo.naming import read_name
from todo.selecting import about, done_todos, due_in, is_overdue, open_todos, select_todos
from todo.tools.answers import Answer, nothing
from todo.tools.arguments import Arguments

_DONE = re.compile(r"^(?:done|finished|completed|i finished|i completed)\b\s*")
_ANY_DAY = {"", "all", "any", "anytime", "everything", "ever", "always", "open", "now"}
_NO_DATE = {"none", "no date", "without a date", "someday", "undated", "no due date"}


def find(actor: Actor, arguments: Arguments) -> Answer:
    if arguments.text("about"):
        return _one_thing(actor, arguments)
    when = arguments.text("when").lower()
    finished = arguments.flag("done") or bool(_DONE.match(when))
    when = _DONE.sub("", when)
    rows = done_todos(actor) if finished else open_todos(actor)
    rows, where = _filtered(actor, rows, arguments)
    rows, label = _on_day(actor, rows, when, finished)
    said = _said(actor, rows, label, where, finished=finished, only=arguments.flag("count_only"))
    return Answer("ok", said, todos=rows) if rows else nothing(said)


def _filtered(actor: Actor, rows: list[Todo], arguments: Arguments) -> tuple[list[Todo], str]:
    """The rows that fit, and how a sentence says so ("about the house")."""
    labels = []
    words = arguments.text("words")
    if words:
        rows = _by_words(actor, rows, words)
        labels.append(f"about {re.sub('^(?:about|for) ', '', words.strip(' .,!?'))}")
    tag = arguments.text("tag").lower().lstrip("#")
    if tag:
        rows = [row for row in rows if tag in row.tags]
        labels.append(f"tagged {tag}")
    who = arguments.text("assignee")
    if who:
        rows = [row for row in rows if row.assignee.lower() == who.lower()]
        labels.append(f"assigned to {who}")
    name = arguments.text("list", NAME_LENGTH)
    if name:
        one = find_list(actor.user, name)
        if one is None:
            raise Refused(f"There is no list called {name}.")
        rows = [row for row in rows if row.list_id == one.pk]
        labels.append("on your list" if one.is_default else f"on the {one.name} list")
    return rows, " ".join(labels)


def _by_words(actor: Actor, rows: list[Todo], words: str) -> list[Todo]:
    if read_name(words).kind in ("words", "all"):
        return about(rows, words)
    known = {todo.pk for todo in select_todos(actor, words).todos}
    return [row for row in rows if row.pk in known]


def _on_day(actor: Actor, rows: list[Todo], when: str, finished: bool) -> tuple[list[Todo], str]:
    if when in _ANY_DAY:
        return rows, ""
    if when in ("overdue", "late", "past due"):
        return _by_due([row for row in rows if is_overdue(row, actor)]), "overdue"
    if when in _NO_DATE:
        return [row for row in rows if row.due_at is None], "without a date"
    fits = due_in(actor, when)
    if fits is None:
        raise Refused(f"I did not understand “{when[:60]}” as a day. Which day do you mean?")
    if finished:
        rows = [row for row in rows if row.completed_at and fits(row.completed_at, False)]
    else:
        rows = [row for row in rows if row.due_at and fits(row.due_at, row.due_has_time)]
    return _by_due(rows), speaking.when_label(when)


def _by_due(rows: list[Todo]) -> list[Todo]:
    """By the hour; what has no hour comes last on its day."""
    return sorted(rows, key=lambda row: (row.due_at is None, row.due_at, not row.due_has_time))


def _said(
    actor: Actor, rows: list[Todo], when: str, where: str, *, finished: bool, only: bool
) -> str:
    ending = f" {where}" if where else ""
    count = speaking.number(len(rows))
    if finished:
        day = f" {when}" if when else ""
        lead = f"you finished {speaking.counted(len(rows), 'thing')}{ending}{day}"
    elif when == "overdue":
        lead = f"{count} {'thing' if len(rows) == 1 else 'things'}{ending}"
        lead += " is overdue" if len(rows) == 1 else " are overdue"
    elif when == "without a date":
        lead = f"{speaking.counted(len(rows), 'open todo')}{ending} without a date"
    elif when:
        lead = f"{speaking.counted(len(rows), 'thing')} due {when}{ending}"
    else:
        lead = f"you have {speaking.counted(len(rows), 'open todo')}{ending}"
    if not rows:
        return _said_nothing(when, ending, finished)
    if only:
        return speaking.sentence(lead)
    items = _items(actor, rows, when, finished)
    separator = "; " if any("," in item for item in items) else ", "
    most = speaking.MOST_DUE if when and not finished else speaking.MOST_ITEMS
    return speaking.sentence(f"{lead}: {_listed(items, separator, most)}")


def _said_nothing(when: str, ending: str, finished: bool) -> str:
    if finished:
        return speaking.sentence(f"you finished nothing{ending}{f' {when}' if when else ''}")
    if when == "overdue":
        return speaking.sentence(f"nothing{ending} is overdue")
    if when == "without a date":
        return speaking.sentence(f"every open todo{ending} has a date")
    if when:
        return speaking.sentence(f"nothing{ending} is due {when}")
    if ending.startswith(" about"):
        return speaking.sentence(f"I found no open todo{ending}")
    return speaking.sentence(f"you have no open todos{ending}")


def _items(actor: Actor, rows: list[Todo], when: str, finished: bool) -> list[str]:
    if finished:
        return [row.title for row in rows]
    if when == "overdue":
        return [f"{row.title}, since {speaking.due_text(row, actor)}" for row in rows]
    days = {actor.local(row.due_at).date() for row in rows if row.due_at is not None}
    one_day = bool(when) and len(days) == 1 and not re.search(r"week|month|year", when)
    return [speaking.with_due(row, actor, day_known=one_day) for row in rows]


def _listed(items: list[str], separator: str, most: int) -> str:
    if separator == ", ":
        return speaking.some(items, most)
    shown = items[:most]
    left = len(items) - len(shown)
    if left:
        return f"{separator.join(shown)}; and {speaking.number(left)} more"
    return separator.join(shown[:-1]) + f"{separator}and {shown[-1]}" if shown[1:] else shown[0]


def _one_thing(actor: Actor, arguments: Arguments) -> Answer:
    """ "Prepare the presentation is assigned to Anna." """
    words = arguments.needed("words", "Which todo do you mean?")
    found = select_todos(actor, words, "done" if arguments.flag("done") else "open")
    if found.kind == "none":
        return nothing(found.why)
    rows = found.todos[: speaking.MOST_ITEMS]
    said = " ".join(
        speaking.sentence(_thing(row, actor, arguments.text("about").lower())) for row in rows
    )
    return Answer("ok", said, todos=rows)


def _thing(todo: Todo, actor: Actor, thing: str) -> str:
    if thing in ("assignee", "who", "responsible", "owner"):
        return (
            f"{todo.title} is assigned to {todo.assignee}"
            if todo.assignee
            else f"nobody is assigned to {todo.title}"
        )
    if thing in ("notes", "note"):
        return f"{todo.title}: {todo.notes}" if todo.notes else f"{todo.title} has no notes"
    if thing == "priority":
        return f"{todo.title} has {Priority(todo.priority).label} priority"
    if thing in ("tags", "tag"):
        tags = speaking.joined(todo.tags)
        return f"{todo.title} is tagged {tags}" if tags else f"{todo.title} has no tags"
    if thing == "list":
        return f"{todo.title} is on the {todo.list.name} list"
    if thing == "repeat":
        repeat = dates.describe_repeat(todo.repeat) if todo.repeat else ""
        return f"{todo.title} repeats {repeat}" if repeat else f"{todo.title} does not repeat"
    return f"{todo.title} {speaking.due_clause(todo, actor)}"
