"""What a child claims is nobody else's, and is queued again when the child is dead."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis as redis_library
from redis.backoff import NoBackoff
from redis.retry import Retry

from voice import holders, keys
from workers.claims import UNSEEN_SECONDS, Claims, give_back, give_back_lost
from workers.returns import Returns

QUEUE = "agent"


@pytest.fixture
def redis(second_broker: str) -> Iterator[redis_library.Redis]:
    with redis_library.Redis.from_url(second_broker) as client:
        client.flushdb()
        yield client


@pytest.fixture
def dead() -> str:
    """A process that was."""
    with subprocess.Popen(["sleep", "60"]) as child:
        name = holders.name_of(child.pid)
        child.kill()
    return name


def queued(redis: redis_library.Redis) -> list[bytes]:
    """The next one first."""
    waiting: Any = redis.lrange(QUEUE, 0, -1)
    return list(waiting[::-1])


def fill(redis: redis_library.Redis, *messages: bytes) -> None:
    for message in messages:
        redis.lpush(QUEUE, message)


def test_what_came_first_is_claimed_first_and_is_gone_when_it_is_done(
    redis: redis_library.Redis,
) -> None:
    fill(redis, b"one", b"two")
    mine = Claims(redis, QUEUE)
    mine.open()
    assert [mine.next(0.1), mine.next(0.1), mine.next(0.01)] == [b"one", b"two", None]
    mine.done(b"one")
    mine.done(b"two")
    mine.close()
    assert not redis.keys(f"{keys.PREFIX}claim*")


def test_what_is_claimed_has_a_lifetime_at_every_moment(redis: redis_library.Redis) -> None:
    mine = Claims(redis, QUEUE)
    mine.open()
    for message in (b"one", b"two"):
        fill(redis, message)
        assert mine.next(0.1) == message
        assert redis.ttl(keys.claims(QUEUE, holders.this_process())) > 0
        mine.done(message)
        assert redis.ttl(keys.claims(QUEUE, holders.this_process())) > 0
    assert redis.ttl(keys.claimers(QUEUE)) > 0


def test_claims_of_the_dead_come_first_again_and_those_of_the_living_stay(
    redis: redis_library.Redis, dead: str
) -> None:
    fill(redis, b"one", b"two", b"three")
    theirs, mine = Claims(redis, QUEUE, dead), Claims(redis, QUEUE)
    theirs.open()
    mine.open()
    assert [theirs.next(0.1), theirs.next(0.1), mine.next(0.1)] == [b"one", b"two", b"three"]
    fill(redis, b"four")
    assert give_back_lost(redis, QUEUE, time.time()) == 2
    assert queued(redis) == [b"one", b"two", b"four"]
    assert give_back_lost(redis, QUEUE, time.time()) == 0


def test_a_claimer_of_another_machine_is_dead_when_nobody_has_seen_it_for_long(
    redis: redis_library.Redis,
) -> None:
    fill(redis, b"one")
    theirs = Claims(redis, QUEUE, "another/boot/1/1")
    theirs.open()
    theirs.next(0.1)
    assert give_back_lost(redis, QUEUE, time.time()) == 0
    assert give_back_lost(redis, QUEUE, time.time() + UNSEEN_SECONDS) == 1
    assert queued(redis) == [b"one"]


def test_a_move_whose_answer_was_lost_goes_back_and_what_runs_stays(
    redis: redis_library.Redis,
) -> None:
    fill(redis, b"one", b"lost")
    mine = Claims(redis, QUEUE)
    mine.open()
    mine.next(0.1)
    mine.next(0.1)
    assert mine.give_back_but([b"one"]) == 1
    assert queued(redis) == [b"lost"]


def test_what_could_not_be_told_is_told_later(redis: redis_library.Redis) -> None:
    class Deaf:
        """A broker that does not hear."""

        def lrem(self, *_: object) -> None:
            raise redis_library.ConnectionError

    fill(redis, b"one")
    mine = Claims(redis, QUEUE)
    mine.open()
    mine.next(0.1)
    mine._redis = Deaf()
    mine.done(b"one")
    mine._redis = redis
    mine.close()
    assert not redis.exists(keys.claims(QUEUE, holders.this_process()), QUEUE)


def test_what_is_left_for_after_a_death_is_not_queued_before(
    redis: redis_library.Redis, dead: str
) -> None:
    theirs = Claims(redis, QUEUE, dead)
    theirs.leave(b"last will")
    assert queued(redis) == []
    assert give_back(redis, QUEUE, dead) == 1
    assert queued(redis) == [b"last will"]


def test_the_parent_gives_back_at_once_or_when_the_broker_answers_again(
    redis: redis_library.Redis,
) -> None:
    clients = [redis_library.Redis(port=1, retry=Retry(NoBackoff(), 0)), redis]
    returns = Returns(lambda: clients[0])
    with subprocess.Popen(["sleep", "60"]) as child:
        returns.began(child.pid)
        theirs = Claims(redis, QUEUE, holders.name_of(child.pid))
        theirs.open()
        fill(redis, b"one")
        theirs.next(0.1)
        child.kill()
    returns.ended(child.pid, now=100.0)
    assert queued(redis) == []
    clients.pop(0)
    returns.look(now=100.5)
    assert queued(redis) == []
    returns.look(now=102.0)
    assert queued(redis) == [b"one"]
