"""Choices in the whole product: what is kept on the page holds in the call that is up."""

from __future__ import annotations

import io
import time
import uuid
import wave
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from tests.stack import Stack, wait_until
from tests.voice.client import call, hear_until, say

pytestmark = pytest.mark.service


@contextmanager
def page_of(stack: Stack, name: str) -> Iterator[httpx.Client]:
    """Sends requests as a signed-in person's page does."""
    stack.make_user(name)
    cookies = {"sessionid": stack.session_cookie(name)}
    with httpx.Client(base_url=stack.url, cookies=cookies, trust_env=False, timeout=30) as client:
        client.get("/").raise_for_status()
        client.headers["X-CSRFToken"] = client.cookies["csrftoken"]
        yield client


def why_spoken(stack: Stack, turn_id: str) -> set[str]:
    """Who chose the voice that spoke in this turn; the worker writes it down last."""
    query = "SELECT why FROM voice_provideruse WHERE stage = 'speak' AND turn_id = ?"
    found: list[tuple[str]] = []

    def kept() -> bool:
        found[:] = stack.rows(query, uuid.UUID(turn_id).hex)
        return bool(found)

    wait_until(kept, 60, "who spoke is kept")
    return {why for (why,) in found}


async def test_a_voice_chosen_in_a_running_call_speaks_the_next_answer(stack: Stack) -> None:
    with page_of(stack, "clara") as page:
        async with call(stack, "clara") as opened:
            await say(opened, "text", text="what is on my list")
            before, _, heard = await hear_until(opened, "turn_done")
            assert before["answered_by"] == "Local commands"
            assert heard
            page.put("/preferences/", json={"voice": "pico/en-GB"}).raise_for_status()
            await say(opened, "text", text="what is on my list")
            after, _, heard = await hear_until(opened, "turn_done")
            assert heard
    assert why_spoken(stack, before["turn"]) == {"server"}
    assert why_spoken(stack, after["turn"]) == {"user"}


def test_a_voice_can_be_heard_before_it_is_taken(stack: Stack) -> None:
    with page_of(stack, "dora") as page:
        answer = page.post("/preferences/sample/", json={"voice": "pico/it-IT"})
        deadline = time.monotonic() + 60
        while answer.status_code == 202 and time.monotonic() < deadline:
            time.sleep(0.2)
            answer = page.post("/preferences/sample/", json={"voice": "pico/it-IT"})
        assert answer.status_code == 200, answer.text
        with wave.open(io.BytesIO(answer.content)) as sound:
            assert sound.getnframes() > sound.getframerate()
            assert len(set(sound.readframes(sound.getnframes()))) > 100
