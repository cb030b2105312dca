"""What a person says to a reminder: done with it, or once more later."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.todo.conftest import NOW, Answer, Caller
from todo import reminders
from todo.models import Reminder, Todo
from todo.tools import run_tool

State = Reminder.State


def told(call: Caller, text: str = "call anna", *, todo: Todo | None = None) -> Reminder:
    """One that fired and was told at this moment of the call."""
    reminder = Reminder.objects.create(owner=call.user, text=text, todo=todo, due_at=call.now)
    reminders.fire_due(call.now)
    reminders.told(reminder, call.now)
    reminder.refresh_from_db()
    return reminder


def waiting(call: Caller) -> list[tuple[str, timedelta]]:
    rows = Reminder.objects.filter(owner=call.user, state=State.WAITING)
    return [(row.text, row.due_at - NOW) for row in rows]


def about(call: Caller, reminder: Reminder, **values: object) -> Answer:
    """Said by whoever picked up when this reminder rang."""
    actor = replace(call.actor(uuid4()), about_reminder=reminder.pk)
    return run_tool(actor, "answer_reminder", dict(values))


@pytest.fixture
def own(call: Caller, monkeypatch: pytest.MonkeyPatch) -> Caller:
    """Anna's call, with no reminders yet; rows are made at its moment too."""
    monkeypatch.setattr("django.utils.timezone.now", lambda: call.now)
    Reminder.objects.all().delete()
    return call


@pytest.mark.parametrize(
    ("arguments", "minutes", "said"),
    [
        ({}, 10, "today at 10:10 AM"),
        ({"minutes": 5}, 5, "today at 10:05 AM"),
        ({"until": "in half an hour"}, 30, "today at 10:30 AM"),
        ({"until": "for twenty minutes"}, 20, "today at 10:20 AM"),
        ({"until": "an hour"}, 60, "today at 11 AM"),
        ({"until": "tomorrow at nine"}, 23 * 60, "tomorrow at 9 AM"),
        ({"minutes": 1440}, 1440, "tomorrow at 10 AM"),
    ],
)
def test_a_snoozed_reminder_comes_again(
    own: Caller, arguments: dict[str, Any], minutes: int, said: str
) -> None:
    told(own)
    answer = own.say("answer_reminder", action="snooze", **arguments)
    assert answer["status"] == "ok", answer
    ((text, after),) = waiting(own)
    assert (text, round(after / timedelta(minutes=1))) == ("call anna", minutes)
    assert answer["said"] == f"All right, I will remind you again {said}: call anna."
    assert "ends_call" not in answer


def test_the_last_one_told_is_meant_and_an_older_one_by_its_words(own: Caller) -> None:
    told(own, "call anna")
    own.now += timedelta(minutes=5)
    told(own, "water the plants")
    assert "water the plants" in own.say("answer_reminder", action="snooze")["said"]
    assert "call anna" in own.say("answer_reminder", action="snooze", which="anna")["said"]
    assert own.say("answer_reminder", action="done", which="the cat")["status"] == "nothing"


def test_snoozing_it_again_moves_it_instead_of_adding_another(own: Caller) -> None:
    told(own)
    own.say("answer_reminder", action="snooze", minutes=5)
    own.say("answer_reminder", action="snooze", minutes=30)
    ((_, after),) = waiting(own)
    assert round(after / timedelta(minutes=1)) == 30


def test_one_that_fired_and_was_not_told_yet_can_be_answered(own: Caller) -> None:
    Reminder.objects.create(owner=own.user, text="call anna", due_at=NOW)
    reminders.fire_due(NOW)
    assert own.say("answer_reminder", action="done")["status"] == "ok"
    assert reminders.missed(own.user) == []


@pytest.mark.parametrize("action", ["done", "snooze"])
def test_without_a_reminder_nothing_is_done(own: Caller, action: str) -> None:
    old = told(own)
    Reminder.objects.filter(pk=old.pk).update(told_at=NOW - timedelta(hours=2))
    answer = own.say("answer_reminder", action=action)
    assert (answer["status"], waiting(own)) == ("nothing", [])
    assert "not reminded you" in answer["said"]


