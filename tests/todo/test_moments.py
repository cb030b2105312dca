"""Words that count from a todo's own date: "three days later", "an hour before"."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.todo.conftest import BERLIN, Caller
from todo.models import Reminder, Todo


@pytest.mark.parametrize(
    ("todo", "words", "due"),
    [
        ("meeting", "three days later", datetime(2026, 11, 28, 10, tzinfo=BERLIN)),
        ("meeting", "by a week later", datetime(2026, 12, 2, 10, tzinfo=BERLIN)),
        ("meeting", "an hour earlier", datetime(2026, 11, 25, 9, tzinfo=BERLIN)),
        ("meeting", "half an hour later", datetime(2026, 11, 25, 10, 30, tzinfo=BERLIN)),
        ("plumber", "two days earlier", datetime(2026, 11, 22, 16, tzinfo=BERLIN)),
    ],
)
def test_a_todo_moves_from_where_it_is(call: Caller, todo: str, words: str, due: datetime) -> None:
    assert call.say("change_todo", which=todo, due=words)["status"] == "ok"
    assert Todo.objects.get(title__contains=todo).due_at == due


def test_a_todo_without_a_date_has_nothing_to_count_from(call: Caller) -> None:
    answer = call.say("change_todo", which="buy paint", due="three days later")
    assert (answer["status"], answer["said"][-1]) == ("refused", "?")
    assert Todo.objects.get(title="buy paint").due_at is None


def test_a_reminder_comes_before_its_todo(call: Caller) -> None:
    call.say("add_reminder", text="meeting", when="an hour before", about="meeting")
    reminder = Reminder.objects.get()
    assert reminder.due_at == datetime(2026, 11, 25, 9, tzinfo=BERLIN)
    assert reminder.todo == Todo.objects.get(title="meeting with David")


@pytest.mark.parametrize("about", ["meeting with the pope", "paint"])
def test_a_reminder_before_what_is_unknown_or_undated_is_not_made(call: Caller, about: str) -> None:
    answer = call.say("add_reminder", text=about, when="an hour before", about=about)
    assert answer["status"] != "ok"
    assert not Reminder.objects.exists()
