"""The line of those who wait for a free line: its order, its bound, whose turn it is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from types import SimpleNamespace
from typing import Any

import pytest
import redis as redis_library
from redis.asyncio import Redis as AsyncRedis

from tests.stack import wait_until
from voice import admission, keys, places, waiting
from voice.admission import Switchboard
from voice.errors import Busy
from voice.places import Standing
from voice.waiting import Waiter, wait_socket

pytestmark = pytest.mark.service
WAIT = 60


@pytest.fixture(autouse=True)
def one_line(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.MAX_CALLS, settings.MAX_CALLS_PER_USER = 1, 8
    settings.ADMIT_BELOW_PERCENT = 100
    monkeypatch.setattr(waiting, "NEXT_SECONDS", 0.02)
    monkeypatch.setattr(waiting, "LATER_SECONDS", 0.02)


@pytest.fixture
async def board(
    redis: redis_library.Redis, broker: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Switchboard]:
    client = AsyncRedis.from_url(broker)
    made = Switchboard(client)
    monkeypatch.setattr(waiting, "services", lambda: SimpleNamespace(switchboard=made))
    yield made
    await client.aclose()


class Page:
    """One page's socket, of somebody who is signed in."""

    def __init__(self, person: int, **scope: Any) -> None:
        self._in: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._in.put_nowait({"type": "websocket.connect"})
        self.said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.code: int | None = None
        user = SimpleNamespace(pk=person, is_authenticated=person > 0)
        self.serving = asyncio.create_task(
            wait_socket({"user": user, "headers": [], **scope}, self._in.get, self._send)
        )

    async def _send(self, event: dict[str, Any]) -> None:
        if event["type"] == "websocket.send":
            self.said.put_nowait(json.loads(event["text"]))
        elif event["type"] == "websocket.close":
            self.code = event["code"]

    async def hears(self, **fields: Any) -> None:
        """Until something with these fields is said."""
        async with asyncio.timeout(WAIT):
            while True:
                message = await self.said.get()
                if fields.items() <= message.items():
                    return

    async def go(self, code: int = 1001) -> None:
        self._in.put_nowait({"type": "websocket.disconnect", "code": code})
        await asyncio.wait_for(self.serving, WAIT)

    async def over(self) -> int | None:
        await asyncio.wait_for(self.serving, WAIT)
        return self.code


async def called(board: Switchboard, stack: AsyncExitStack, caller: str) -> str:
    try:
        await stack.enter_async_context(board.admitted(caller))
    except Busy as refusal:
        return refusal.why
    return "taken"


async def test_the_line_moves_on_in_the_order_in_which_they_came(board: Switchboard) -> None:
    async with AsyncExitStack() as calling:
        assert await called(board, calling, "user:9") == "taken"
        first, second = Page(1), Page(2)
        await first.hears(type="line", place=1)
        await second.hears(type="line", place=2, of=2)
        third = Page(3)
        await third.hears(type="line", place=3, of=3)
        await first.go()
        await second.hears(type="line", place=1, of=2)
        await third.hears(type="line", place=2, of=2)
        await calling.aclose()
        await second.hears(type="free", seconds=places.HOLD_SECONDS)
        await third.hears(type="line", place=1, of=1)
        await second.go()
        await third.hears(type="free")
        await third.go()


async def test_who_comes_now_does_not_pass_those_who_wait(board: Switchboard) -> None:
    async with AsyncExitStack() as calling, AsyncExitStack() as other:
        assert await called(board, calling, "user:9") == "taken"
        page = Page(1)
        await page.hears(type="line", place=1)
        await calling.aclose()
        assert await called(board, other, "user:2") == "full"
        await page.hears(type="free")
        # It is kept for the one, and for nobody else.
        assert await called(board, other, "user:2") == "full"
        assert await called(board, other, "user:1") == "taken"
        assert await page.over() == 1000
        assert admission.calls_in_progress() == 1


async def test_a_place_that_was_kept_in_vain_goes_to_the_next(
    board: Switchboard, redis: redis_library.Redis
) -> None:
    first = Page(1)
    await first.hears(type="free")
    second = Page(2)
    await second.hears(type="line", place=1)
    # As when its time is over.
    redis.zadd(keys.places(), {"hold:user:1": 1})
    await second.hears(type="free")
    await second.go()
    await first.over()