@pytest.mark.parametrize(
    "arguments",
    [
        {"action": "explode"},
        {"action": ""},
        {"action": "snooze", "minutes": 0},
        {"action": "snooze", "minutes": 1441},
        {"action": "snooze", "minutes": "inf"},
        {"action": "snooze", "minutes": "some"},
        {"action": "snooze", "until": "yesterday"},
        {"action": "snooze", "until": "when pigs fly"},
    ],
)
def test_what_makes_no_sense_is_refused_with_a_question(
    own: Caller, arguments: dict[str, Any]
) -> None:
    told(own)
    answer = own.say("answer_reminder", **arguments)
    assert (answer["status"], waiting(own)) == ("refused", [])
    assert answer["said"].endswith(("?", ".")), answer["said"]


def test_done_with_it_completes_its_todo_and_what_was_snoozed(own: Caller) -> None:
    todo = Todo.objects.filter(owner=own.user, completed_at=None, repeat="").first()
    assert todo is not None
    told(own, todo=todo)
    own.say("answer_reminder", action="snooze")
    answer = own.say("answer_reminder", action="done")
    todo.refresh_from_db()
    assert (todo.completed_at, waiting(own)) == (own.now, [])
    assert answer["summary"] == "done: call anna"


def test_done_with_a_repeating_todo_moves_it_on_and_says_so(own: Caller) -> None:
    own.say("add_todos", items=[{"title": "water the plants", "due": "every monday at nine"}])
    todo = Todo.objects.get(owner=own.user, title="water the plants")
    told(own, "water the plants", todo=todo)
    said = own.say("answer_reminder", action="done")["said"]
    todo.refresh_from_db()
    assert todo.completed_at is None
    assert "It is due" in said


def test_both_can_be_undone(own: Caller) -> None:
    todo = Todo.objects.filter(owner=own.user, completed_at=None, repeat="").first()
    assert todo is not None
    reminder = told(own, todo=todo)
    own.say("answer_reminder", action="snooze")
    assert own.say("undo_last_change")["status"] == "ok"
    assert waiting(own) == []
    own.say("answer_reminder", action="done")
    assert own.say("undo_last_change")["status"] == "ok"
    todo.refresh_from_db()
    reminder.refresh_from_db()
    assert (todo.completed_at, reminder.state) == (None, State.TOLD)


def test_a_call_made_for_a_reminder_answers_that_one_alone(own: Caller) -> None:
    reminder = told(own, "call anna")
    own.now += timedelta(minutes=5)
    told(own, "water the plants")
    answer = about(own, reminder, action="snooze", which="the plants")
    assert [text for text, _ in waiting(own)] == ["call anna"]
    assert answer["ends_call"]
    assert answer["said"].endswith("Goodbye!")


def test_a_call_made_for_a_reminder_of_somebody_else_answers_nothing(
    own: Caller, ben: object
) -> None:
    reminder = Reminder.objects.create(owner=ben, text="secret", due_at=NOW)  # type: ignore[misc]
    reminders.fire_due(NOW)
    answer = about(own, reminder, action="done")
    reminder.refresh_from_db()
    assert (answer["status"], reminder.state) == ("nothing", State.FIRED)
    assert "ends_call" not in answer


def test_what_is_not_understood_does_not_end_the_call(own: Caller) -> None:
    assert "ends_call" not in about(own, told(own), action="snooze", until="when pigs fly")


def test_what_is_done_beside_the_firing_is_undone_with_it(own: Caller) -> None:
    Reminder.objects.create(owner=own.user, text="call anna", due_at=NOW)

    def fails(fired: object) -> None:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        reminders.fire_due(NOW, fails)
    assert waiting(own) == [("call anna", timedelta())]
