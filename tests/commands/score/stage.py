"""Puts what a command finds into the database, for a person of its own."""

from __future__ import annotations

from uuid import uuid4
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.db import transaction

from tests.commands.score.spoken import Given, Row, is_day, moment
from todo.lists import default_list
from todo.models import Priority, Reminder, Todo, TodoList

AS_THEY_ARE = ("title", "notes", "assignee", "tags", "repeat")


def person(name: str, given: Given, zone: ZoneInfo) -> User:
    """A new account whose first name is `name`, with those rows."""
    with transaction.atomic():
        user = nobody(name)
        lists = {"": default_list(user)}
        for listed in given.lists:
            lists[listed] = TodoList.objects.create(owner=user, name=listed)
        for row in given.todos:
            Todo.objects.create(owner=user, list=lists[row.get("list", "")], **_todo(row, zone))
        for row in given.reminders:
            due = moment(row["due"], zone)
            Reminder.objects.create(owner=user, text=row["text"], due_at=due)
    return user


def nobody(name: str) -> User:
    """A new account that keeps nothing."""
    user = User(username=f"{name.lower()}-{uuid4().hex[:12]}", first_name=name)
    user.set_unusable_password()
    user.save()
    return user


def _todo(row: Row, zone: ZoneInfo) -> Row:
    values: Row = {key: row[key] for key in AS_THEY_ARE if key in row}
    if "due" in row:
        values["due_at"] = moment(row["due"], zone)
        values["due_has_time"] = not is_day(row["due"])
    if "priority" in row:
        values["priority"] = Priority[row["priority"].upper()]
    if "done" in row:
        values["completed_at"] = moment(row["done"], zone)
    return values
