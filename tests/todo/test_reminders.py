"""What happens to a reminder when its time has come."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection

from tests.todo.conftest import BERLIN, NOW, Caller
from todo import reminders
from todo.models import Preferences, Reminder


@pytest.mark.django_db
def test_only_what_is_due_fires_and_only_once(call: Caller) -> None:
    call.say("add_reminder", text="cake", when="in two hours")
    call.say("add_reminder", text="call anna", when="on friday")
    assert reminders.fire_due(NOW + timedelta(hours=1)) == []
    fired = reminders.fire_due(NOW + timedelta(hours=3))
    assert [one.text for one in fired] == ["cake"]
    assert reminders.fire_due(NOW + timedelta(hours=3)) == []


@pytest.mark.django_db
def test_a_missed_reminder_waits_until_it_is_told(call: Caller) -> None:
    call.say("add_reminder", text="cake", when="in two hours")
    later = NOW + timedelta(days=1)
    reminders.fire_due(later)
    (missed,) = reminders.missed(call.user)
    assert reminders.told(missed, later)
    assert not reminders.told(missed, later)
    assert reminders.missed(call.user) == []


@pytest.mark.django_db
def test_a_repeating_reminder_leaves_its_next_time(call: Caller) -> None:
    call.say("add_reminder", text="stretch", when="every monday at nine")
    monday = datetime(2026, 11, 30, 9, tzinfo=BERLIN)
    (fired,) = reminders.fire_due(monday + timedelta(seconds=2))
    assert fired.due_at == monday
    waiting = Reminder.objects.get(state=Reminder.State.WAITING)
    assert (waiting.due_at, waiting.text) == (monday + timedelta(days=7), "stretch")


@pytest.mark.django_db
def test_a_repeating_reminder_keeps_its_hour_when_the_clocks_change(call: Caller) -> None:
    call.say("add_reminder", text="stretch", when="every monday at nine")
    before = datetime(2027, 3, 22, 9, tzinfo=BERLIN)
    Reminder.objects.update(due_at=before)
    reminders.fire_due(before)
    after = Reminder.objects.get(state=Reminder.State.WAITING).due_at.astimezone(BERLIN)
    assert (after.month, after.day, after.hour) == (3, 29, 9)


@pytest.mark.django_db
def test_occurrences_missed_while_down_are_told_once(call: Caller) -> None:
    call.say("add_reminder", text="stretch", when="every day at nine")
    assert len(reminders.fire_due(NOW + timedelta(days=10))) == 1
    waiting = Reminder.objects.get(state=Reminder.State.WAITING)
    assert waiting.due_at > NOW + timedelta(days=10)


@pytest.mark.django_db
def test_a_day_means_the_persons_own_morning_hour(call: Caller) -> None:
    Preferences.objects.create(owner=call.user, morning_hour=7)
    assert "7 AM" in call.say("add_reminder", text="run", when="on friday")["said"]


@pytest.mark.django_db(transaction=True)
def test_of_two_schedulers_exactly_one_fires_each_reminder() -> None:
    owner = User.objects.create_user("anna")
    for number in range(20):
        Reminder.objects.create(owner=owner, text=f"number {number}", due_at=NOW)
    fired: list[str] = []
    together = threading.Barrier(2, timeout=10)

    def sweep() -> None:
        try:
            together.wait()
            fired.extend(one.text for one in reminders.fire_due(NOW))
        finally:
            connection.close()

    threads = [threading.Thread(target=sweep) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(fired) == sorted(f"number {number}" for number in range(20))
