"""What lies between the caller, the model and Redis: never more than stated, and in order."""

from __future__ import annotations

import asyncio

import pytest

from voice.audio import MODEL_RATE, PHONE
from voice.errors import BrokerLost
from voice.realtime import outgoing, spoken, storing
from voice.realtime.deeds import StoreAudio
from voice.realtime.outgoing import Outgoing
from voice.realtime.spoken import Spoken
from voice.realtime.storing import Storing


def said(ms: int, start: int = 0) -> bytes:
    return bytes(n % 251 for n in range(start * 8, (start + ms) * 8))


# To the model ------------------------------------------------------------------------------------
def test_audio_the_model_does_not_take_is_dropped_oldest_first_and_told_once() -> None:
    waiting = Outgoing(PHONE)
    waiting.listen(True)
    told = [waiting.hear(said(20, start)) for start in range(0, 3000, 20)]
    assert told.count(True) == 1
    assert waiting.dropped_bytes == 1000 * 8
    sent = b""
    while (message := waiting.next()) is not None:
        assert isinstance(message, bytes)
        sent += message
    assert sent == said(2000, 1000)


def test_a_second_delay_is_told_again() -> None:
    waiting = Outgoing(PHONE)
    waiting.listen(True)
    assert waiting.hear(said(2100))
    while waiting.next() is not None:
        pass
    assert waiting.hear(said(2100))


def test_half_a_sample_is_never_dropped() -> None:
    waiting = Outgoing(MODEL_RATE)
    waiting.listen(True)
    for _ in range(400):
        waiting.hear(bytes(334))
    assert waiting.waiting_bytes % 2 == 0
    assert waiting.waiting_bytes <= MODEL_RATE.bytes_of(outgoing.AUDIO_MS)


def test_the_model_gets_a_little_of_what_came_before_it_listened() -> None:
    waiting = Outgoing(PHONE)
    assert not waiting.hear(said(1000))
    assert waiting.next() is None
    waiting.listen(True)
    assert waiting.next() == said(400, 600)
    assert waiting.dropped_bytes == 0


def test_what_waits_when_the_model_must_not_listen_any_more_is_forgotten() -> None:
    waiting = Outgoing(PHONE)
    waiting.listen(True)
    waiting.hear(said(100))
    waiting.listen(False)
    waiting.listen(True)
    assert waiting.next() is None


def test_requests_go_before_audio_and_have_a_bound() -> None:
    waiting = Outgoing(PHONE)
    waiting.listen(True)
    waiting.hear(said(20))
    for number in range(outgoing.REQUESTS):
        waiting.request(str(number))
    assert waiting.full
    assert [waiting.next() for _ in range(outgoing.REQUESTS)] == [
        str(n) for n in range(outgoing.REQUESTS)
    ]
    assert waiting.next() == said(20)


# What the model heard ----------------------------------------------------------------------------
def test_a_day_of_silence_holds_a_few_seconds() -> None:
    kept = Spoken(PHONE, quiet_ms=3000, most_ms=30_000)
    for _ in range(1000):
        kept.add(bytes(8000))
    assert len(kept._buffer) <= PHONE.bytes_of(3000 + spoken.SLACK_MS) + 8000


def test_an_utterance_is_cut_by_the_models_clock_whatever_was_forgotten() -> None:
    kept = Spoken(PHONE, quiet_ms=3000, most_ms=30_000)
    for start in range(0, 60_000, 20):
        kept.add(said(20, start))
    kept.started(58_500)
    kept.add(said(1000, 60_000))
    assert kept.cut(60_700) == said(2200, 58_500)


def test_endless_speech_is_kept_up_to_one_utterance() -> None:
    kept = Spoken(PHONE, quiet_ms=3000, most_ms=30_000)
    kept.started(0)
    for _ in range(120):
        kept.add(bytes(8000))
        assert len(kept._buffer) <= PHONE.bytes_of(30_000 + spoken.SLACK_MS) + 8000
    assert len(kept.cut()) <= PHONE.bytes_of(30_000)


