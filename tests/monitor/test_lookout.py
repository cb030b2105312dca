"""Looks that travel over a real broker, and the threads and tasks that take them."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Queue
from typing import Any

import pytest
import redis as redis_library
from redis.asyncio import Redis as AsyncRedis

from convonet import counters
from monitor import board, broker, lookout, pace, sampler
from monitor.lookout import FLOWER, TOOLS, Lookout, Options
from monitor.pulse import Pulse
from monitor.sampler import Sampler
from monitor.snapshot import CALLS, CLOCK, Ending, Snapshot
from tests.monitor.made import ALLOWANCE, reading, snapshot
from tests.stack import wait_until
from voice import admission, keys
from voice.errors import Refused

pytestmark = pytest.mark.service


@pytest.fixture(autouse=True)
def looking_at_nothing(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is measured is tried elsewhere, by real processes."""

    def made(host: str, pid: int) -> Sampler:
        return Sampler(host, lambda: [reading(pid=pid)], allowed=lambda: ALLOWANCE)

    monkeypatch.setattr(sampler, "of_this_machine", made)
    monkeypatch.setattr(pace, "QUIET_SECONDS", 0.2)
    monkeypatch.setattr(lookout, "LISTEN_SECONDS", 0.2)
    monkeypatch.setattr(lookout, "FIRST_SECONDS", 0.1)
    counters.take()
    yield
    counters.take()


def options(url: str, directory: Path, seconds: float = 3600.0, host: str = "here") -> Options:
    return Options(url, directory, seconds, host)


@pytest.fixture
def watching(broker: str, tmp_path: Path) -> Iterator[tuple[Lookout, Queue[Snapshot]]]:
    seen: Queue[Snapshot] = Queue()
    thread = Lookout(options(broker, tmp_path), TOOLS, lambda one, _: seen.put(one))
    thread.start()
    yield thread, seen
    thread.stop()
    thread.join(60)
    assert not thread.is_alive()


def execute(redis: redis_library.Redis, *steps: object) -> None:
    pipe = redis.pipeline(transaction=False)
    for step in steps:
        step(pipe)  # type: ignore[operator]
    pipe.execute()


def test_what_is_told_can_be_read_and_everything_has_a_lifetime(redis: redis_library.Redis) -> None:
    one, two = (
        snapshot(reading(), host="one"),
        snapshot(reading("mcp", base=5), host="two", calls=3),
    )
    ending = Ending(5.0, "one", "agent", 7, "killed", "SIGKILL")
    execute(
        redis,
        lambda pipe: board.announce_calls(pipe, "one:1", 2),
        lambda pipe: board.announce_calls(pipe, "two:1", 3),
        lambda pipe: board.announce_snapshot(pipe, one),
        lambda pipe: board.announce_snapshot(pipe, two),
        lambda pipe: board.count(pipe, {"fillers": 2}),
        lambda pipe: board.count(pipe, {"fillers": 1, "calls_refused": 1}),
        lambda pipe: board.tell_endings(pipe, [ending]),
    )
    state = board.read(redis)
    assert state.snapshots == [one, two]
    assert state.calls == board.calls(redis) == 5
    assert state.counters == {"fillers": 3, "calls_refused": 1}
    assert state.endings == [ending]
    assert all(redis.ttl(key) > 0 for key in redis.keys("*"))


def test_who_is_silent_is_forgotten(redis: redis_library.Redis) -> None:
    execute(redis, lambda pipe: board.announce_calls(pipe, "dead:1", 2))
    redis.delete(keys.announcement(board.WEB, "dead:1"))
    assert board.read(redis).calls == 0
    assert redis.smembers(keys.announced(board.WEB)) == set()


def test_what_another_version_wrote_is_passed_over(redis: redis_library.Redis) -> None:
    execute(redis, lambda pipe: board.announce(pipe, board.MEMORY, "old", '{"host": "old"}', 60))
    execute(redis, lambda pipe: board.announce(pipe, board.WEB, "old", "[]", 60))
    redis.lpush(keys.endings(), "nothing")
    assert board.read(redis) == board.State()


def test_only_the_last_endings_are_kept(redis: redis_library.Redis) -> None:
    told = [Ending(float(n), "h", "agent", n, "recycled") for n in range(board.MOST_ENDINGS + 9)]
    execute(redis, lambda pipe: board.tell_endings(pipe, told))
    endings = board.read(redis).endings
    assert len(endings) == board.MOST_ENDINGS
    assert endings[0].pid == told[-1].pid


def test_a_look_by_the_clock_and_one_when_a_call_begins(
    redis: redis_library.Redis, watching: tuple[Lookout, Queue[Snapshot]]
) -> None:
    _, seen = watching
    first = seen.get(timeout=60)
    assert (first.why, first.calls, first.host) == (CLOCK, 0, "here")
    wait_until(lambda: bool(redis.pubsub_numsub(keys.nudges())[0][1]), 60, "somebody listens")
    execute(redis, lambda pipe: board.announce_calls(pipe, "web:1", 1), board.nudge)
    second = seen.get(timeout=60)
    assert (second.why, second.calls) == (CALLS, 1)
    assert board.read(redis).snapshots == [second]


