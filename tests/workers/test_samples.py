"""A voice's sample: spoken by its own engine in its own language, or told that it was not."""

from __future__ import annotations

import io
import wave
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest
import redis as redis_library
from billiard.exceptions import SoftTimeLimitExceeded

from voice import keys, samples
from voice.audio import BROWSER, AudioFormat
from voice.models import ProviderUse
from workers import samples as making
from workers import wiring
from workers.errors import SpeechError
from workers.ports import PLAIN, Manner

pytestmark = [pytest.mark.service, pytest.mark.django_db]
VOICE = "pico/de-DE"


class Engine:
    """Remembers what it was asked to say; says it, nothing, or fails half way."""

    model = "stand-in"

    def __init__(self, *chunks: bytes, fails: bool = False) -> None:
        self.chunks, self.fails = chunks, fails
        self.asked: list[tuple[str, AudioFormat, Manner]] = []

    def warm_up(self) -> None: ...

    def synthesize(
        self, text: str, audio_format: AudioFormat, manner: Manner = PLAIN
    ) -> Iterator[bytes]:
        self.asked.append((text, audio_format, manner))
        yield from self.chunks
        if self.fails:
            raise SpeechError("I could not say that.", code="speech_engine")


def kept(redis: redis_library.Redis, voice: str = VOICE) -> Any:
    return redis.hgetall(keys.voice_sample(voice))


def named(engine: Engine) -> making.EngineNamed:
    """Whatever is asked for."""
    return lambda _: nullcontext(engine)


@pytest.mark.parametrize(
    ("voice", "provider", "text", "manner"),
    [
        (VOICE, "pico", samples.sentence("de"), Manner("de", "de-DE")),
        ("openai/alloy", "openai", samples.sentence(""), Manner("", "alloy")),
        ("pico/", "pico", samples.sentence(""), PLAIN),
        ("my.Engine/", "my.Engine", samples.sentence(""), PLAIN),
    ],
)
def test_a_voice_is_asked_for_by_name_in_its_own_language(
    redis: redis_library.Redis, voice: str, provider: str, text: str, manner: Manner
) -> None:
    engine, asked = Engine(b"\x01\x00" * 800), []

    def engine_named(name: str) -> AbstractContextManager[Engine]:
        asked.append(name)
        return nullcontext(engine)

    making.speak(redis, engine_named, voice)
    assert asked == [provider]
    assert engine.asked == [(text, BROWSER, manner)]
    assert kept(redis, voice)[b"wav"].startswith(b"RIFF")


def test_the_sample_is_a_file_that_pages_play_and_it_does_not_stay_for_ever(
    redis: redis_library.Redis,
) -> None:
    redis.hset(keys.voice_sample(VOICE), "state", samples.ORDERED)
    making.speak(redis, named(Engine(b"\x01\x00" * 800, b"\x02\x00" * 800)), VOICE)
    assert set(kept(redis)) == {b"wav"}
    with wave.open(io.BytesIO(kept(redis)[b"wav"])) as sound:
        assert (sound.getframerate(), sound.getnframes()) == (BROWSER.rate_hz, 1600)
    assert 0 < redis.ttl(keys.voice_sample(VOICE)) <= keys.AUDIO_SECONDS


@pytest.mark.parametrize(
    ("engine", "code"), [(Engine(b"\x01\x00", fails=True), "speech_engine"), (Engine(), "silence")]
)
def test_a_voice_that_fails_or_stays_silent_is_told_and_half_of_it_is_not_kept(
    redis: redis_library.Redis, engine: Engine, code: str
) -> None:
    redis.hset(keys.voice_sample(VOICE), "state", samples.ORDERED)
    making.speak(redis, named(engine), VOICE)
    assert kept(redis) == {b"state": samples.FAILED}
    assert 0 < redis.ttl(keys.voice_sample(VOICE)) <= samples.FAILED_SECONDS
    assert ProviderUse.objects.get().error == code


@pytest.mark.parametrize("error", [ImportError, SoftTimeLimitExceeded])
def test_an_engine_that_cannot_be_made_or_takes_too_long_is_told_too(
    redis: redis_library.Redis, error: type[Exception]
) -> None:
    def engine_named(name: str) -> AbstractContextManager[Engine]:
        raise error

    making.speak(redis, engine_named, VOICE)
    assert kept(redis) == {b"state": samples.FAILED}


def test_what_is_listened_to_is_counted_like_any_other_speech(redis: redis_library.Redis) -> None:
    making.speak(redis, named(Engine(b"\x01\x00" * 1600)), VOICE)
    use = ProviderUse.objects.get()
    assert (use.stage, use.provider, use.model, use.why) == ("speak", "pico", "stand-in", "user")
    assert (use.audio_ms, use.characters) == (100, len(samples.sentence("de")))
    assert (use.call_id, use.turn_id, use.error) == (None, None, "")


def test_the_local_voice_really_speaks(redis: redis_library.Redis) -> None:
    making.speak(redis, wiring.synthesizer_named, "pico/fr-FR")
    with wave.open(io.BytesIO(kept(redis, "pico/fr-FR")[b"wav"])) as sound:
        heard = sound.readframes(sound.getnframes())
        assert sound.getnframes() > BROWSER.rate_hz
    assert len(set(heard)) > 100
