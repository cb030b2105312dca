"""The rows and keys of a turn that the model answers: what a process that dies leaves of them."""

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

from voice import events, keys, leftovers
from voice import records as call_records
from voice.audio import PHONE
from voice.audio_store import AudioStore
from voice.models import Call, ProviderUse, Turn
from voice.options import PlayoutOptions
from voice.playout import ReplyPlayout
from voice.realtime import deeds, records
from voice.realtime.hand import Hand
from voice.realtime.protocol import Usage
from voice.streams import FIELD
from voice.turns import LiveTurn

pytestmark = [pytest.mark.service, pytest.mark.django_db(transaction=True)]
State = Turn.State
LONG = timedelta(seconds=leftovers.QUEUED_SECONDS + 1)


@pytest.fixture
def call(transactional_db: None) -> Call:
    user = get_user_model().objects.create_user("anna")
    return Call.objects.create(user=user, served_by="another", served_at=timezone.now())


@pytest.fixture
async def turn(call: Call) -> LiveTurn:
    """Its row is written as it is when the model is asked."""
    live = LiveTurn(
        playout=ReplyPlayout(PHONE, PlayoutOptions()), number=1, utterance_id=str(uuid.uuid4())
    )
    await call_records.begin_turn(str(call.pk), live, asked=False)
    await Turn.objects.aupdate(created_at=timezone.now() - LONG)
    return live


async def row() -> Turn:
    return await Turn.objects.aget()


async def look() -> leftovers.Found:
    return await sync_to_async(leftovers.look)(timezone.now())


async def web_process_dies(call: Call) -> None:
    before = timezone.now() - timedelta(seconds=leftovers.SERVED_SECONDS + 1)
    await Call.objects.filter(pk=call.pk).aupdate(served_at=before)


async def test_words_are_written_and_no_worker_is_asked_while_the_process_lives(
    turn: LiveTurn,
) -> None:
    turn.transcript, turn.language = "add milk", "en"
    await records.set_words(turn)
    written = await row()
    assert (written.state, written.transcript, written.queued_at) == (
        State.WAITING,
        "add milk",
        None,
    )
    found = await look()
    assert (found.lost, found.waiting, found.unheard) == ([], [], [])


async def test_a_turn_with_words_of_a_dead_process_is_answered_by_a_worker(
    call: Call, turn: LiveTurn
) -> None:
    turn.transcript = "add milk"
    await records.set_words(turn)
    await web_process_dies(call)
    assert [str(one.pk) for one in (await look()).waiting] == [turn.id]


async def test_a_turn_without_words_of_a_dead_process_is_heard_again(
    call: Call, turn: LiveTurn
) -> None:
    await web_process_dies(call)
    (unheard,) = (await look()).unheard
    assert (unheard.turn_id, unheard.utterance_id) == (turn.id, turn.utterance_id)


async def test_a_complete_answer_is_not_given_again_when_the_process_dies(
    call: Call, turn: LiveTurn
) -> None:
    turn.transcript, turn.reply = "add milk", "Added milk."
    await records.set_words(turn)
    await records.set_reply(turn, "gpt-realtime-2.1")
    assert (await row()).state == State.SPEAKING
    await web_process_dies(call)
    found = await look()
    assert (found.lost, found.waiting, found.unheard) == ([], [], [])
    written = await row()
    assert (written.state, written.reply, written.model_name) == (
        State.INTERRUPTED,
        "Added milk.",
        "openai/gpt-realtime-2.1",
    )


async def test_words_that_come_after_the_end_change_no_state(turn: LiveTurn) -> None:
    turn.reply = "Added milk."
    await records.set_reply(turn, "m")
    await call_records.finish_turn(turn, "done", "Added milk.")
    turn.transcript = "add milk"
    await records.set_words(turn)
    written = await row()
    assert (written.state, written.transcript, written.heard) == (
        State.DONE,
        "add milk",
        "Added milk.",
    )


async def test_a_reply_written_after_the_call_has_ended_is_an_end(
    call: Call, turn: LiveTurn
) -> None:
    await Call.objects.aupdate(ended_at=timezone.now())
    await records.set_reply(turn, "m")
    assert (await row()).state == State.INTERRUPTED


