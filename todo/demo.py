"""The list that the forty recorded commands are spoken against, made afresh for one person."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from django.db import transaction

from todo.lists import default_list
from todo.models import Change, Mention, Priority, Question, Reminder, Todo, TodoList, ToolRequest

if TYPE_CHECKING:
    from django.contrib.auth.models import User

FRIDAY, SATURDAY = 4, 5


def reset(user: User, now: datetime, *, groceries: bool = False) -> list[Todo]:
    """Replace everything the person keeps; `now` is aware, in their zone.

    Returns the ten open todos in their order. `groceries` adds the empty list that one of the
    commands needs.
    """
    with transaction.atomic():
        _clear(user)
        inbox = default_list(user)
        if groceries:
            TodoList.objects.create(owner=user, name="groceries")
        todos = [Todo.objects.create(owner=user, list=inbox, **one) for one in _todos(now)]
        finished = _at(now, -1, time(15))
        Todo.objects.create(owner=user, list=inbox, title="tax return", completed_at=finished)
    return todos


def _todos(now: datetime) -> list[dict[str, object]]:
    friday, saturday = _days_to(now, FRIDAY), _days_to(now, SATURDAY)
    # A day without an hour is kept as its noon.
    return [
        {"title": "call the plumber", "due_at": _at(now, 0, time(16)), "priority": Priority.NORMAL},
        {"title": "dentist appointment", "due_at": _at(now, 0, time(9))},
        {"title": "buy paint"},
        {
            "title": "write the annual budget",
            "due_at": _at(now, friday, time(12)),
            "due_has_time": False,
        },
        {"title": "grocery shopping", "due_at": _at(now, saturday, time(11))},
        {"title": "meeting with David", "due_at": _at(now, 1, time(10))},
        {"title": "finish the board report", "due_at": _at(now, -1, time(17))},
        {"title": "paint the fence", "tags": ["house"]},
        {"title": "appointment at the bank", "due_at": _next_14_may(now)},
        {"title": "prepare the presentation", "assignee": "Anna"},
    ]


def _clear(user: User) -> None:
    Reminder.objects.filter(owner=user).delete()
    Todo.objects.filter(owner=user).delete()
    TodoList.objects.filter(owner=user).delete()
    for record in (Change, Question, ToolRequest, Mention):
        record._default_manager.filter(owner=user).delete()


def _at(now: datetime, days: int, clock: time) -> datetime:
    return datetime.combine(now.date() + timedelta(days=days), clock, now.tzinfo)


def _days_to(now: datetime, weekday: int) -> int:
    """Days until that weekday, from 1 to 7: never today."""
    return (weekday - now.weekday() - 1) % 7 + 1


def _next_14_may(now: datetime) -> datetime:
    noon = datetime(now.year, 5, 14, 12, tzinfo=now.tzinfo)
    return noon if noon > now else noon.replace(year=now.year + 1)
