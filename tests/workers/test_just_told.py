"""Which reminder the agent is told of, so that a short answer can be understood."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from todo.models import Reminder
from voice.models import Call, Turn
from workers import just_told

pytestmark = pytest.mark.django_db
TOLD = "They have just been told this reminder: “tea”"
CALLED = "You have called to tell this reminder: “tea”"


@pytest.fixture
def call() -> Call:
    return Call.objects.create(user=User.objects.create_user("anna"))


def told(call: Call, text: str = "tea", *, ago: timedelta = timedelta(seconds=3)) -> Reminder:
    at = timezone.now() - ago
    return Reminder.objects.create(
        owner=call.user, text=text, due_at=at, state=Reminder.State.TOLD, fired_at=at, told_at=at
    )


def turn(call: Call) -> Turn:
    return Turn.objects.create(call=call, number=call.turns.count() + 1, transcript="done")


def test_the_words_after_a_reminder_may_answer_it(call: Call) -> None:
    told(call, "something before", ago=timedelta(minutes=1))
    told(call)
    assert TOLD in just_told.instructions(turn(call))


def test_after_other_words_or_a_while_they_do_not(call: Call) -> None:
    assert just_told.instructions(turn(call)) == ""
    told(call, ago=just_told.RIGHT_AFTER + timedelta(seconds=1))
    assert just_told.instructions(turn(call)) == ""
    told(call, ago=timedelta())
    first, second = turn(call), turn(call)
    assert TOLD in just_told.instructions(first)
    assert just_told.instructions(second) == ""


def test_somebody_elses_reminder_is_not_told(call: Call) -> None:
    told(Call.objects.create(user=User.objects.create_user("ben")))
    assert just_told.instructions(turn(call)) == ""


def test_who_was_called_is_told_of_theirs_as_long_as_they_are_nobody(call: Call) -> None:
    reminder = told(call)
    Call.objects.update(identified=False)
    stranger = Call.objects.get()
    assert reminder.text not in just_told.instructions(turn(stranger))
    stranger.about_reminder = reminder
    turn(stranger)
    assert CALLED in just_told.instructions(turn(stranger))
    stranger.identified = True
    assert just_told.of_call(stranger) == ""
