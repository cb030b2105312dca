"""Todos: added, changed, completed, reopened and deleted, each as one undoable change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from todo import changes, dates
from todo.actor import Actor
from todo.errors import Refused
from todo.lists import add_list, check_name, default_list, silence
from todo.models import Change, Priority, Reminder, Todo, TodoList
from todo.repeating import following
from todo.selecting import open_todos

TITLE_LENGTH = 200
NOTES_LENGTH = 4000
NAME_LENGTH = 80
MOST_TAGS = 20
TAG_LENGTH = 40
MOST_OPEN = 1000


@dataclass(frozen=True, slots=True)
class Draft:
    """A todo to be. `remind_at` adds a reminder for it; `list` None is the default list."""

    title: str
    due_at: datetime | None = None
    due_has_time: bool = True
    repeat: str = ""
    notes: str = ""
    priority: int = Priority.NORMAL
    tags: tuple[str, ...] = ()
    assignee: str = ""
    list: TodoList | None = None
    new_list: str = ""
    remind_at: datetime | None = None


def add_todos(
    actor: Actor, drafts: Sequence[Draft]
) -> tuple[list[Todo], list[Reminder], Change | None]:
    """Raises Refused when there would be more open todos than anyone can be read."""
    if len(open_todos(actor)) + len(drafts) > MOST_OPEN:
        raise Refused(f"You have {MOST_OPEN} open todos, which is the most there can be.")
    with changes.recording(actor) as recording:
        todos, reminders = [], []
        made: dict[str, TodoList] = {}
        for draft in drafts:
            todo = _new(recording, draft, made)
            todos.append(todo)
            if draft.remind_at is not None:
                reminder = Reminder(
                    owner=actor.user, todo=todo, text=todo.title, due_at=draft.remind_at
                )
                recording.create(reminder)
                reminders.append(reminder)
        change = recording.finish(f"added: {_names(todos, actor)}")
    return todos, reminders, change


def change_todo(actor: Actor, todo: Todo, values: dict[str, Any]) -> Change | None:
    """Set fields of one todo; None when all of them were so already."""
    if not values:
        return None
    with changes.recording(actor) as recording:
        title = todo.title
        recording.edit(todo, **values)
        return recording.finish(_change_summary(title, todo, values, actor))


def complete(actor: Actor, todos: Sequence[Todo]) -> Change | None:
    """Complete them; a repeating one moves on to its next time instead."""
    with changes.recording(actor) as recording:
        for todo in todos:
            complete_within(recording, todo)
        return recording.finish(f"done: {_titles(todos)}")


def complete_within(recording: changes.Recording, todo: Todo) -> None:
    """As one part of a larger change."""
    actor = recording.actor
    next_time = next_due(actor, todo)
    if next_time is not None:
        recording.edit(todo, due_at=next_time)
    elif todo.completed_at is None:
        recording.edit(todo, completed_at=actor.now)
        silence(recording, todo)


def reopen(actor: Actor, todos: Sequence[Todo]) -> Change | None:
    with changes.recording(actor) as recording:
        for todo in todos:
            recording.edit(todo, completed_at=None)
        return recording.finish(f"reopened: {_titles(todos)}")


def delete(actor: Actor, todos: Sequence[Todo]) -> Change | None:
    """Out of every list, but kept in the record so that undo brings them back."""
    with changes.recording(actor) as recording:
        for todo in todos:
            recording.edit(todo, deleted_at=actor.now)
            silence(recording, todo)
        return recording.finish(f"deleted: {_titles(todos)}")


def next_due(actor: Actor, todo: Todo) -> datetime | None:
    """The next time of a repeating todo, after now and after the time it is due."""
    if not todo.repeat:
        return None
    if todo.due_at is None:
        return dates.next_occurrence(todo.repeat, actor.local_now)
    at = following(todo.repeat, actor.local(todo.due_at), actor.local_now)
    return at if at is None or todo.due_has_time else day_only(at)


def day_only(moment: datetime) -> datetime:
    # Noon, so that the day stays the same day when its owner travels.
    return moment.replace(hour=12, minute=0, second=0, microsecond=0)


def check_title(title: str) -> str:
    title = " ".join(title.split())
    if not title:
        raise Refused("What is the todo called?")
    if len(title) > TITLE_LENGTH:
        raise Refused(
            f"That is too long for a title: it can have {TITLE_LENGTH} characters at most."
        )
    return title


def check_tags(tags: Sequence[str]) -> list[str]:
    cleaned = list(dict.fromkeys(tag.strip().lower().lstrip("#") for tag in tags))
    cleaned = [tag for tag in cleaned if tag]
    if len(cleaned) > MOST_TAGS or any(len(tag) > TAG_LENGTH for tag in cleaned):
        raise Refused(f"A todo can have {MOST_TAGS} tags of {TAG_LENGTH} characters each at most.")
    return cleaned


def _new(recording: changes.Recording, draft: Draft, made: dict[str, TodoList]) -> Todo:
    actor = recording.actor
    target = draft.list or made.get(draft.new_list.lower())
    if target is None and draft.new_list:
        check_name(actor, draft.new_list)
        target = made[draft.new_list.lower()] = add_list(recording, draft.new_list)
    todo = Todo(
        owner=actor.user,
        list=target or default_list(actor.user),
        title=check_title(draft.title),
        notes=draft.notes,
        due_at=draft.due_at,
        due_has_time=draft.due_has_time,
        priority=draft.priority,
        tags=check_tags(draft.tags),
        assignee=draft.assignee,
        repeat=draft.repeat,
    )
    recording.create(todo)
    return todo


def _titles(todos: Sequence[Todo]) -> str:
    names = ", ".join(todo.title for todo in todos[:3])
    return names if len(todos) <= 3 else f"{names} and {len(todos) - 3} more"


def _names(todos: Sequence[Todo], actor: Actor) -> str:
    if len(todos) != 1 or todos[0].due_at is None:
        return _titles(todos)
    return f"{todos[0].title}, {_day(todos[0], actor)}"


def _day(todo: Todo, actor: Actor) -> str:
    if todo.due_at is None:
        return "no date"
    return dates.describe(actor.local(todo.due_at), todo.due_has_time, actor.local_now)


def _change_summary(title: str, todo: Todo, values: dict[str, Any], actor: Actor) -> str:
    parts = []
    if "title" in values:
        parts.append(f"now “{todo.title}”")
    if "due_at" in values:
        parts.append(_day(todo, actor))
    if "priority" in values:
        parts.append(f"{Priority(todo.priority).label} priority")
    if "repeat" in values:
        parts.append(dates.describe_repeat(todo.repeat) if todo.repeat else "no repeat")
    parts += [name for name in ("notes", "tags", "assignee", "list") if name in values]
    return f"changed: {title}, {', '.join(parts)}"
