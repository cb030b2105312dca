"""The workers are woken when calls begin, and not once for each of them."""

from __future__ import annotations

import asyncio

import pytest
from django.test import override_settings

from voice.awakening import QUIET_SECONDS, Awakening
from voice.errors import BrokerLost


class Asked:
    """A queue that only notes what is sent, or fails."""

    def __init__(self) -> None:
        self.tasks: list[str] = []
        self.lost = False
        self.now = 100.0

    async def send(self, task: str, *ids: str | int) -> None:
        if self.lost:
            raise BrokerLost
        self.tasks.append(task)


@pytest.fixture
def asked() -> Asked:
    return Asked()


async def settled() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def test_calls_that_begin_together_ask_once(asked: Asked) -> None:
    awakening = Awakening(asked, lambda: asked.now)
    for _ in range(3):
        awakening.begin()
    await settled()
    assert asked.tasks == ["get_ready", "stand_by"]
    asked.now += QUIET_SECONDS
    awakening.begin()
    await settled()
    assert asked.tasks == ["get_ready", "stand_by"] * 2


async def test_what_could_not_be_asked_is_asked_by_the_next_call(asked: Asked) -> None:
    asked.lost = True
    awakening = Awakening(asked, lambda: asked.now)
    awakening.begin()
    await settled()
    asked.lost = False
    awakening.begin()
    await settled()
    assert asked.tasks == ["get_ready", "stand_by"]


@override_settings(HEARING_QUEUE="agent", SPEAKING_QUEUE="agent")
async def test_services_need_no_engines(asked: Asked) -> None:
    Awakening(asked, lambda: asked.now).begin()
    await settled()
    assert asked.tasks == ["stand_by"]
