"""A person's list as plain values, to be compared before and after a call."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from todo.models import Priority, Reminder, Todo, TodoList


@dataclass(frozen=True, slots=True)
class Item:
    pk: int
    title: str
    list: str
    due: datetime | None
    notes: str
    priority: str
    tags: tuple[str, ...]
    assignee: str
    repeat: str
    done: bool


@dataclass(frozen=True, slots=True)
class Alarm:
    pk: int
    text: str
    due: datetime
    repeat: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Rows by primary key; times in the caller's zone; what is deleted or cancelled is absent."""

    items: dict[int, Item]
    alarms: dict[int, Alarm]
    lists: frozenset[str]

    def added(self, before: Snapshot) -> list[Item]:
        return [item for pk, item in self.items.items() if pk not in before.items]

    def new_alarms(self, before: Snapshot) -> list[Alarm]:
        return [alarm for pk, alarm in self.alarms.items() if pk not in before.alarms]

    def changed(self, before: Snapshot) -> list[Item]:
        return [i for pk, i in self.items.items() if pk in before.items and i != before.items[pk]]

    def gone(self, before: Snapshot) -> list[str]:
        return [item.title for pk, item in before.items.items() if pk not in self.items]

    def named(self, title: str) -> Item:
        return next(item for item in self.items.values() if item.title == title)


def take(user_id: int, zone: ZoneInfo) -> Snapshot:
    todos = Todo.objects.filter(owner_id=user_id, deleted_at=None).select_related("list")
    reminders = Reminder.objects.filter(owner_id=user_id, state=Reminder.State.WAITING)
    return Snapshot(
        items={todo.pk: _item(todo, zone) for todo in todos},
        alarms={r.pk: Alarm(r.pk, r.text, r.due_at.astimezone(zone), r.repeat) for r in reminders},
        lists=frozenset(TodoList.objects.filter(owner_id=user_id).values_list("name", flat=True)),
    )


def _item(todo: Todo, zone: ZoneInfo) -> Item:
    return Item(
        pk=todo.pk,
        title=todo.title,
        list=todo.list.name,
        due=todo.due_at.astimezone(zone) if todo.due_at else None,
        notes=todo.notes,
        priority=Priority(todo.priority).label,
        tags=tuple(todo.tags),
        assignee=todo.assignee,
        repeat=todo.repeat,
        done=todo.completed_at is not None,
    )
