"""The one reading of all events: in order, on from where it was, and nothing lost unseen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
import redis as redis_library
from redis.asyncio import Redis

from convonet import counters
from voice import keys
from voice.events import Event, TurnStarted
from voice.hub import BATCH, EventHub
from voice.streams import publish

pytestmark = pytest.mark.service
STREAM = keys.call_stream("some")
LAST = "last"


class Reader:
    def __init__(self) -> None:
        self.heard: list[str] = []
        self.all_heard = asyncio.Event()

    def receive(self, event: Event) -> None:
        assert isinstance(event, TurnStarted)
        self.heard.append(event.turn_id)
        if event.turn_id == LAST:
            self.all_heard.set()


@asynccontextmanager
async def listening(url: str, *, from_start: bool) -> AsyncIterator[Reader]:
    """Subscribed within, but reading only after it: what is published meanwhile waits."""
    async with Redis.from_url(url) as client:
        hub, reader = EventHub(client), Reader()
        await hub.subscribe(STREAM, reader.receive, from_start=from_start)
        yield reader
        running = asyncio.create_task(hub.run())
        await asyncio.wait_for(reader.all_heard.wait(), 60)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


def tell(redis: redis_library.Redis, number: int) -> list[str]:
    """Publish so many turns, of which the last has that name."""
    names = [*map(str, range(number - 1)), LAST]
    publish(redis, STREAM, *map(TurnStarted, names))
    return names


@pytest.fixture(autouse=True)
def _counted() -> None:
    counters.take()


@pytest.mark.parametrize("from_start", [True, False])
async def test_a_reader_far_behind_hears_all_in_order(
    from_start: bool, broker: str, redis: redis_library.Redis
) -> None:
    publish(redis, STREAM, TurnStarted("early"))
    async with listening(broker, from_start=from_start) as reader:
        names = tell(redis, 3 * BATCH)
    assert reader.heard == (["early", *names] if from_start else names)
    assert counters.take() == {}


@pytest.mark.parametrize("from_start", [True, False])
async def test_what_was_trimmed_before_it_was_read_is_counted(
    from_start: bool, broker: str, redis: redis_library.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    publish(redis, STREAM, TurnStarted("early"))
    async with listening(broker, from_start=from_start) as reader:
        names = tell(redis, keys.STREAM_LENGTH + 3 * BATCH)
    assert len(reader.heard) < len(names)
    assert reader.heard == names[-len(reader.heard) :]
    assert counters.take() == {"events_lost": 1}
    assert "events lost" in caplog.text


async def test_what_was_read_may_be_trimmed(broker: str, redis: redis_library.Redis) -> None:
    async with listening(broker, from_start=True):
        tell(redis, BATCH // 2)
    redis.xtrim(STREAM, maxlen=1, approximate=False)
    async with listening(broker, from_start=False) as reader:
        names = tell(redis, BATCH // 2)
    assert reader.heard == names
    assert counters.take() == {}


async def test_a_stream_that_nobody_reads_again_is_gone_at_once(
    broker: str, redis: redis_library.Redis
) -> None:
    tell(redis, 3)
    async with Redis.from_url(broker) as client:
        await EventHub(client).delete(STREAM)
    assert not redis.exists(STREAM)


async def test_a_stream_that_cannot_be_deleted_is_no_failure() -> None:
    async with Redis.from_url("redis://127.0.0.1:1/0") as client:
        await EventHub(client).delete(STREAM)


async def test_what_was_dealt_with_is_trimmed_and_what_comes_is_read_as_before(
    broker: str, redis: redis_library.Redis
) -> None:
    tell(redis, 3)
    async with listening(broker, from_start=True) as reader:
        pass
    assert reader.heard == ["0", "1", LAST]
    async with Redis.from_url(broker) as client:
        hub, later = EventHub(client), Reader()
        assert hub.position(STREAM) == ""
        await hub.subscribe(STREAM, later.receive, from_start=True)
        running = asyncio.create_task(hub.run())
        await asyncio.wait_for(later.all_heard.wait(), 60)
        await hub.trim(STREAM, hub.position(STREAM))
        assert redis.xlen(STREAM) == 1
        later.all_heard.clear()
        tell(redis, 2 * BATCH)
        await asyncio.wait_for(later.all_heard.wait(), 60)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
    assert len(later.heard) == 3 + 2 * BATCH
    assert "events_lost" not in counters.take()
