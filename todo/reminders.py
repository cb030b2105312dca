"""Reminders: added, cancelled, and what happens to them when their time has come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from todo import changes, dates
from todo.actor import Actor, known_zone
from todo.errors import Refused
from todo.models import Change, Preferences, Reminder, Todo
from todo.repeating import following
from todo.todos import complete_within

if TYPE_CHECKING:
    from django.contrib.auth.models import User

TEXT_LENGTH = 200
MOST_WAITING = 500
# How long a reminder that was told can be answered by "done with that" or "snooze".
ANSWERABLE = timedelta(hours=1)
# One sweep of the scheduler; what is left over waits for the next, seconds later.
MOST_AT_ONCE = 200


def add_reminder(
    actor: Actor, text: str, due_at: datetime, *, repeat: str = "", todo: Todo | None = None
) -> tuple[Reminder, Change | None]:
    """`due_at` is aware and to come; raises Refused with a question otherwise."""
    text = " ".join(text.split())
    if not text:
        raise Refused("What shall I remind you of?")
    if len(text) > TEXT_LENGTH:
        raise Refused(f"A reminder can have {TEXT_LENGTH} characters at most.")
    _check_more(actor, due_at)
    if repeat:
        _know_zone(actor)
    with changes.recording(actor) as recording:
        reminder = Reminder(owner=actor.user, todo=todo, text=text, due_at=due_at, repeat=repeat)
        recording.create(reminder)
        when = dates.describe(actor.local(due_at), True, actor.local_now)
        return reminder, recording.finish(f"reminder: {text}, {when}")


def cancel(actor: Actor, reminders: Sequence[Reminder]) -> Change | None:
    with changes.recording(actor) as recording:
        for reminder in reminders:
            recording.edit(reminder, state=Reminder.State.CANCELLED)
        names = ", ".join(reminder.text for reminder in reminders[:3])
        more = f" and {len(reminders) - 3} more" if len(reminders) > 3 else ""
        return recording.finish(f"reminder cancelled: {names}{more}")


def answerable(actor: Actor) -> list[Reminder]:
    """What "done with that" and "snooze" can mean, the last one first."""
    own = Reminder.objects.filter(owner=actor.user).select_related("todo")
    if actor.about_reminder is not None:
        return list(own.filter(pk=actor.about_reminder))
    since = actor.now - ANSWERABLE
    told = own.filter(state=Reminder.State.TOLD, told_at__gt=since)
    fired = own.filter(state=Reminder.State.FIRED)
    return sorted([*told, *fired], key=_last_known, reverse=True)


def told_since(user: User, since: datetime) -> Reminder | None:
    """The last one this person was told, after `since`."""
    told = Reminder.objects.filter(owner=user, state=Reminder.State.TOLD, told_at__gt=since)
    return told.order_by("-told_at", "-pk").first()


def answer_done(actor: Actor, reminder: Reminder) -> Change | None:
    """What it reminded of is done, and with it the todo it is about; it does not come again."""
    with changes.recording(actor) as recording:
        _settle(recording, reminder)
        if (again := _again(reminder)) is not None:
            recording.edit(again, state=Reminder.State.CANCELLED)
        todo = reminder.todo
        if todo is not None and todo.completed_at is None and todo.deleted_at is None:
            complete_within(recording, todo)
        return recording.finish(f"done: {reminder.text}")


def snooze(actor: Actor, reminder: Reminder, at: datetime) -> tuple[Reminder, Change | None]:
    """Remind of it again: a new row, or the one of an earlier snooze moved. `at` is to come."""
    again = _again(reminder)
    _check_more(actor, at)
    with changes.recording(actor) as recording:
        _settle(recording, reminder)
        if again is not None:
            recording.edit(again, due_at=at)
        else:
            again = Reminder(owner=actor.user, todo=reminder.todo, text=reminder.text, due_at=at)
            recording.create(again)
        when = dates.describe(actor.local(at), True, actor.local_now)
        return again, recording.finish(f"reminder again: {reminder.text}, {when}")


def _last_known(reminder: Reminder) -> tuple[datetime, int]:
    return reminder.told_at or reminder.fired_at or reminder.due_at, reminder.pk


def _settle(recording: changes.Recording, reminder: Reminder) -> None:
    """Who answers it has been told."""
    if reminder.state == Reminder.State.FIRED:
        recording.edit(reminder, state=Reminder.State.TOLD, told_at=recording.actor.now)


def _again(reminder: Reminder) -> Reminder | None:
    """What waits since it was snoozed."""
    if reminder.fired_at is None:
        return None
    waiting = Reminder.objects.filter(
        owner_id=reminder.owner_id,
        state=Reminder.State.WAITING,
        text=reminder.text,
        todo=reminder.todo,
        repeat="",
        created_at__gt=reminder.fired_at,
    )
    return waiting.first()


def _check_more(actor: Actor, due_at: datetime) -> None:
    if due_at <= actor.now:
        raise Refused("That time has already passed. When shall I remind you?")
    waiting = Reminder.objects.filter(owner=actor.user, state=Reminder.State.WAITING)
    if waiting.count() >= MOST_WAITING:
        raise Refused(f"You have {MOST_WAITING} reminders waiting, which is the most there can be.")


Beside = Callable[[Sequence[Reminder]], object]


def fire_due(now: datetime, beside: Beside | None = None) -> list[Reminder]:
    """Mark every waiting reminder that is due as fired; of two callers exactly one gets each.

    A repeating one leaves its next time behind as a new waiting row. `now` is aware. What `beside`
    does with them is in the same transaction.
    """
    due = Reminder.objects.filter(state=Reminder.State.WAITING, due_at__lte=now)
    keys = list(due.order_by("due_at", "pk").values_list("pk", flat=True)[:MOST_AT_ONCE])
    if not keys:
        return []
    with transaction.atomic():
        fired = [reminder for pk in keys if (reminder := _fire(pk, now)) is not None]
        if beside is not None:
            beside(fired)
        return fired


def missed(user: User) -> list[Reminder]:
    """Fired, but nobody has been told yet; the oldest first."""
    fired = Reminder.objects.filter(owner=user, state=Reminder.State.FIRED)
    return list(fired.order_by("due_at", "pk"))


def told(reminder: Reminder, now: datetime) -> bool:
    """Note that the person has heard or seen it; False when that was known already."""
    waiting = Reminder.objects.filter(pk=reminder.pk, state=Reminder.State.FIRED)
    return waiting.update(state=Reminder.State.TOLD, told_at=now) == 1


def _fire(pk: int, now: datetime) -> Reminder | None:
    # The condition in the update makes exactly one of two callers win.
    waiting = Reminder.objects.filter(pk=pk, state=Reminder.State.WAITING)
    if not waiting.update(state=Reminder.State.FIRED, fired_at=now):
        return None
    reminder = Reminder.objects.select_related("owner", "todo").get(pk=pk)
    if reminder.repeat:
        _leave_next(reminder, now)
    return reminder


def _leave_next(reminder: Reminder, now: datetime) -> None:
    zone = _zone_of(reminder.owner)
    due = reminder.due_at.astimezone(zone)
    at = following(reminder.repeat, due, now.astimezone(zone))
    if at is None:
        return
    Reminder.objects.create(
        owner=reminder.owner,
        todo=reminder.todo,
        text=reminder.text,
        repeat=reminder.repeat,
        due_at=at,
    )


def _zone_of(user: User) -> ZoneInfo:
    preferences = Preferences.objects.filter(owner=user).first()
    return known_zone(preferences.time_zone if preferences else "") or ZoneInfo(settings.TIME_ZONE)


def _know_zone(actor: Actor) -> None:
    # A repeating reminder goes on in the zone it was asked for in, when no call is up to say it.
    preferences, _ = Preferences.objects.get_or_create(owner=actor.user)
    if not preferences.time_zone:
        preferences.time_zone = actor.time_zone.key
        preferences.save(update_fields=["time_zone"])
