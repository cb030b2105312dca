"""What a caller hears of a service without a free line, at the call's own socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from django.contrib.auth.models import User

from tests.phone.in_process import serving
from voice import admission, sockets, tickets
from voice.sockets import call_socket
from voice.wiring import Services

pytestmark = [pytest.mark.service, pytest.mark.django_db(transaction=True)]


@pytest.fixture
async def services(broker: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Services]:
    async with serving(broker) as joined:
        monkeypatch.setattr(sockets, "services", lambda: joined)
        yield joined


@pytest.fixture
def caller(db: None) -> User:
    return User.objects.create_user("anna")


async def refused(caller: User) -> tuple[dict[str, Any], dict[str, Any]]:
    """(the last message, the close) of a call that is not taken."""
    scope = {
        "path": "/ws/call",
        "headers": [],
        "query_string": f"ticket={tickets.issue(caller.pk)}".encode(),
    }
    inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    inbox.put_nowait({"type": "websocket.connect"})
    sent: list[dict[str, Any]] = []

    async def send(event: dict[str, Any]) -> None:
        sent.append(event)

    await asyncio.wait_for(call_socket(scope, inbox.get, send), 60)
    return json.loads(sent[-2]["text"]), sent[-1]


async def test_a_busy_service_says_so_by_a_reason_a_sentence_and_a_close_code(
    services: Services, caller: User, settings: Any
) -> None:
    settings.MAX_CALLS = 1
    with admission.counted("somebody"):
        bye, close = await refused(caller)
    assert (bye["type"], bye["reason"]) == ("bye", "busy")
    assert bye["text"] == "All lines are busy. Please try again in a minute."
    assert (close["code"], close["reason"]) == (4503, "busy")


async def test_who_has_too_many_calls_of_their_own_is_not_told_that_lines_are_busy(
    services: Services, caller: User, settings: Any
) -> None:
    settings.MAX_CALLS_PER_USER = 1
    with admission.counted(f"user:{caller.pk}"):
        bye, close = await refused(caller)
    assert (bye["reason"], close["code"]) == ("refused", 4409)


async def test_a_broker_that_cannot_be_asked_is_not_called_busy(
    services: Services, caller: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(*_: object, **__: object) -> None:
        raise ConnectionError

    monkeypatch.setattr(services.redis, "eval", lost)
    bye, close = await refused(caller)
    assert (bye["reason"], close["code"]) == ("not able", 4503)
    assert admission.calls_in_progress() == 0
