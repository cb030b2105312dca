"""A PIN that is said, over the media socket: nothing keeps it, and the next words are a turn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import redis as redis_library
from asgiref.sync import sync_to_async
from redis.asyncio import Redis

from convonet.far_end import names
from convonet.far_end.line import Line
from phone import pins, tries
from tests.phone import in_process, known
from tests.phone.calling import a_word
from tests.phone.workers import Workers
from tests.stack import wait_until
from voice import keys, sealing
from voice.models import Call, Turn
from workers.ports import Transcription
from workers.speech_jobs import transcribe

pytestmark = [pytest.mark.service, pytest.mark.django_db(transaction=True)]
WAIT = 60
PIN, SAID = "471147", "my pin is four seven one one four seven"


class HearingWorkers(Workers):
    """Hear by the real task, with an engine that the test plays."""

    async def _do(self, task: str, arguments: list[Any]) -> None:
        if task == "transcribe":
            await asyncio.to_thread(self._transcribe, *arguments)
        else:
            await super()._do(task, arguments)

    def _transcribe(self, utterance_id: str, call_id: str) -> None:
        url = self._redis.connection_pool.connection_kwargs
        client = redis_library.Redis(host=url["host"], port=url["port"], password=url["password"])
        with client:
            transcribe(client, _Engine(self.hears), utterance_id, call_id)  # type: ignore[arg-type]


class _Engine:
    def __init__(self, hears: str) -> None:
        self._hears = hears

    def transcribe(self, *_: object, **__: object) -> Transcription:
        return Transcription(self._hears, 0.0)


@pytest.fixture
async def calling(broker: str, redis: redis_library.Redis) -> AsyncIterator[HearingWorkers]:
    """Workers of a process that takes calls; the broker is empty at the beginning."""
    tries._remembered.clear()
    async with in_process.serving(broker):
        client = Redis.from_url(broker)
        workers = HearingWorkers(client, in_process.Rows())
        running = asyncio.create_task(workers.run())
        yield workers
        running.cancel()
        await asyncio.wait({running})
        await client.aclose()


async def test_a_pin_that_was_said_is_nowhere_and_the_next_words_are_the_persons(
    calling: HearingWorkers, redis: redis_library.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pins, "ITERATIONS", 1000)
    # Not by its age.
    monkeypatch.setattr(keys, "ASIDE_SECONDS", 900)
    await sync_to_async(known.line)()
    anna = await sync_to_async(known.person)("anna", PIN)
    opened, line = await in_process.open_call(names.CALLER, known=False), Line()
    carrying = asyncio.create_task(in_process.carry(line, opened))
    assert await line.quiet(0.3, WAIT)
    calling.hears = SAID
    await line.say(a_word())
    await _until(lambda: Call.objects.filter(pk=opened.call_id, identified=True).exists())
    await asyncio.to_thread(wait_until, lambda: not _kept_in(redis), WAIT, "the PIN is gone")
    assert not await Turn.objects.aexists()
    calling.hears = "go on"
    assert await line.quiet(0.3, WAIT)
    await line.say(a_word())
    await _until(lambda: Turn.objects.filter(call__user=anna.owner_id).exists())
    line.hang_up()
    await carrying
    assert not _kept_in(redis)
    assert await _transcripts() == ["go on"]


async def test_words_that_are_no_pin_are_a_guests_turn(
    calling: HearingWorkers, redis: redis_library.Redis
) -> None:
    await sync_to_async(known.line)()
    await sync_to_async(known.person)("anna", PIN)
    opened, line = await in_process.open_call(names.CALLER, known=False), Line()
    carrying = asyncio.create_task(in_process.carry(line, opened))
    assert await line.quiet(0.3, WAIT)
    calling.hears = "connect me with sales please"
    await line.say(a_word())
    await _until(lambda: Turn.objects.exclude(queued_at=None).exists())
    line.hang_up()
    await carrying
    assert await _transcripts() == ["connect me with sales please"]
    assert not (await in_process.call_row(opened.call_id)).identified


async def test_what_nobody_was_there_to_hear_is_kept_for_a_minute_at_most(
    redis: redis_library.Redis,
) -> None:
    """The caller has hung up, or the process has died, while the words were recognised."""
    audio = sealing.sealed(b"\x7f" * 8000, "u")
    fields = {"format": "mulaw/8000", "audio": audio, "aside": 1}
    redis.hset(keys.utterance("u"), mapping=fields)  # type: ignore[arg-type]
    transcribe(redis, _Engine(SAID), "u", "c")  # type: ignore[arg-type]
    assert redis.keys() == [keys.aside_stream("c").encode()]
    assert not _kept_in(redis)
    assert 0 < redis.ttl(keys.aside_stream("c")) <= 60


def _kept_in(redis: redis_library.Redis) -> list[bytes]:
    """The keys that hold the PIN, as digits or as words."""
    return [key for key in redis.scan_iter() if _holds(_value(redis, key))]


def _value(redis: redis_library.Redis, key: bytes) -> str:
    match redis.type(key):
        case b"string":
            return str(redis.get(key))
        case b"hash":
            return str(redis.hgetall(key))
        case b"list":
            return str(redis.lrange(key, 0, -1))
        case b"stream":
            return str(redis.xrange(key))
        case b"zset":
            return str(redis.zrange(key, 0, -1, withscores=True))
        case kind:
            return "" if kind == b"none" else str(redis.smembers(key))


def _holds(value: str) -> bool:
    return PIN in value or "four seven" in value


@sync_to_async
def _transcripts() -> list[str]:
    return list(Turn.objects.order_by("number").values_list("transcript", flat=True))


async def _until(true: Callable[[], bool]) -> None:
    """Rows tell nobody that they have changed."""
    await sync_to_async(wait_until, thread_sensitive=False)(true, WAIT, "the rows change")
