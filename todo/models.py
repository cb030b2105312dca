"""What a person keeps: lists of todos, reminders, and the record that lets a change be undone.

Only the services beside this module write these tables: `todos`, `lists`, `reminders`, `changes`,
`questions`, `mentions` and the tools' own record in `todo.tools`.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower


def no_tags() -> list[str]:
    return []


class Preferences(models.Model):
    """A person's time zone and the hour meant when only a day was said."""

    owner = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="preferences"
    )
    time_zone = models.CharField(max_length=64, blank=True)
    morning_hour = models.PositiveSmallIntegerField(default=9)

    class Meta:
        verbose_name_plural = "preferences"

    def __str__(self) -> str:
        return f"preferences of {self.owner}"


class TodoList(models.Model):
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="todo_lists"
    )
    name = models.CharField(max_length=80)
    is_default = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "list"
        ordering = ["-is_default", "pk"]
        constraints = [
            models.UniqueConstraint("owner", Lower("name"), name="list_name_once_per_owner"),
            models.UniqueConstraint(
                fields=["owner"],
                condition=models.Q(is_default=True),
                name="one_default_list_per_owner",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Priority(models.IntegerChoices):
    LOW = 1, "low"
    NORMAL = 2, "normal"
    HIGH = 3, "high"
    URGENT = 4, "urgent"


class Todo(models.Model):
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="todos"
    )
    list = models.ForeignKey(TodoList, on_delete=models.CASCADE, related_name="todos")
    title = models.CharField(max_length=200)
    notes = models.TextField(blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    due_has_time = models.BooleanField(
        default=True, help_text="Off: due on that day (in the owner's zone), at no certain hour."
    )
    priority = models.PositiveSmallIntegerField(choices=Priority, default=Priority.NORMAL)
    tags = models.JSONField(default=no_tags, blank=True)
    assignee = models.CharField(max_length=80, blank=True)
    repeat = models.CharField(max_length=200, blank=True, help_text="An RFC 5545 RRULE, or empty.")
    completed_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-list__is_default", "list_id", "pk"]
        indexes = [
            models.Index(fields=["owner", "deleted_at", "completed_at"], name="todo_open_of_owner"),
            models.Index(fields=["owner", "due_at"], name="todo_due_of_owner"),
        ]

    def __str__(self) -> str:
        return self.title


class Reminder(models.Model):
    class State(models.TextChoices):
        WAITING = "waiting", "waiting"
        FIRED = "fired", "due, not yet told"
        TOLD = "told", "told"
        CANCELLED = "cancelled", "cancelled"

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="reminders"
    )
    todo = models.ForeignKey(
        Todo, on_delete=models.CASCADE, null=True, blank=True, related_name="reminders"
    )
    text = models.CharField(max_length=200)
    due_at = models.DateTimeField()
    repeat = models.CharField(max_length=200, blank=True, help_text="An RFC 5545 RRULE, or empty.")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    fired_at = models.DateTimeField(null=True, blank=True)
    told_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["due_at", "pk"]
        indexes = [models.Index(fields=["state", "due_at"], name="reminder_waiting_until")]

    def __str__(self) -> str:
        return self.text


class Change(models.Model):
    """One undoable change: each row it touched, as it was before and after."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="changes"
    )
    call_id = models.UUIDField(null=True, blank=True, db_index=True)
    turn_id = models.UUIDField(null=True, blank=True)
    summary = models.CharField(max_length=300)
    rows = models.JSONField(
        help_text="List of {model, pk, before, after}; before null = created by this change."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.summary


class ToolRequest(models.Model):
    """The stored answer to one tool call: a repeat under the same key changes nothing."""

    key = models.CharField(max_length=120, primary_key=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    tool = models.CharField(max_length=60)
    arguments_hash = models.CharField(max_length=64, blank=True)
    result = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    def __str__(self) -> str:
        return self.key


class Question(models.Model):
    """Something a tool asked before acting; only a later turn of the same call may confirm it.

    That rule, kept here and not in a prompt, is what makes a bulk delete need the caller's word.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    call_id = models.UUIDField(null=True, blank=True, db_index=True)
    turn_id = models.UUIDField(null=True, blank=True)
    tool = models.CharField(max_length=60)
    arguments = models.JSONField(help_text="The row ids and values that a yes will act on.")
    question = models.CharField(max_length=300)
    created_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.question


class Mention(models.Model):
    """What was last spoken of in a call: what "it" and "that one" mean there."""

    call_id = models.UUIDField(primary_key=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    todos = models.JSONField(default=list)
    reminders = models.JSONField(default=list)
    spoken_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"mention in {self.call_id}"
