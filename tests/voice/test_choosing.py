"""Choices in the whole product: who answered is told, and voices speak before they are taken."""

from __future__ import annotations

import io
import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from tests.stack import Stack
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


async def test_a_call_is_told_who_answered(stack: Stack) -> None:
    with page_of(stack, "clara"):
        async with call(stack, "clara") as opened:
            await say(opened, "text", text="what is on my list")
            done, _, _ = await hear_until(opened, "turn_done")
            assert done["answered_by"] == "Local commands"


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
