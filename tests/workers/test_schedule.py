"""What is begun by the clock: once for each period, whoever looks, and again when nobody did."""

from __future__ import annotations

import json
from typing import Any

import pytest
import redis as redis_library

from voice import envelope, keys
from workers import schedule
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
    assert one.push_due(redis, 0.0) == [CHORE.task]
    assert other.push_due(redis, 0.0) == []
    assert one.push_due(redis, 0.1) == other.push_due(redis, 0.1) == []
    assert queued(redis) == ["workers.tasks.join_recordings"]
    pass_time(redis, CHORE)
    # The first has died meanwhile; the other one goes on.
    assert other.push_due(redis, CHORE.seconds) == [CHORE.task]
    assert len(queued(redis)) == 2


@pytest.mark.service
def test_a_worker_that_starts_again_neither_repeats_nor_skips(redis: redis_library.Redis) -> None:
    daily = next(chore for chore in CHORES if chore.seconds == schedule.DAY_SECONDS)
    assert Schedule([daily]).push_due(redis, 0.0) == [daily.task]
    assert Schedule([daily]).push_due(redis, 7.0) == []
    assert 86_000 < redis.ttl(keys.scheduled(daily.task)) <= 86_400
    pass_time(redis, daily)
    assert Schedule([daily]).push_due(redis, 0.0) == [daily.task]


@pytest.mark.service
def test_the_broker_is_asked_only_when_something_may_be_due(redis: redis_library.Redis) -> None:
    daily = Chore("delete_old_records", schedule.DAY_SECONDS)
    kept = Schedule([CHORE, daily])
    assert kept.push_due(redis, 0.0) == [CHORE.task, daily.task]
    nobody: Any = None
    assert kept.push_due(nobody, CHORE.seconds - 1) == []
    # A broker that has forgotten everything is noticed.
    redis.flushdb()
    assert kept.push_due(redis, MOST_SECONDS) == [CHORE.task, daily.task]


@pytest.mark.service
def test_what_was_not_done_in_its_period_is_not_done_late(redis: redis_library.Redis) -> None:
    Schedule([CHORE]).push_due(redis, 0.0)
    (message,) = [json.loads(raw) for raw in redis.lrange(QUEUE, 0, -1)]
    assert message["headers"]["expires"]
    assert message["properties"]["delivery_info"]["routing_key"] == QUEUE