def test_counts_of_its_process_go_with_it(
    redis: redis_library.Redis, broker: str, tmp_path: Path
) -> None:
    counters.add("memory_errors", 2)
    seen: Queue[Snapshot] = Queue()
    thread = Lookout(options(broker, tmp_path), TOOLS, lambda one, _: seen.put(one))
    thread.start()
    seen.get(timeout=60)
    thread.stop()
    thread.join(60)
    assert board.read(redis).counters == {"memory_errors": 2}
    assert not counters.waiting()


def test_without_a_broker_it_looks_all_the_same(tmp_path: Path) -> None:
    counters.add("memory_errors")
    seen: Queue[tuple[Snapshot, object]] = Queue()
    nowhere = "redis://127.0.0.1:1/0"
    thread = Lookout(options(nowhere, tmp_path), TOOLS, lambda *both: seen.put(both))
    thread.start()
    found, client = seen.get(timeout=60)
    assert (found.calls, client) == (None, None)
    assert counters.take() == {"memory_errors": 1}
    thread.stop()
    thread.join(60)


def test_who_is_not_first_looks_only_when_the_first_is_gone(
    redis: redis_library.Redis, broker: str, tmp_path: Path
) -> None:
    note = tmp_path / "looked-here"
    note.write_text('{"rank": 0, "pid": 1}')
    mine = options(broker, tmp_path, seconds=0.2)
    thread = Lookout(mine, FLOWER)
    asked = mine.turn(FLOWER)
    assert not asked.is_mine()
    thread.start()
    # The note of the first grows old, and this one's own takes its place.
    wait_until(lambda: str(os.getpid()) in note.read_text(), 60, "the second looks")
    wait_until(lambda: bool(board.read(redis).snapshots), 60, "the second tells")
    thread.stop()
    thread.join(60)


async def test_a_web_process_tells_its_calls_at_once(
    redis: redis_library.Redis, broker: str, tmp_path: Path, settings: Any
) -> None:
    client = AsyncRedis.from_url(broker)
    ear = redis.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]
    ear.subscribe(keys.nudges())
    beating = asyncio.create_task(Pulse(client, options(broker, tmp_path)).run())
    try:
        await told(redis, 0)
        with admission.counted("user:1"):
            await told(redis, 1)
            settings.MAX_CALLS = 1
            with pytest.raises(Refused):
                admission.check("user:2", redis)
        await told(redis, 0)
        assert await asyncio.to_thread(heard, ear) is not None
        await until(lambda: board.read(redis).counters == {"calls_refused": 1}, "it is counted")
    finally:
        beating.cancel()
        await asyncio.wait({beating})
        ear.close()
        await client.aclose()
    assert not admission._watchers


async def until(true: Callable[[], bool], what: str) -> None:
    await asyncio.to_thread(wait_until, true, 60, what)


async def told(redis: redis_library.Redis, calls: int) -> None:
    def is_told() -> bool:
        return redis.scard(keys.announced(board.WEB)) == 1 and board.calls(redis) == calls

    await until(is_told, f"{calls} calls are told")


def heard(ear: redis_library.client.PubSub) -> object:
    for _ in range(60):
        if (message := ear.get_message(timeout=1.0)) is not None:
            return message
    return None


async def test_a_web_process_alone_on_its_machine_looks_itself(
    redis: redis_library.Redis, broker: str, tmp_path: Path
) -> None:
    client = AsyncRedis.from_url(broker)
    pulse = Pulse(client, options(broker, tmp_path))
    await pulse._look()
    (found,) = board.read(redis).snapshots
    assert (found.host, found.why) == ("here", CLOCK)
    await client.aclose()


def test_a_broker_elsewhere_is_asked_itself(redis: redis_library.Redis) -> None:
    url = "rediss://:secret@key-value.example:6379"
    asked = broker_word(redis, url, [snapshot(reading("web"), calls=2)])
    assert asked is not None
    (found,) = asked.readings
    assert (asked.host, asked.calls, found.role) == ("broker key-value.example", 2, "broker")
    assert found.rss > 1000
    assert asked.allowance.used_kib is not None
    assert "secret" not in asked.host
    here = snapshot(reading("broker"))
    assert broker_word(redis, url, [here]) is None
    # Its own last word is no machine's.
    assert broker_word(redis, url, [asked]) is not None


def broker_word(redis: redis_library.Redis, url: str, others: list[Snapshot]) -> Snapshot | None:
    return broker.snapshot_of(redis, url, others)


def test_the_log_line_has_every_role(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "monitor.memory")
    found = snapshot(reading("web", pss=80 * 1024), reading("agent child", pss=30 * 1024), calls=3)
    lookout.log(found)
    (record,) = caplog.records
    told = {
        name: getattr(record, name) for name in ("calls", "total_mb", "web_mb", "agent_child_mb")
    }
    assert told == {"calls": 3, "total_mb": 110, "web_mb": 80, "agent_child_mb": 30}
    assert record.allowance_percent == 50  # type: ignore[attr-defined]