async def test_a_broken_connection_keeps_its_place_and_another_window_takes_it_over(
    board: Switchboard,
) -> None:
    async with AsyncExitStack() as calling:
        assert await called(board, calling, "user:9") == "taken"
        first, second = Page(1), Page(2)
        await first.hears(type="line", place=1)
        await second.hears(type="line", place=2)
        await first.go(1006)
        again = Page(1)
        await again.hears(type="line", place=1, of=2)
        window = Page(1)
        await window.hears(type="line", place=1, of=2)
        await again.hears(type="bye", reason="elsewhere")
        assert await again.over() == 1000
        await window.go()
        await second.hears(type="line", place=1, of=1)
        await second.go()


async def test_a_broker_that_forgot_the_line_is_told_who_came_first(
    board: Switchboard, redis: redis_library.Redis
) -> None:
    async with AsyncExitStack() as calling:
        assert await called(board, calling, "user:9") == "taken"
        first = Page(1)
        await first.hears(type="line", place=1)
        second = Page(2)
        await second.hears(type="line", place=2)
        since = redis.zrange(keys.line(), 0, -1, withscores=True)
        redis.delete(keys.line(), keys.line_leases(), keys.line_holders())
        await asyncio.to_thread(
            wait_until,
            lambda: redis.zrange(keys.line(), 0, -1, withscores=True) == since,
            WAIT,
            "both are back, as they came",
        )
        await first.go()
        await second.go()


async def test_the_line_has_an_end(board: Switchboard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "MOST_WAITING", 1)
    async with AsyncExitStack() as calling:
        assert await called(board, calling, "user:9") == "taken"
        first = Page(1)
        await first.hears(type="line", place=1)
        second = Page(2)
        await second.hears(type="bye", reason="crowded")
        assert await second.over() == 4503
        await first.go()


async def test_nobody_waits_without_being_signed_in_or_from_a_foreign_page(
    board: Switchboard, redis: redis_library.Redis
) -> None:
    assert await Page(0).over() == 4401
    assert await Page(1, headers=[(b"origin", b"https://evil.example")]).over() == 4403
    assert redis.keys("convonet:line*") == []


async def test_nothing_of_a_wait_is_left_when_it_is_over(
    board: Switchboard, redis: redis_library.Redis
) -> None:
    async with AsyncExitStack() as calling:
        assert await called(board, calling, "user:9") == "taken"
        page = Page(1)
        await page.hears(type="line", place=1)
        assert all(redis.ttl(key) > 0 for key in redis.keys("convonet:*"))
        await page.go()
    names = (keys.line(), keys.line_leases(), keys.line_holders(), keys.place_holders())
    assert redis.exists(*names) == 0
    assert not admission._watchers


# What an answer means ---------------------------------------------------------------------------
def test_only_news_are_told() -> None:
    waiter = Waiter(lambda: 0.0)
    second, first = Standing("waiting", 2, 5, 77), Standing("waiting", 1, 4, 77)
    assert waiter.told(second) == ({"type": "line", "place": 2, "of": 5}, "")
    assert waiter.told(second) == (None, "")
    assert (waiter.how, waiter.since_ms) == ("stay", 77)
    assert waiter.told(first)[0] == {"type": "line", "place": 1, "of": 4}
    assert waiter.told(Standing("held", held_ms=20_000))[0] == {"type": "free", "seconds": 20}
    assert waiter.told(Standing("held", held_ms=19_000)) == (None, "")
    assert waiter.how == "held"


@pytest.mark.parametrize(("after", "why"), [(5.0, "taken"), (21.0, "missed")])
def test_a_place_that_is_gone_was_used_or_let_go(after: float, why: str) -> None:
    now = [100.0]
    waiter = Waiter(lambda: now[0])
    waiter.told(Standing("held", held_ms=20_000))
    now[0] += after
    assert waiter.told(Standing("over")) == (None, why)


def test_whoever_comes_late_asks_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "LATER_SECONDS", 3.0)
    waiter = Waiter()
    assert waiter.pause_seconds == waiting.NEXT_SECONDS
    waiter.told(Standing("waiting", waiting.NEXT_PLACES + 1, 50, 1))
    assert waiter.pause_seconds == 3.0
