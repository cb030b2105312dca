"""The record of every change, and undo from it.

Services open `recording(actor)`, create and edit rows through it and `finish` it with a summary:
rows, record and signal are one transaction. Undo puts back exactly the fields a change changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.db import models, transaction
from django.utils.dateparse import parse_datetime

from todo.actor import Actor
from todo.errors import Refused
from todo.models import Change, Reminder, Todo, TodoList
from todo.signals import changed

if TYPE_CHECKING:
    from django.contrib.auth.models import User

Row = dict[str, Any]
_MODELS: dict[str, type[Todo] | type[Reminder] | type[TodoList]] = {
    "todo": Todo,
    "reminder": Reminder,
    "list": TodoList,
}
_NAMES = {model: name for name, model in _MODELS.items()}
_UNTRACKED = {"id", "updated_at"}


class Recording:
    """Collects the rows one change touches, each as it was before and is after."""

    def __init__(self, actor: Actor) -> None:
        self.actor = actor
        self._rows: dict[tuple[str, int], Row] = {}

    def create(self, row: Todo | Reminder | TodoList) -> None:
        row.save(force_insert=True)
        self._note(row, None, snapshot(row))

    def edit(self, row: Todo | Reminder | TodoList, **values: Any) -> None:
        before = snapshot(row)
        for field, value in values.items():
            setattr(row, field, value)
        after = snapshot(row)
        if after != before:
            row.save()
            self._note(row, before, after)

    def remove(self, row: TodoList) -> None:
        """Delete a list for good; its todos must have been moved away."""
        self._note(row, snapshot(row), None)
        row.delete()

    def finish(self, summary: str) -> Change | None:
        """Write the record; None when nothing was changed after all."""
        if not self._rows:
            return None
        change = Change.objects.create(
            owner=self.actor.user,
            call_id=self.actor.call_id,
            turn_id=self.actor.turn_id,
            summary=summary[:300],
            rows=list(self._rows.values()),
        )
        announce(self.actor.user, change)
        return change

    def _note(self, row: Todo | Reminder | TodoList, before: Row | None, after: Row | None) -> None:
        name = _NAMES[type(row)]
        known = self._rows.get((name, row.pk))
        self._rows[name, row.pk] = {
            "model": name,
            "pk": row.pk,
            "before": known["before"] if known else before,
            "after": after,
        }


@contextmanager
def recording(actor: Actor) -> Iterator[Recording]:
    with exclusive(actor.user):
        yield Recording(actor)


@contextmanager
def exclusive(user: User) -> Iterator[None]:
    """A transaction in which no other change of this person's rows can happen in between."""
    with transaction.atomic():
        get_user_model().objects.select_for_update().only("pk").get(pk=user.pk)
        yield


def announce(user: User, change: Change, *, summary: str = "", undone: bool = False) -> None:
    """Tell the listeners once the change is safe in the database."""
    rows: list[Row] = change.rows
    send = partial(
        changed.send_robust,
        sender=Change,
        owner_id=user.pk,
        summary=summary or change.summary,
        change_id=None if undone else change.pk,
        todo_ids=[row["pk"] for row in rows if row["model"] == "todo"],
        reminder_ids=[row["pk"] for row in rows if row["model"] == "reminder"],
    )
    transaction.on_commit(send)


def last_undoable(actor: Actor) -> Change | None:
    """This call's last change that is not undone; outside a call the person's last one."""
    changes = Change.objects.filter(owner=actor.user, undone_at=None)
    if actor.call_id is not None:
        changes = changes.filter(call_id=actor.call_id)
    return changes.order_by("-pk").first()


def undo(actor: Actor, change: Change) -> Change:
    """Put back what the change changed; refused when something newer stands on it."""
    with exclusive(actor.user):
        change = Change.objects.get(pk=change.pk, owner=actor.user)
        if change.undone_at is not None:
            raise Refused("That has already been undone.", status=409)
        for row in sorted(change.rows, key=_lists_first):
            _put_back(actor, row)
        change.undone_at = actor.now
        change.save(update_fields=["undone_at"])
        announce(actor.user, change, summary=f"undone: {change.summary}"[:300], undone=True)
    return change


def snapshot(row: models.Model) -> Row:
    """The row's own fields as JSON values."""
    values: Row = {}
    for field in row._meta.concrete_fields:
        if field.name in _UNTRACKED:
            continue
        value = field.value_from_object(row)
        if isinstance(value, datetime):
            # One zone, so that the same moment is the same text after a reload.
            value = value.astimezone(UTC).isoformat()
        values[field.attname] = value
    return values


def _lists_first(row: Row) -> int:
    # A list comes back before its todos; a list that goes away goes after them.
    if row["model"] != "list":
        return 1
    return 2 if row["before"] is None else 0


def _put_back(actor: Actor, row: Row) -> None:
    model = _MODELS[row["model"]]
    if row["before"] is None:
        _take_away(actor, model, row["pk"])
    elif row["after"] is None:
        model.objects.create(pk=row["pk"], **_values(model, row["before"]))
        # created_at is set by the field itself on insert, so it is put back by an update.
        model.objects.filter(pk=row["pk"]).update(**_values(model, row["before"]))
    else:
        _restore(actor, model, row)


def _restore(actor: Actor, model: type[models.Model], row: Row) -> None:
    current = model._default_manager.filter(pk=row["pk"], owner=actor.user).first()
    before, after = row["before"], row["after"]
    touched = {name for name in after if before.get(name) != after[name]}
    if current is None or any(snapshot(current)[name] != after[name] for name in touched):
        raise Refused("That has been changed again since, so I left it as it is.", status=409)
    values = _values(model, {name: before[name] for name in touched})
    model._default_manager.filter(pk=row["pk"]).update(**values)


def _take_away(actor: Actor, model: type[models.Model], pk: int) -> None:
    """Undo a creation: todos and reminders stay in the record, a list goes when it is empty."""
    if model is Todo:
        Todo.objects.filter(pk=pk, owner=actor.user).update(deleted_at=actor.now)
    elif model is Reminder:
        waiting = Reminder.objects.filter(pk=pk, owner=actor.user, state=Reminder.State.WAITING)
        if not waiting.update(state=Reminder.State.CANCELLED):
            raise Refused("That reminder is no longer waiting, so I left it.", status=409)
    else:
        _take_list_away(actor, pk)


def _take_list_away(actor: Actor, pk: int) -> None:
    made = TodoList.objects.filter(pk=pk, owner=actor.user, is_default=False).first()
    if made is None:
        raise Refused("That list is no longer there.", status=409)
    if made.todos.filter(deleted_at=None).exists():
        raise Refused("There are todos on that list now, so I kept it.", status=409)
    default = TodoList.objects.get(owner=actor.user, is_default=True)
    made.todos.update(list=default)
    made.delete()


def _values(model: type[models.Model], row: Row) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in row.items():
        field = model._meta.get_field(name.removesuffix("_id"))
        is_moment = isinstance(field, models.DateTimeField) and isinstance(value, str)
        values[name] = parse_datetime(value) if is_moment else value
    return values
