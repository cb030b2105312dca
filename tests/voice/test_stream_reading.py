"""One read of many streams: in the words of redis-py, without its work for each of them."""

from __future__ import annotations

import asyncio

import pytest
import redis as redis_library
from redis.asyncio import Redis
from redis.asyncio.connection import Connection
from redis.exceptions import RedisError

from voice.stream_reading import StreamReading

WAIT = 60


def test_the_command_is_worded_as_the_library_words_it() -> None:
    reading = StreamReading(count=200, block_ms=5000)
    reading.read_after("gone", "0-0")
    reading.read_after("eins", "1-0")
    reading.read_after("zwölf", "2-5")
    reading.read_after("eins", "17-0")
    reading.forget("gone")
    words = ("XREAD", "COUNT", 200, "BLOCK", 5000, "STREAMS", "eins", "zwölf", "17-0", "2-5")
    assert [reading.command()] == Connection().pack_command(*words)


def _id(added: object) -> bytes:
    assert isinstance(added, bytes)
    return added


@pytest.mark.service
@pytest.mark.parametrize("protocol", [2, 3])
async def test_news_of_each_stream_come_from_where_it_was(
    broker: str, redis: redis_library.Redis, protocol: int
) -> None:
    first, second, other = (
        _id(redis.xadd(stream, {"f": value}))
        for stream, value in (("a", "1"), ("a", "2"), ("b", "3"))
    )
    reading = StreamReading(count=10, block_ms=10)
    reading.read_after("a", first.decode())
    reading.read_after("b", "0-0")
    async with Redis.from_url(broker, protocol=protocol) as client:
        assert await reading.news(client) == [
            (b"a", [(second, {b"f": b"2"})]),
            (b"b", [(other, {b"f": b"3"})]),
        ]
        reading.read_after("a", second.decode())
        reading.forget("b")
        assert await reading.news(client) == []


@pytest.mark.service
async def test_a_read_that_was_given_up_answers_nobody_else(
    broker: str, redis: redis_library.Redis
) -> None:
    reading = StreamReading(count=10, block_ms=WAIT * 1000)
    reading.read_after("a", "0-0")
    async with Redis.from_url(broker, max_connections=1) as client:
        waiting = asyncio.create_task(reading.news(client))
        while not any(b"xread" in c["cmd"].encode() for c in redis.client_list()):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        waiting.cancel()
        await asyncio.wait({waiting})
        assert await client.ping()
        redis.set("a", "no stream")
        with pytest.raises(RedisError):
            await reading.news(client)
        assert await client.ping()
