"""Redis after its connections were lost: what goes on as before, and what is not repeated."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from urllib.parse import urlsplit

import pytest
import redis as redis_library

from voice import steady
from voice.steady import SteadyRedis, is_repeatable

PATIENCE = 60


class Between:
    """Stands between a client and the broker, and hangs up on the client when it is told to."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname
        assert parts.port
        self._broker = parts.hostname, parts.port
        self._url = url
        self._writers: list[asyncio.StreamWriter] = []
        self.url = ""
        self.opened = 0
        self.swallow = False
        """Hang up instead of passing the next answer on."""

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        self.url = self._url.replace(f":{self._broker[1]}/", f":{port}/")
        try:
            yield
        finally:
            server.close()
            self.hang_up()
            async with asyncio.timeout(PATIENCE):
                await server.wait_closed()

    def hang_up(self) -> None:
        for writer in self._writers:
            writer.close()
        self._writers.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.opened += 1
        self._writers.append(writer)
        answers, questions = await asyncio.open_connection(*self._broker)
        asking = asyncio.create_task(self._pass(reader, questions))
        while data := await answers.read(65_536):
            if self.swallow:
                self.swallow = False
                break
            writer.write(data)
        asking.cancel()
        questions.close()
        writer.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
        writer.close()


@contextmanager
def looking(url: str) -> Iterator[redis_library.Redis]:
    with redis_library.Redis.from_url(url, decode_responses=True) as client:
        client.delete("steady")
        yield client
        client.delete("steady")


@asynccontextmanager
async def connected(between: Between, most: int = 4) -> AsyncIterator[SteadyRedis]:
    client = steady.client(between.url, most=most, answer_seconds=PATIENCE)
    try:
        await client.ping()
        yield client
    finally:
        await client.aclose()


async def until_closed(client: SteadyRedis) -> None:
    """Until the end of the idle connection has reached this process."""
    (connection,) = client.connection_pool._available_connections
    async with asyncio.timeout(PATIENCE):
        while not await connection.can_read():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_whatever_is_asked_first_after_connections_were_lost_is_done_once(
    broker: str,
) -> None:
    between = Between(broker)
    with looking(broker) as sight:
        async with between.serving(), connected(between) as client:
            between.hang_up()
            await until_closed(client)
            await client.rpush("steady", "one")
            between.hang_up()
            await until_closed(client)
            pipe = client.pipeline(transaction=False)
            pipe.rpush("steady", "two")
            pipe.expire("steady", PATIENCE)
            await pipe.execute()
        assert sight.lrange("steady", 0, -1) == ["one", "two"]
        assert between.opened == 3


async def test_a_question_whose_answer_was_lost_is_asked_again(broker: str) -> None:
    between = Between(broker)
    with looking(broker) as sight:
        sight.set("steady", "there")
        async with between.serving(), connected(between) as client:
            between.swallow = True
            assert await client.get("steady") == b"there"
        assert between.opened == 2


async def test_what_would_be_done_twice_is_not_repeated(broker: str) -> None:
    between = Between(broker)
    with looking(broker) as sight:
        async with between.serving(), connected(between) as client:
            between.swallow = True
            with pytest.raises(redis_library.ConnectionError):
                await client.rpush("steady", "once")
            # On a connection that is open: else it is the greeting that is lost.
            await client.ping()
            between.swallow = True
            pipe = client.pipeline(transaction=False)
            pipe.rpush("steady", "twice")
            with pytest.raises(redis_library.ConnectionError):
                await pipe.execute()
            await client.rpush("steady", "thrice")
        assert sight.lrange("steady", 0, -1) == ["once", "twice", "thrice"]


async def test_many_at_once_wait_for_one_of_few_connections(broker: str) -> None:
    between = Between(broker)
    with looking(broker):
        async with between.serving(), connected(between, most=2) as client:
            lengths = await asyncio.gather(*(client.rpush("steady", n) for n in range(200)))
        assert sorted(lengths) == list(range(1, 201))
        assert between.opened == 2


def test_only_what_leaves_the_same_when_done_twice_is_repeatable() -> None:
    assert is_repeatable(("GET", "k"))
    assert is_repeatable(("SET", "k", "NX"))
    assert is_repeatable(("SET", "k", "v", "EX", 5))
    for command in (
        ("SET", "k", "v", "EX", 5, "NX"),
        ("SET", "k", "v", "GET"),
        ("GETDEL", "k"),
        ("LPUSH", "k", "v"),
        ("XADD", "k", "*", "f", "v"),
        ("INCR", "k"),
        ("EVAL", "return 1", 0),
    ):
        assert not is_repeatable(command), command