# To Redis ----------------------------------------------------------------------------------------
class Store:
    """A Redis that takes its time, and may fail."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, int], bytes] = {}
        self.gate = asyncio.Event()
        self.gate.set()
        self.fails = 0
        self.forgets = False
        self.writes = 0

    async def append_reply(self, turn_id: str, seq: int, offset: int, audio: bytes) -> bool:
        await self.gate.wait()
        self.writes += 1
        if self.fails:
            self.fails -= 1
            raise BrokerLost("test")
        if self.forgets:
            return False
        before = b"" if offset == 0 else self.kept.get((turn_id, seq), b"")
        assert len(before) == offset
        self.kept[turn_id, seq] = before + audio
        return True


class Told:
    def __init__(self) -> None:
        self.stored: list[tuple[str, int, int]] = []
        self.gone: list[tuple[str, int]] = []
        self.changed = asyncio.Event()

    def on_stored(self, turn_id: str, seq: int, size: int) -> None:
        self.stored.append((turn_id, seq, size))
        self.changed.set()

    def on_gone(self, turn_id: str, seq: int) -> None:
        self.gone.append((turn_id, seq))
        self.changed.set()

    async def until(self, size: int) -> None:
        async with asyncio.timeout(60):
            while not self.stored or self.stored[-1][2] < size:
                self.changed.clear()
                await self.changed.wait()


async def settled() -> None:
    """All that can go on without the outside has gone on."""
    for _ in range(200):
        await asyncio.sleep(0)


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storing, "AGAIN_SECONDS", 0.0)


def storing_in(store: Store, told: Told) -> Storing:
    return Storing(store, told.on_stored, told.on_gone, {})


async def test_a_reply_made_faster_than_redis_takes_it_waits_at_its_source(told: Told) -> None:
    store = Store()
    its = storing_in(store, told)
    running = asyncio.create_task(its.run())
    store.gate.clear()
    piece, whole, made = 4000, bytes(n % 251 for n in range(400_000)), 0

    async def make() -> None:
        nonlocal made
        for at in range(0, len(whole), piece):
            its.add(StoreAudio("t", 0, at, whole[at : at + piece]))
            made = at + piece
            await its.room()

    making = asyncio.create_task(make())
    await settled()
    assert its.tally.full == 1
    assert made <= storing.MOST_BYTES + piece
    store.gate.set()
    await making
    await told.until(len(whole))
    assert store.kept["t", 0] == whole
    assert its.tally.most_waiting_bytes <= storing.MOST_BYTES + piece
    running.cancel()


async def test_small_pieces_are_written_together(told: Told) -> None:
    store = Store()
    its = storing_in(store, told)
    for at in range(0, 16_000, 160):
        its.add(StoreAudio("t", 0, at, bytes(160)))
    its.add(StoreAudio("t", 1, 0, bytes(80)))
    running = asyncio.create_task(its.run())
    await settled()
    assert len(store.kept) == 2
    assert store.writes == 2
    running.cancel()


async def test_a_broker_that_is_away_loses_and_doubles_nothing(told: Told) -> None:
    store = Store()
    store.fails = 3
    its = storing_in(store, told)
    running = asyncio.create_task(its.run())
    its.add(StoreAudio("t", 0, 0, b"one"))
    its.add(StoreAudio("t", 0, 3, b"two"))
    await told.until(6)
    assert store.kept["t", 0] == b"onetwo"
    assert told.gone == []
    running.cancel()


async def test_what_is_forgotten_is_not_written_and_frees_its_room(told: Told) -> None:
    store = Store()
    its = storing_in(store, told)
    store.gate.clear()
    running = asyncio.create_task(its.run())
    its.add(StoreAudio("old", 0, 0, bytes(storing.MOST_BYTES + 2)))
    waiting = asyncio.create_task(its.room())
    await settled()
    assert its.tally.full == 1
    its.forget("old")
    await asyncio.wait_for(waiting, 60)
    its.add(StoreAudio("new", 0, 0, b"new"))
    store.gate.set()
    await told.until(3)
    assert store.kept["new", 0] == b"new"
    running.cancel()


async def test_audio_whose_beginning_is_lost_ends_there(told: Told) -> None:
    store = Store()
    store.forgets = True
    its = storing_in(store, told)
    running = asyncio.create_task(its.run())
    its.add(StoreAudio("t", 0, 0, b"one"))
    await settled()
    assert told.gone == [("t", 0)]
    running.cancel()


async def test_a_reply_begun_anew_is_not_mixed_with_a_write_under_way(told: Told) -> None:
    store = Store()
    its = storing_in(store, told)
    store.gate.clear()
    running = asyncio.create_task(its.run())
    its.add(StoreAudio("t", 0, 0, b"old answer"))
    await settled()
    its.forget("t")
    its.add(StoreAudio("t", 0, 0, b"new"))
    store.gate.set()
    await told.until(3)
    assert told.stored == [("t", 0, 3)]
    assert store.kept["t", 0] == b"new"
    running.cancel()
