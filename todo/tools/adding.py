"""add_todos: new todos from words."""

from __future__ import annotations

from typing import Any

from todo import dates, questions, speaking
from todo.actor import Actor
from todo.errors import Refused
from todo.lists import NAME_LENGTH, bare_name, check_name, find_list
from todo.models import Priority, Reminder, Todo
from todo.moments import Due, read_due, read_reminder, read_repeat
from todo.todos import NAME_LENGTH as ASSIGNEE_LENGTH
from todo.todos import NOTES_LENGTH, TITLE_LENGTH, Draft, add_todos, check_tags, check_title
from todo.tools.answers import Answer, Asked
from todo.tools.arguments import Arguments

MOST_ITEMS = 25
_AT_DUE = {"yes", "true", "at the time", "on time", "when due", "when it is due"}


def add(actor: Actor, arguments: Arguments) -> Answer:
    items = arguments.items("items", MOST_ITEMS)
    drafts = [_draft(actor, item) for item in items]
    missing = sorted({draft.new_list for draft in drafts if draft.new_list})
    if missing:
        return _ask_for_list(actor, missing[0], arguments)
    return _added(actor, drafts)


def resume(actor: Actor, ids: list[int], values: dict[str, Any]) -> Answer:
    """The person agreed to the new list."""
    items = Arguments(values).items("items", MOST_ITEMS)
    return _added(actor, [_draft(actor, item) for item in items])


def said_of(actor: Actor, todos: list[Todo], reminders: list[Reminder]) -> str:
    """ "Added buy milk for tomorrow at 5 PM." """
    if len(todos) > 1:
        return _said_of_many(actor, todos)
    todo = todos[0]
    words = f"Added {todo.title}"
    if todo.repeat:
        words += f", {dates.describe_repeat(todo.repeat)}"
        if todo.due_at is not None:
            words += f", first {speaking.on_when(speaking.due_text(todo, actor))}"
    elif todo.due_at is not None:
        words += f" {speaking.for_when(speaking.due_text(todo, actor))}"
    if not todo.list.is_default:
        words += f" to the {todo.list.name} list"
    if reminders:
        when = speaking.reminder_when(reminders[0], actor)
        words += f". I'll remind you {speaking.on_when(when)}"
    return speaking.sentence(words)


def _said_of_many(actor: Actor, todos: list[Todo]) -> str:
    same_list = len({todo.list_id for todo in todos}) == 1 and not todos[0].list.is_default
    words = f"Added {speaking.titles(todos)}"
    dues = {(todo.due_at, todo.due_has_time) for todo in todos}
    if len(dues) == 1 and todos[0].due_at is not None:
        words += f" {speaking.for_when(speaking.due_text(todos[0], actor))}"
    return speaking.sentence(words + (f" to the {todos[0].list.name} list" if same_list else ""))


def _added(actor: Actor, drafts: list[Draft]) -> Answer:
    todos, reminders, change = add_todos(actor, drafts)
    said = said_of(actor, todos, reminders)
    return Answer("ok", said, change, todos=todos, reminders=reminders)


def _ask_for_list(actor: Actor, name: str, arguments: Arguments) -> Answer:
    check_name(actor, name)
    said = f"There is no list called {name}. Shall I create it?"
    row = questions.ask(actor, "add_todos", "confirm", said, [], arguments.values)
    return Answer("ask", said, question=Asked(row, "confirm", []))


def _draft(actor: Actor, item: Arguments) -> Draft:
    due = _due(actor, item)
    wanted = item.text("list", NAME_LENGTH)
    known = find_list(actor.user, wanted) if wanted else None
    return Draft(
        title=check_title(item.text("title", TITLE_LENGTH)),
        due_at=due.at,
        due_has_time=due.has_time,
        repeat=due.repeat,
        notes=item.text("notes", NOTES_LENGTH),
        priority=item.priority() if item.text("priority") else Priority.NORMAL,
        tags=tuple(check_tags(item.texts("tags"))),
        assignee=item.text("assignee", ASSIGNEE_LENGTH),
        list=known,
        new_list=bare_name(wanted) if wanted and known is None else "",
        remind_at=_remind_at(actor, item, due),
    )


def _due(actor: Actor, item: Arguments) -> Due:
    words = item.text("due")
    due = read_due(actor, words) if words else Due(None)
    repeat = item.text("repeat")
    if not repeat:
        return due
    rule = read_repeat(actor, repeat)
    return Due(due.at, due.has_time, rule.repeat) if due.at is not None else rule


def _remind_at(actor: Actor, item: Arguments, due: Due) -> Any:
    words = item.text("remind")
    if not words or words.lower() in ("no", "false", "none"):
        return None
    if words.lower() not in _AT_DUE:
        return read_reminder(actor, words).at
    if due.at is None:
        raise Refused("When shall I remind you?")
    at = due.at if due.has_time else due.at.replace(hour=actor.morning_hour)
    if at <= actor.now:
        raise Refused("That time has already passed. When shall I remind you?")
    return at
