"""Todos, lists and reminders as the JSON that tools and pages get."""

from __future__ import annotations

from typing import Any

from todo import dates
from todo.actor import Actor
from todo.models import Priority, Reminder, Todo, TodoList
from todo.selecting import is_overdue
from todo.speaking import due_text


def todo_shape(todo: Todo, actor: Actor, number: int | None) -> dict[str, Any]:
    """All a page shows; `number` is its place among the open ones, None for a finished one."""
    return {
        "id": todo.pk,
        "number": number,
        "list": todo.list.name,
        "title": todo.title,
        "notes": todo.notes,
        "due": actor.local(todo.due_at).isoformat() if todo.due_at else None,
        "due_has_time": todo.due_has_time,
        "due_text": due_text(todo, actor),
        "overdue": is_overdue(todo, actor),
        "priority": Priority(todo.priority).label,
        "tags": todo.tags,
        "assignee": todo.assignee,
        "repeat_text": dates.describe_repeat(todo.repeat) if todo.repeat else "",
        "done": todo.completed_at is not None,
    }


def short_todo(todo: Todo, actor: Actor, number: int | None) -> dict[str, Any]:
    """For a language model: what is empty or usual is left out."""
    full = todo_shape(todo, actor, number)
    always = ("id", "number", "title", "list", "due_text", "done")
    unusual = {
        name: value
        for name, value in full.items()
        if name not in (*always, "due", "due_has_time") and value and value != "normal"
    }
    return {name: full[name] for name in always} | unusual


def reminder_shape(reminder: Reminder, actor: Actor) -> dict[str, Any]:
    due = actor.local(reminder.due_at)
    return {
        "id": reminder.pk,
        "text": reminder.text,
        "due": due.isoformat(),
        "due_text": dates.describe(due, True, actor.local_now),
        "repeat_text": dates.describe_repeat(reminder.repeat) if reminder.repeat else "",
    }


def list_shape(one: TodoList) -> dict[str, Any]:
    return {"id": one.pk, "name": one.name, "default": one.is_default}
