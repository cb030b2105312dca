"""What a dead process left: who queues it again, when, and what becomes of words nobody wrote."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import redis as redis_library
from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.utils import timezone
from redis.asyncio import Redis

from voice import keys, leases, leftovers, streams
from voice.events import Transcribed
from voice.models import Call, Turn
from voice.records import this_process
from voice.sweeper import Sweeper

pytestmark = [pytest.mark.service, pytest.mark.django_db(transaction=True)]
State = Turn.State
LONG = timedelta(seconds=leftovers.QUEUED_SECONDS + 1)


class Queue:
    def __init__(self) -> None:
        self.sent: list[tuple[str | int, ...]] = []

    async def send(self, task: str, *ids: str | int) -> None:
        self.sent.append((task, *ids))


@pytest.fixture
def queue() -> Queue:
    return Queue()


@pytest.fixture
async def sweeper(broker: str, queue: Queue) -> AsyncIterator[Sweeper]:
    async with Redis.from_url(broker) as client:
        yield Sweeper(client, queue)


@pytest.fixture
def call(transactional_db: None) -> Call:
    user = get_user_model().objects.create_user("anna")
    return Call.objects.create(user=user, served_by="another", served_at=timezone.now())


async def make(call: Call, state: Turn.State, number: int = 1, **values: Any) -> Turn:
    turn = await Turn.objects.acreate(
        call=call, number=number, state=state, transcript="add milk", **values
    )
    await Turn.objects.filter(pk=turn.pk).aupdate(created_at=timezone.now() - LONG)
    return turn


async def end(call: Call) -> None:
    await Call.objects.filter(pk=call.pk).aupdate(ended_at=timezone.now())


def run(turn: Turn) -> tuple[str, str]:
    return "run_turn", str(turn.pk)


async def test_a_turn_whose_lease_ran_out_is_queued_once(
    sweeper: Sweeper, queue: Queue, call: Call, redis: redis_library.Redis
) -> None:
    now = timezone.now()
    lost = await make(call, State.THINKING, 1, lease_until=now - timedelta(seconds=1))
    untold = await make(call, State.SPEAKING, 2, lease_until=now - timedelta(seconds=1))
    await make(call, State.THINKING, 3, lease_until=now + timedelta(seconds=60))
    await make(call, State.DONE, 4)
    for _ in range(3):
        await sweeper.sweep()
    assert sorted(queue.sent) == sorted([run(lost), run(untold)])
    # Nobody took it: it is queued again.
    await Turn.objects.filter(pk=lost.pk).aupdate(queued_at=now - LONG)
    await sweeper.sweep()
    assert queue.sent[2:] == [run(lost)]


async def test_a_turn_whose_holder_is_dead_is_not_waited_for(
    sweeper: Sweeper, queue: Queue, call: Call, redis: redis_library.Redis
) -> None:
    later = timezone.now() + timedelta(seconds=60)
    me = leases.this_process()
    await make(call, State.THINKING, 1, lease_until=later, lease_holder=me)
    # The same process id, started at another time: that one is gone.
    other = f"{me.rpartition('/')[0]}/1"
    lost = await make(call, State.THINKING, 2, lease_until=later, lease_holder=other)
    # Nothing is known of a process of another machine.
    far = f"elsewhere{me[9:]}"
    await make(call, State.THINKING, 3, lease_until=later, lease_holder=far)
    await sweeper.sweep()
    assert queue.sent == [run(lost)]


async def test_a_waiting_turn_is_queued_again_when_no_queue_has_it_and_a_worker_lives(
    sweeper: Sweeper, queue: Queue, call: Call, redis: redis_library.Redis
) -> None:
    long_ago = timezone.now() - LONG
    lost = await make(call, State.WAITING, 1, queued_at=long_ago)
    queued = await make(call, State.WAITING, 2, queued_at=long_ago)
    await make(call, State.WAITING, 3, queued_at=timezone.now())
    # Behind the turn that runs: its web process will come to it.
    await make(call, State.WAITING, 4)
    redis.rpush("agent", f'{{"headers": {{"argsrepr": "[{queued.pk}]"}}}}')
    await sweeper.sweep()
    assert queue.sent == []
    redis.set(keys.heartbeat("agent"), "{}")
    for _ in range(2):
        await sweeper.sweep()
    assert queue.sent == [run(lost)]


async def test_the_calls_of_a_dead_web_process_end_and_their_turns_go_on_in_order(
    sweeper: Sweeper, queue: Queue, call: Call, redis: redis_library.Redis
) -> None:
    redis.set(keys.heartbeat("agent"), "{}")
    speaking = await make(call, State.SPEAKING, 1)
    first = await make(call, State.WAITING, 2)
    second = await make(call, State.WAITING, 3)
    await sweeper.sweep()
    assert queue.sent == []
    dead = timezone.now() - timedelta(seconds=leftovers.SERVED_SECONDS + 1)
    await Call.objects.filter(pk=call.pk).aupdate(served_at=dead)
    for _ in range(2):
        await sweeper.sweep()
    await call.arefresh_from_db()
    await speaking.arefresh_from_db()
    assert call.ended_at is not None
    assert call.end_reason == "web process ended"
    assert speaking.state == State.INTERRUPTED
    assert queue.sent == [run(first)]
    await Turn.objects.filter(pk=first.pk).aupdate(state=State.INTERRUPTED)
    await sweeper.sweep()
    assert queue.sent == [run(first), run(second)]


async def test_a_live_process_keeps_its_calls(
    sweeper: Sweeper, call: Call, redis: redis_library.Redis
) -> None:
    dead = timezone.now() - timedelta(hours=1)
    mine = Call.objects.filter(pk=call.pk)
    await mine.aupdate(served_by=this_process(), served_at=dead)
    await sweeper.sweep()
    await call.arefresh_from_db()
    assert call.ended_at is None
    assert call.served_at is not None
    assert call.served_at > dead


@pytest.mark.parametrize(
    ("heard", "kept", "state", "error"),
    [
        (Transcribed("u", "add bread"), False, State.WAITING, ""),
        (Transcribed("u", "", failed=True), True, State.FAILED, "not heard"),
        (Transcribed("u", ""), False, None, ""),
        (Transcribed("other", "x"), False, State.FAILED, "not heard"),
        (None, False, State.FAILED, "not heard"),
        (None, True, State.TRANSCRIBING, ""),
    ],
)
async def test_words_that_no_process_waited_for_reach_their_turn(
    sweeper: Sweeper,
    queue: Queue,
    call: Call,
    redis: redis_library.Redis,
    heard: Transcribed | None,
    kept: bool,
    state: Turn.State | None,
    error: str,
) -> None:
    redis.set(keys.heartbeat("speech"), "{}")
    turn = await make(call, State.TRANSCRIBING, utterance_id="u")
    await end(call)
    if heard is not None:
        streams.publish(redis, keys.call_stream(str(call.pk)), heard)
    if kept:
        redis.hset(keys.utterance("u"), mapping={"format": "mulaw/8000", "audio": b"x"})
    for _ in range(2):
        await sweeper.sweep()
    row = await Turn.objects.filter(pk=turn.pk).afirst()
    assert (row and row.state) == state
    assert (row.error if row else "") == error
    again = [("transcribe", "u", str(call.pk))] if state == State.TRANSCRIBING else []
    assert queue.sent == again
    if state == State.WAITING:
        assert row
        assert row.transcript == "add bread"


async def test_a_live_calls_utterance_is_heard_again_and_never_failed(
    sweeper: Sweeper, queue: Queue, call: Call, redis: redis_library.Redis
) -> None:
    redis.set(keys.heartbeat("speech"), "{}")
    gone = await make(call, State.TRANSCRIBING, 1, utterance_id="gone")
    await make(call, State.TRANSCRIBING, 2, utterance_id="u")
    redis.hset(keys.utterance("u"), mapping={"format": "mulaw/8000", "audio": b"x"})
    for _ in range(2):
        await sweeper.sweep()
    assert queue.sent == [("transcribe", "u", str(call.pk))]
    await gone.arefresh_from_db()
    assert gone.state == State.TRANSCRIBING


async def test_of_two_that_look_at_once_one_queues(call: Call, redis: redis_library.Redis) -> None:
    turn = await make(call, State.WAITING, queued_at=timezone.now() - LONG)
    now = timezone.now()
    seen = [await sync_to_async(leftovers.waiting)(now) for _ in range(2)]
    won = [await sync_to_async(leftovers.take_waiting)(rows[0], now) for rows in seen]
    assert won == [True, False]
    assert seen[0][0].pk == uuid.UUID(str(turn.pk))
