"""The forty commands, typed and as a recogniser heard them, against the state they must leave."""

from __future__ import annotations

import csv
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User

from tests.commands.agent import Caller, person
from tests.commands.state import CHECKS, Outcome, Snapshot
from todo import demo
from todo.actor import Actor
from workers.models_llm.local import LocalCommandModel

ROWS = list(
    csv.DictReader((Path(__file__).parent / "heard.tsv").open(encoding="utf-8"), delimiter="\t")
)
NOWS = [
    datetime(2026, 11, 22, 9, 55, tzinfo=ZoneInfo("Europe/Berlin")),
    datetime(2026, 12, 31, 18, 20, tzinfo=ZoneInfo("America/New_York")),
    datetime(2028, 2, 28, 6, 5, tzinfo=ZoneInfo("Asia/Kolkata")),
]
# Asked once when several fit, or when the match is not sure.
CONFIRMED = {4, 15, 31, 32}


def run(number: int, words: str, now: datetime) -> tuple[bool, str]:
    user = person(f"p{number}")
    demo.reset(user, now, groceries=number == 19)
    caller = Caller(LocalCommandModel(), Actor(user, now.tzinfo, now))  # type: ignore[arg-type]
    before = Snapshot.of(user)
    reply = caller.say(words)
    after = Snapshot.of(user)
    right = CHECKS[number](Outcome(before, after, reply, now))
    if not right and number in CONFIRMED and after == before:
        reply = caller.say("yes please")
        right = CHECKS[number](Outcome(before, Snapshot.of(user), reply, now))
    return right, reply


def score(column: str, now: datetime) -> tuple[float, list[str]]:
    wrong, seen = [], set()
    for row in ROWS:
        number = int(row["file"][:2])
        if (number, row[column]) in seen:
            continue
        seen.add((number, row[column]))
        User.objects.all().delete()
        right, reply = run(number, row[column], now)
        if not right:
            wrong.append(f"{number:02d} {row[column]!r} -> {reply!r}")
    return 1 - len(wrong) / len(seen), wrong


@pytest.mark.django_db
@pytest.mark.parametrize("now", NOWS, ids=lambda now: f"{now:%Y-%m-%d-%H}")
def test_the_typed_commands_leave_the_right_state(now: datetime) -> None:
    share, wrong = score("expected", now)
    assert share >= 0.95, "\n".join(wrong)


@pytest.mark.django_db
def test_the_heard_commands_mostly_leave_the_right_state() -> None:
    share, wrong = score("heard", NOWS[0])
    assert share >= 0.8, "\n".join(wrong)
