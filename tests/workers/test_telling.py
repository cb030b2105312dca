"""A worker's telling is one step in Redis: all of it, or nothing once another has the turn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import redis as redis_library
from django.contrib.auth import get_user_model

from voice import envelope, keys
from voice.events import SentenceReady, TurnStarted, decode
from voice.models import Call, Turn
from voice.streams import FIELD
from workers.errors import LeaseLost
from workers.lease import Lease
from workers.turn_record import TurnRecord

pytestmark = [pytest.mark.service, pytest.mark.django_db]
TASK = b'{"a": "task"}'


@pytest.fixture
def turn() -> Turn:
    user = get_user_model().objects.create_user("anna")
    call = Call.objects.create(user=user)
    return Turn.objects.create(call=call, number=1, state=Turn.State.WAITING, transcript="hello")


@pytest.fixture
def told(turn: Turn, redis: redis_library.Redis) -> Callable[[], list[object]]:
    def read() -> list[object]:
        entries: Any = redis.xrange(keys.call_stream(str(turn.call_id)))
        return [decode(fields[FIELD]) for _, fields in entries]

    return read


def held(turn: Turn, redis: redis_library.Redis) -> Lease:
    record = TurnRecord.claim(str(turn.pk), redis, 1500)
    assert record is not None
    record.started()
    return record.lease


def test_a_sentence_its_event_and_its_task_are_there_together(
    turn: Turn, redis: redis_library.Redis, told: Callable[[], list[object]]
) -> None:
    lease, turn_id = held(turn, redis), str(turn.pk)
    ready = SentenceReady(turn_id, 0, "Hello.")
    lease.tell(ready, sentences={"0": "Hello.", "call": "c"}, speech=[TASK])
    assert told() == [TurnStarted(turn_id), ready]
    assert redis.hgetall(keys.reply_text(turn_id)) == {b"0": b"Hello.", b"call": b"c"}
    assert redis.lrange(envelope.SPEECH, 0, -1) == [TASK]
    assert redis.ttl(keys.reply_text(turn_id)) > 0
    assert redis.ttl(keys.call_stream(str(turn.call_id))) > 0


def test_a_worker_that_lost_its_turn_tells_and_queues_nothing(
    turn: Turn, redis: redis_library.Redis, told: Callable[[], list[object]]
) -> None:
    late = held(turn, redis)
    Turn.objects.filter(pk=turn.pk).update(lease_until=None)
    held(turn, redis)
    before = told()
    with pytest.raises(LeaseLost):
        late.tell(SentenceReady(str(turn.pk), 0, "x"), sentences={"0": "x"}, speech=[TASK])
    assert told() == before
    assert not redis.exists(keys.reply_text(str(turn.pk)), envelope.SPEECH)


def test_telling_learns_that_the_caller_has_cancelled(
    turn: Turn, redis: redis_library.Redis, told: Callable[[], list[object]]
) -> None:
    lease = held(turn, redis)
    assert not lease.cancelled
    redis.set(keys.cancelled(str(turn.pk)), 1, ex=60)
    lease.tell()
    assert lease.cancelled


def test_the_start_of_a_cancelled_turn_is_not_told(
    turn: Turn, redis: redis_library.Redis, told: Callable[[], list[object]]
) -> None:
    redis.set(keys.cancelled(str(turn.pk)), 1, ex=60)
    assert held(turn, redis).cancelled
    assert told() == []