async def test_what_was_asked_is_charged_by_its_tokens(call: Call, turn: LiveTurn) -> None:
    usage = Usage(text_in=100, audio_in=900, text_out=20, audio_out=80)
    await records.charge_response(
        str(call.pk), deeds.ChargeResponse(usage, turn.id, 310, 900), "gpt-realtime-2.1"
    )
    stopped = deeds.ChargeResponse(usage, turn.id, None, 400, "client_cancelled")
    await records.charge_response(str(call.pk), stopped, "gpt-realtime-2.1")
    heard = deeds.ChargeWords(Usage(seconds=2.0), turn.utterance_id, 2100)
    await records.charge_words(str(call.pk), heard, "gpt-transcribe")
    first, second, third = [use async for use in ProviderUse.objects.order_by("pk")]
    cost = 100 * 4 + 900 * 32 + 20 * 24 + 80 * 64
    assert (first.stage, first.tokens_in, first.tokens_out) == ("think", 1000, 100)
    assert (first.cost_micro_usd, first.first_ms, str(first.turn_id)) == (cost, 310, turn.id)
    assert (second.error, second.cost_micro_usd) == ("cancelled", cost)
    assert (third.stage, third.audio_ms, third.cost_micro_usd) == ("hear", 2000, 150)


# Keys --------------------------------------------------------------------------------------------
@pytest.fixture
async def store(broker: str, redis: redis_library.Redis) -> AsyncIterator[AudioStore]:
    async with Redis.from_url(broker) as client:
        yield AudioStore(client)


async def test_a_piece_written_twice_is_there_once(
    store: AudioStore, redis: redis_library.Redis
) -> None:
    for offset, audio in ((0, b"one"), (0, b"one"), (3, b"two"), (3, b"two"), (6, b"three")):
        assert await store.append_reply("t", 0, offset, audio)
    assert redis.get(keys.reply_audio("t", 0)) == b"onetwothree"
    assert 0 < redis.ttl(keys.reply_audio("t", 0)) <= keys.AUDIO_SECONDS


async def test_a_piece_whose_beginning_is_lost_is_not_written(
    store: AudioStore, redis: redis_library.Redis
) -> None:
    await store.append_reply("t", 0, 0, b"one")
    redis.delete(keys.reply_audio("t", 0))
    assert not await store.append_reply("t", 0, 3, b"two")
    assert not redis.exists(keys.reply_audio("t", 0))


async def test_a_reply_begun_anew_replaces_the_old_one(
    store: AudioStore, redis: redis_library.Redis
) -> None:
    await store.append_reply("t", 0, 0, b"the old one")
    await store.append_reply("t", 0, 0, b"new")
    assert redis.get(keys.reply_audio("t", 0)) == b"new"


class Queue:
    def __init__(self) -> None:
        self.sent: list[tuple[Any, ...]] = []

    async def send(self, task: str, *ids: str | int) -> None:
        self.sent.append((task, *ids))


@pytest.fixture
def queue() -> Queue:
    return Queue()


@pytest.fixture
def hand(call: Call, store: AudioStore, queue: Queue) -> Hand:
    return Hand(
        str(call.pk),
        PHONE,
        store=store,
        queue=queue,
        records=records,
        model="m",
        transcribe_model="t",
    )


async def test_a_tool_is_asked_for_by_ids_and_its_arguments_lie_in_a_key(
    hand: Hand, queue: Queue, redis: redis_library.Redis
) -> None:
    await hand.do(deeds.RunTool("turn", "c1", 2, "add_todo", '{"title":"milk"}'))
    assert queue.sent == [("run_tool", "turn", "c1")]
    key = keys.tool_request("turn", "c1")
    assert redis.hgetall(key) == {
        b"ordinal": b"2",
        b"name": b"add_todo",
        b"arguments": b'{"title":"milk"}',
    }
    assert 0 < redis.ttl(key) <= keys.AUDIO_SECONDS


async def test_what_was_said_is_kept_for_any_worker(
    call: Call, hand: Hand, queue: Queue, redis: redis_library.Redis
) -> None:
    await hand.do(deeds.Keep("u1", b"audio"))
    assert redis.hget(keys.utterance("u1"), "audio") == b"audio"
    assert redis.hget(keys.utterance("u1"), "format") == b"mulaw/8000"
    await hand.do(deeds.HearAgain("u1"))
    await hand.do(deeds.Brief())
    assert queue.sent == [("transcribe", "u1", str(call.pk)), ("brief", str(call.pk))]


async def test_a_complete_reply_is_told_to_whoever_takes_the_call_next(
    call: Call, hand: Hand, turn: LiveTurn, redis: redis_library.Redis
) -> None:
    turn.reply = "Added milk."
    told = (
        events.SentenceReady(turn.id, 0, "Added milk."),
        events.TurnFinished(turn.id, "Added milk.", 1),
    )
    await hand.do(deeds.WriteReply(turn, told))
    entries: Any = redis.xrange(keys.call_stream(str(call.pk)))
    assert tuple(events.decode(fields[FIELD]) for _, fields in entries) == told
    assert 0 < redis.ttl(keys.call_stream(str(call.pk))) <= keys.STREAM_SECONDS
