"""A person with the demo list, at a fixed moment in their zone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User

from todo import demo
from todo.actor import Actor, actor_for
from todo.tools import run_tool

BERLIN = ZoneInfo("Europe/Berlin")
# A Tuesday, an hour after the dentist was due.
NOW = datetime(2026, 11, 24, 10, 0, tzinfo=BERLIN)
Answer = dict[str, Any]


class Caller:
    """Runs tools as one person in one call; each `say` is a turn of its own."""

    def __init__(self, user: User, call_id: UUID | None) -> None:
        self.user = user
        self.call_id = call_id
        self.now = NOW

    def actor(self, turn_id: UUID | None = None) -> Actor:
        return actor_for(
            self.user, self.now, time_zone=BERLIN.key, call_id=self.call_id, turn_id=turn_id
        )

    def say(self, tool: str, *, key: str = "", turn: UUID | None = None, **values: Any) -> Answer:
        self.now += timedelta(seconds=1)
        return run_tool(self.actor(turn or uuid4()), tool, values, key)


@pytest.fixture
def anna(db: None) -> User:
    return User.objects.create_user("anna")


@pytest.fixture
def ben(db: None) -> User:
    return User.objects.create_user("ben")


@pytest.fixture
def call(anna: User) -> Caller:
    """A call of Anna's against the demo list."""
    demo.reset(anna, NOW)
    return Caller(anna, uuid4())


@pytest.fixture
def new_call() -> Callable[[User], Caller]:
    return lambda user: Caller(user, uuid4())
