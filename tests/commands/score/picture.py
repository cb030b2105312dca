"""What a person keeps at a moment, and what changed between two of them."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User

from todo.models import Priority, Reminder, Todo, TodoList

Row = dict[str, Any]
# Of a todo; `done` and what is gone are told apart from changes.
FIELDS = ("title", "due", "list", "priority", "tags", "assignee", "repeat", "notes")


@dataclass(frozen=True)
class Picture:
    """Rows by primary key, without what was deleted or cancelled. Times are the person's."""

    todos: dict[int, Row]
    reminders: dict[int, Row]
    lists: dict[int, str]

    @classmethod
    def of(cls, user: User, zone: ZoneInfo) -> Picture:
        lists = TodoList.objects.filter(owner=user)
        names = {one.pk: "" if one.is_default else one.name for one in lists}
        todos = Todo.objects.filter(owner=user, deleted_at=None)
        waiting = Reminder.objects.filter(owner=user, state=Reminder.State.WAITING)
        return cls(
            {todo.pk: _todo(todo, names, zone) for todo in todos},
            {one.pk: _reminder(one, zone) for one in waiting},
            {pk: name for pk, name in names.items() if name},
        )


@dataclass(frozen=True)
class Changes:
    """By titles, texts and names. `changed`: the old row, the new row and the fields."""

    new: list[Row] = field(default_factory=list)
    gone: list[Row] = field(default_factory=list)
    done: list[Row] = field(default_factory=list)
    reopened: list[Row] = field(default_factory=list)
    changed: list[tuple[Row, Row, list[str]]] = field(default_factory=list)
    reminders: list[Row] = field(default_factory=list)
    reminders_gone: list[Row] = field(default_factory=list)
    lists: list[str] = field(default_factory=list)
    lists_gone: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return any(getattr(self, one.name) for one in fields(self))

    def rows(self) -> list[Row]:
        """Every todo and reminder concerned, as it was and as it is."""
        rows = [*self.new, *self.gone, *self.done, *self.reopened]
        rows += [row for old, new, _ in self.changed for row in (old, new)]
        return [*rows, *self.reminders, *self.reminders_gone]


def between(before: Picture, after: Picture) -> Changes:
    both = [(row, after.todos[pk]) for pk, row in before.todos.items() if pk in after.todos]
    edited = [(old, new, [key for key in FIELDS if old[key] != new[key]]) for old, new in both]
    told = {pk: row for pk, row in after.reminders.items() if before.reminders.get(pk) != row}
    untold = {pk: row for pk, row in before.reminders.items() if after.reminders.get(pk) != row}
    return Changes(
        new=[row for pk, row in after.todos.items() if pk not in before.todos],
        gone=[row for pk, row in before.todos.items() if pk not in after.todos],
        done=[new for old, new in both if new["done"] and not old["done"]],
        reopened=[new for old, new in both if old["done"] and not new["done"]],
        changed=[one for one in edited if one[2]],
        reminders=list(told.values()),
        reminders_gone=list(untold.values()),
        lists=[name for pk, name in after.lists.items() if before.lists.get(pk) != name],
        lists_gone=[name for pk, name in before.lists.items() if after.lists.get(pk) != name],
    )


def _todo(todo: Todo, names: dict[int, str], zone: ZoneInfo) -> Row:
    due = todo.due_at.astimezone(zone) if todo.due_at else None
    if due is None:
        text = "none"
    else:
        text = f"{due:%Y-%m-%dT%H:%M}" if todo.due_has_time else f"{due:%Y-%m-%d}"
    return {
        "title": todo.title,
        "due": text,
        "list": names.get(todo.list_id, ""),
        "priority": Priority(todo.priority).label,
        "tags": sorted(tag.lower() for tag in todo.tags),
        "assignee": todo.assignee,
        "repeat": todo.repeat,
        "notes": todo.notes,
        "done": todo.completed_at is not None,
    }


def _reminder(one: Reminder, zone: ZoneInfo) -> Row:
    due = one.due_at.astimezone(zone)
    return {"text": one.text, "due": f"{due:%Y-%m-%dT%H:%M}", "repeat": one.repeat}
