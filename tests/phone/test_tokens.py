"""A stream token opens the one stream it was made for, once, within a minute."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from django.core import signing
from redis.asyncio import Redis

from phone import tokens
from voice import tickets
from voice.errors import Refused

pytestmark = pytest.mark.service
CALL, SID = "9f0c3f9e-0c5a-4c5e-8d43-9a4f8f3f2b11", "CA" + 32 * "1"


@pytest.fixture
async def redis(broker: str) -> AsyncIterator[Any]:
    async with Redis.from_url(broker) as client:
        yield client


async def refused(redis: Any, token: str, sid: str = SID) -> bool:
    try:
        await tokens.redeem(redis, token, sid)
    except Refused as refusal:
        return refusal.code == 4401
    return False


async def test_a_token_names_its_stream_and_is_good_once(redis: Any) -> None:
    token = tokens.issue(CALL, SID, 3)
    assert await tokens.redeem(redis, token, SID) == tokens.StreamToken(CALL, SID, 3)
    assert await refused(redis, token)


async def test_two_tokens_of_one_stream_are_two(redis: Any) -> None:
    first, second = tokens.issue(CALL, SID, 1), tokens.issue(CALL, SID, 1)
    await tokens.redeem(redis, first, SID)
    await tokens.redeem(redis, second, SID)


async def test_a_token_is_not_another_calls_and_stays_good_for_its_own(redis: Any) -> None:
    token = tokens.issue(CALL, SID, 1)
    assert await refused(redis, token, "CA" + 32 * "2")
    await tokens.redeem(redis, token, SID)


async def test_an_old_token_is_refused(redis: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    token = tokens.issue(CALL, SID, 1)
    later = time.time() + tokens.LIFETIME_SECONDS + 1
    monkeypatch.setattr("django.core.signing.time.time", lambda: later)
    assert await refused(redis, token)


@pytest.mark.parametrize("what", ["", "x", "a:b:c", ":::", "é"])
async def test_what_is_no_token_is_refused(redis: Any, what: str) -> None:
    assert await refused(redis, what)


async def test_what_was_signed_for_something_else_is_refused(redis: Any) -> None:
    assert await refused(redis, tickets.issue(7))
    assert await refused(redis, signing.dumps([CALL, SID, 1, "id"], salt="another"))
    assert await refused(redis, signing.dumps([CALL, SID], salt="convonet.twilio.stream"))
    token = tokens.issue(CALL, SID, 1)
    assert await refused(redis, token[:-1] + ("A" if token[-1] != "A" else "B"))


async def test_the_note_that_a_token_was_used_outlives_it_and_no_more(redis: Any) -> None:
    await redis.flushall()
    await tokens.redeem(redis, tokens.issue(CALL, SID, 1), SID)
    (key,) = await redis.keys("*")
    assert tokens.LIFETIME_SECONDS < await redis.ttl(key) <= 2 * tokens.LIFETIME_SECONDS
