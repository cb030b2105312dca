"""Samples of voices: made once for everybody, ordered once, and not without end."""

from __future__ import annotations

import pytest
import redis as redis_library

from convonet import voices
from voice import keys, samples
from voice.samples import FAILED, MOST_A_MINUTE, NotMade, Samples, TooMany

VOICE = "pico/de-DE"
ANNA, BEN = 1, 2


class Worker:
    """Takes orders, and makes or fails them when the test says so."""

    def __init__(self, redis: redis_library.Redis) -> None:
        self.redis = redis
        self.ordered: list[str] = []

    def __call__(self, voice: str) -> None:
        self.ordered.append(voice)

    def makes(self, voice: str, wav: bytes) -> None:
        self.redis.hset(keys.voice_sample(voice), "wav", wav)

    def fails(self, voice: str) -> None:
        self.redis.hset(keys.voice_sample(voice), "state", FAILED)


@pytest.fixture
def worker(redis: redis_library.Redis) -> Worker:
    return Worker(redis)


@pytest.fixture
def made(redis: redis_library.Redis, worker: Worker) -> Samples:
    return Samples(redis, worker)


def test_the_first_request_orders_and_later_ones_wait_for_it(made: Samples, worker: Worker) -> None:
    assert [made.get(VOICE, ANNA), made.get(VOICE, ANNA), made.get(VOICE, BEN)] == [None] * 3
    assert worker.ordered == [VOICE]
    worker.makes(VOICE, b"RIFF")
    assert made.get(VOICE, ANNA) == made.get(VOICE, BEN) == b"RIFF"
    assert worker.ordered == [VOICE]


def test_a_voice_that_did_not_speak_is_told_once_and_then_tried_again(
    made: Samples, worker: Worker
) -> None:
    made.get(VOICE, ANNA)
    worker.fails(VOICE)
    with pytest.raises(NotMade):
        made.get(VOICE, ANNA)
    assert made.get(VOICE, ANNA) is None
    assert worker.ordered == [VOICE, VOICE]


def test_an_order_that_no_worker_took_is_forgotten_in_time(
    made: Samples, redis: redis_library.Redis
) -> None:
    made.get(VOICE, ANNA)
    assert 0 < redis.ttl(keys.voice_sample(VOICE)) <= samples.ORDER_SECONDS
    assert 0 < redis.ttl(keys.samples_of(ANNA)) <= 60


def test_nobody_listens_without_end_and_nobody_is_stopped_by_another(
    made: Samples, worker: Worker
) -> None:
    for number in range(MOST_A_MINUTE):
        made.get(f"pico/{number}", ANNA)
    with pytest.raises(TooMany):
        made.get("pico/one-more", ANNA)
    assert len(worker.ordered) == MOST_A_MINUTE
    assert made.get("pico/one-more", BEN) is None


def test_hearing_again_what_is_made_counts_for_nothing(made: Samples, worker: Worker) -> None:
    worker.makes(VOICE, b"RIFF")
    assert {made.get(VOICE, ANNA) for _ in range(2 * MOST_A_MINUTE)} == {b"RIFF"}


def test_a_voice_speaks_its_own_language_and_english_when_it_has_none() -> None:
    languages = {voice.language for voice in voices.known()} - {"", "en"}
    assert languages <= set(samples.SENTENCES)
    assert samples.sentence("en") == samples.sentence("") == samples.sentence("xx")
    assert samples.sentence("de") != samples.sentence("en")
