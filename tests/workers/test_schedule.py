"""What is begun by the clock: once for each period, whoever looks, and again when nobody did."""

from __future__ import annotations

import json
from typing import Any

import pytest
import redis as redis_library

from voice import envelope, keys
from workers import schedule
from workers.clock import Clock
from workers.schedule import CHORES, MOST_SECONDS, Chore, Schedule

CHORE = Chore("join_recordings", 30.0)
QUEUE = envelope.queue_of(CHORE.task)


def queued(redis: redis_library.Redis, queue: str = QUEUE) -> list[str]:
    messages: Any = redis.lrange(queue, 0, -1)
    return [json.loads(message)["headers"]["task"] for message in messages]


def pass_time(redis: redis_library.Redis, chore: Chore) -> None:
    """As when its period is over."""
    assert redis.delete(keys.scheduled(chore.task)) == 1


def test_only_who_does_the_long_chores_keeps_the_schedule() -> None:
    assert schedule.of_queues(["agent", "chores"]).chores == CHORES
    assert schedule.of_queues(["agent", "speech"]).chores == ()


@pytest.mark.service
def test_a_chore_is_begun_once_for_each_period_whoever_looks(redis: redis_library.Redis) -> None:
    one, other = Schedule([CHORE]), Schedule([CHORE])
    assert one.begin_due(redis, 0.0) == [CHORE.task]
    assert other.begin_due(redis, 0.0) == []
    assert one.begin_due(redis, 0.1) == other.begin_due(redis, 0.1) == []
    assert queued(redis) == ["workers.tasks.join_recordings"]
    pass_time(redis, CHORE)
    # The first has died meanwhile; the other one goes on.
    assert other.begin_due(redis, CHORE.seconds) == [CHORE.task]
    assert len(queued(redis)) == 2


@pytest.mark.service
def test_a_worker_that_starts_again_neither_repeats_nor_skips(redis: redis_library.Redis) -> None:
    daily = next(chore for chore in CHORES if chore.seconds == schedule.DAY_SECONDS)
    assert Schedule([daily]).begin_due(redis, 0.0) == [daily.task]
    assert Schedule([daily]).begin_due(redis, 7.0) == []
    assert 86_000 < redis.ttl(keys.scheduled(daily.task)) <= 86_400
    pass_time(redis, daily)
    assert Schedule([daily]).begin_due(redis, 0.0) == [daily.task]


@pytest.mark.service
def test_the_broker_is_asked_only_when_something_may_be_due(redis: redis_library.Redis) -> None:
    daily = Chore("delete_old_records", schedule.DAY_SECONDS)
    kept = Schedule([CHORE, daily])
    assert kept.begin_due(redis, 0.0) == [CHORE.task, daily.task]
    nobody: Any = None
    assert kept.begin_due(nobody, CHORE.seconds - 1) == []
    # A broker that has forgotten everything is noticed.
    redis.flushdb()
    assert kept.begin_due(redis, MOST_SECONDS) == [CHORE.task, daily.task]


@pytest.mark.service
def test_what_was_not_done_in_its_period_is_not_done_late(redis: redis_library.Redis) -> None:
    Schedule([CHORE]).begin_due(redis, 0.0)
    (message,) = [json.loads(raw) for raw in redis.lrange(QUEUE, 0, -1)]
    assert message["headers"]["expires"]
    assert message["properties"]["delivery_info"]["routing_key"] == QUEUE


@pytest.mark.service
def test_a_chore_that_is_done_here_is_not_pushed_and_done_once(redis: redis_library.Redis) -> None:
    done: list[str] = []
    one, other = (Schedule([CHORE], {CHORE.task: lambda: done.append("here")}) for _ in range(2))
    assert one.begin_due(redis, 0.0) == [CHORE.task]
    assert other.begin_due(redis, 0.0) == []
    assert done == ["here"]
    assert queued(redis) == []
    pass_time(redis, CHORE)
    assert other.begin_due(redis, CHORE.seconds) == [CHORE.task]
    assert done == ["here", "here"]


@pytest.mark.service
@pytest.mark.django_db(transaction=True)
def test_a_chore_that_fails_is_told_once_and_tried_again(
    redis: redis_library.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    failures = [ValueError("secret words"), ValueError("secret words"), None]

    def chore() -> None:
        if (failure := failures.pop(0)) is not None:
            raise failure

    clock = Clock(Schedule([CHORE], {CHORE.task: chore}), lambda: redis)
    for number in range(3):
        clock.tick(number * CHORE.seconds)
        pass_time(redis, CHORE)
    assert not failures
    (line,) = [record for record in caplog.records if record.name == "workers.clock"]
    assert line.error.startswith("ValueError test_schedule.py:")  # type: ignore[attr-defined]
    assert "secret" not in caplog.text
