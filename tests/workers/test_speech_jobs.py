"""Hearing and speaking through a real broker, with engines that do what the test says."""

from __future__ import annotations

import io
import uuid
import wave
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
import redis as redis_library
from billiard.exceptions import SoftTimeLimitExceeded

from voice import keys
from voice.audio import AudioFormat
from voice.events import Event, SentenceAudio, Transcribed, decode
from voice.models import Call, ProviderUse, Turn
from workers import speech_jobs
from workers.errors import SpeechError
from workers.ports import PLAIN, Manner, Transcription
from workers.speech.chain import HearingChain, Link, SpeakingChain

pytestmark = [pytest.mark.service, pytest.mark.django_db]
Use = ProviderUse


class Engine:
    """Both ports: hears `text`, speaks `chunks`; an exception among them is raised."""

    model = "stand-in"

    def __init__(
        self, *chunks: bytes | Exception, text: str | Exception = "", language: str = ""
    ) -> None:
        self.chunks = chunks
        self.text = text
        self.language = language
        self.asked: list[object] = []

    def warm_up(self) -> None: ...

    def transcribe(self, audio: bytes, audio_format: AudioFormat) -> Transcription:
        self.asked.append((audio, str(audio_format)))
        if isinstance(self.text, Exception):
            raise self.text
        return Transcription(self.text, 0.0, self.language)

    def synthesize(
        self, text: str, audio_format: AudioFormat, manner: Manner = PLAIN
    ) -> Iterator[bytes]:
        self.asked.append((text, str(audio_format), manner))
        for chunk in self.chunks:
            if isinstance(chunk, Exception):
                raise chunk
            yield chunk


def hearing(*engines: Engine) -> HearingChain:
    return HearingChain(links(engines))


def speaking(*engines: Engine) -> SpeakingChain:
    return SpeakingChain(links(engines))


def links(engines: tuple[Engine, ...]) -> list[Link[Any]]:
    """By the names a, b, …"""

    def itself(engine: Engine) -> Engine:
        return engine

    named = zip("abc", engines, strict=False)
    return [Link(name, partial(itself, engine)) for name, engine in named]


def told(redis: redis_library.Redis) -> list[Event]:
    entries: Any = redis.xrange(keys.call_stream("c"))
    return [decode(fields[b"e"]) for _, fields in entries]


def put_utterance(redis: redis_library.Redis) -> None:
    redis.hset(keys.utterance("u"), mapping={"format": "mulaw/8000", "audio": b"\xff\x00"})


def put_sentence(redis: redis_library.Redis) -> None:
    fields: Any = {"call": "c", "format": "pcm16/16000", "1": "Added milk."}
    redis.hset(keys.reply_text("t"), mapping=fields)


def test_what_was_heard_is_told_to_the_call(redis: redis_library.Redis) -> None:
    put_utterance(redis)
    engine = Engine(text=" add milk ")
    speech_jobs.transcribe(redis, hearing(engine), "u", "c")
    assert engine.asked == [(b"\xff\x00", "mulaw/8000")]
    (event,) = told(redis)
    assert isinstance(event, Transcribed)
    assert (event.utterance_id, event.text, event.failed) == ("u", "add milk", False)


def test_an_engine_that_fails_or_audio_that_is_gone_is_told_too(redis: redis_library.Redis) -> None:
    speech_jobs.transcribe(redis, hearing(Engine(text="never")), "u", "c")
    put_utterance(redis)
    for error in (SpeechError("No."), MemoryError()):
        speech_jobs.transcribe(redis, hearing(Engine(text=error)), "u", "c")
    assert [(e.text, e.failed, e.error) for e in told(redis) if isinstance(e, Transcribed)] == [
        ("", True, "gone"),
        ("", True, "speech"),
        ("", True, "MemoryError"),
    ]
    assert redis.exists(keys.utterance("u"))


def test_the_language_that_was_heard_is_told(redis: redis_library.Redis) -> None:
    put_utterance(redis)
    speech_jobs.transcribe(redis, hearing(Engine(text="hallo", language="de")), "u", "c")
    (event,) = told(redis)
    assert isinstance(event, Transcribed)
    assert event.language == "de"


def test_every_engine_that_was_asked_for_words_is_on_record(redis: redis_library.Redis) -> None:
    put_utterance(redis)
    failing = Engine(text=SpeechError("No.", code="speech_auth"))
    call_id = str(uuid.uuid4())
    speech_jobs.transcribe(redis, hearing(failing, Engine(text="milk")), "u", call_id)
    first, second = Use.objects.all()
    assert (first.stage, first.provider, first.error) == (Use.Stage.HEAR, "a", "speech_auth")
    assert (second.provider, second.error, second.why) == ("b", "", Use.Why.FALLBACK)
    assert (second.model, second.utterance_id) == ("stand-in", "u")
    assert str(second.call_id) == call_id


def test_a_sentence_is_appended_as_it_is_made(redis: redis_library.Redis) -> None:
    put_sentence(redis)
    engine = Engine(b"aa", b"bbbb")
    speech_jobs.speak(redis, speaking(engine), "t", 1)
    assert engine.asked == [("Added milk.", "pcm16/16000", PLAIN)]
    assert redis.get(keys.reply_audio("t", 1)) == b"aabbbb"
    assert redis.ttl(keys.reply_audio("t", 1)) > 0
    assert told(redis) == [
        SentenceAudio("t", 1, 2, final=False),
        SentenceAudio("t", 1, 6, final=False),
        SentenceAudio("t", 1, 6, final=True),
    ]


def test_the_voice_and_the_language_are_those_of_the_reply(redis: redis_library.Redis) -> None:
    put_sentence(redis)
    chosen: Any = {"language:1": "de", "voice": "b/anna", "why": "business"}
    redis.hset(keys.reply_text("t"), mapping=chosen)
    other, engine = Engine(b"xx"), Engine(b"aa")
    speech_jobs.speak(redis, speaking(other, engine), "t", 1)
    assert engine.asked == [("Added milk.", "pcm16/16000", Manner("de", "anna"))]
    assert other.asked == []
    use = Use.objects.get()
    assert (use.stage, use.provider, use.why) == (Use.Stage.SPEAK, "b", Use.Why.BUSINESS)
    assert (use.characters, use.call_id, use.turn_id) == (len("Added milk."), None, None)


def test_what_was_said_is_on_record_of_its_turn(redis: redis_library.Redis) -> None:
    call_id, turn_id = str(uuid.uuid4()), str(uuid.uuid4())
    fields: Any = {"call": call_id, "format": "pcm16/16000", "1": "Added milk."}
    redis.hset(keys.reply_text(turn_id), mapping=fields)
    failing = Engine(SpeechError("No.", code="speech_rate"))
    speech_jobs.speak(redis, speaking(failing, Engine(bytes(32_000))), turn_id, 1)
    first, second = Use.objects.all()
    assert (first.error, first.first_ms, first.audio_ms) == ("speech_rate", None, 0)
    assert (second.error, second.audio_ms, str(second.turn_id)) == ("", 1000, turn_id)
    assert second.first_ms is not None
    assert Turn.objects.count() == Call.objects.count() == 0


def test_a_sentence_spoken_again_after_a_crash_is_not_doubled(redis: redis_library.Redis) -> None:
    put_sentence(redis)
    for _ in range(2):
        speech_jobs.speak(redis, speaking(Engine(b"aa")), "t", 1)
    assert redis.get(keys.reply_audio("t", 1)) == b"aa"


def test_a_run_that_another_has_overtaken_adds_and_tells_nothing(
    redis: redis_library.Redis,
) -> None:
    put_sentence(redis)

    class Overtaken(Engine):
        def synthesize(
            self, text: str, audio_format: AudioFormat, manner: Manner = PLAIN
        ) -> Iterator[bytes]:
            yield b"old1"
            speech_jobs.speak(redis, speaking(Engine(b"new1", b"new2")), "t", 1)
            yield b"old2"
            raise AssertionError("spoken to the end")

    speech_jobs.speak(redis, speaking(Overtaken()), "t", 1)
    assert redis.get(keys.reply_audio("t", 1)) == b"new1new2"
    assert told(redis)[1:] == [
        SentenceAudio("t", 1, 4, final=False),
        SentenceAudio("t", 1, 8, final=False),
        SentenceAudio("t", 1, 8, final=True),
    ]


def test_a_task_that_takes_too_long_is_told_as_failed(redis: redis_library.Redis) -> None:
    put_sentence(redis)
    put_utterance(redis)
    speech_jobs.speak(redis, speaking(Engine(SoftTimeLimitExceeded())), "t", 1)
    speech_jobs.transcribe(redis, hearing(Engine(text=SoftTimeLimitExceeded())), "u", "c")
    spoken, heard = told(redis)
    limit = "SoftTimeLimitExceeded"
    assert spoken == SentenceAudio("t", 1, 0, final=True, failed=True, error=limit)
    assert isinstance(heard, Transcribed)
    assert heard.failed


def test_a_voice_that_breaks_off_is_told_as_failed(redis: redis_library.Redis) -> None:
    put_sentence(redis)
    speech_jobs.speak(redis, speaking(Engine(b"aa", SpeechError("No."))), "t", 1)
    assert told(redis)[-1] == SentenceAudio("t", 1, 2, final=True, failed=True, error="speech")


def test_an_interrupted_reply_is_not_spoken(redis: redis_library.Redis) -> None:
    put_sentence(redis)
    redis.set(keys.cancelled("t"), 1)
    engine = Engine(b"aa")
    speech_jobs.speak(redis, speaking(engine), "t", 1)
    assert engine.asked == []
    assert told(redis) == []


def test_an_interruption_while_speaking_leaves_no_audio(redis: redis_library.Redis) -> None:
    put_sentence(redis)

    class Interrupted(Engine):
        def synthesize(
            self, text: str, audio_format: AudioFormat, manner: Manner = PLAIN
        ) -> Iterator[bytes]:
            yield b"aa"
            redis.set(keys.cancelled("t"), 1)
            yield b"bb"
            raise AssertionError("spoken to the end")

    speech_jobs.speak(redis, speaking(Interrupted()), "t", 1)
    assert not redis.exists(keys.reply_audio("t", 1))


def test_a_reminder_is_kept_as_a_playable_file(redis: redis_library.Redis) -> None:
    speech_jobs.speak_reminder(
        redis, speaking(Engine(b"\x01\x00" * 1600)), 5, "Reminder: call Anna."
    )
    data = redis.get(keys.reminder_audio(5))
    assert isinstance(data, bytes)
    with wave.open(io.BytesIO(data)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getnframes()) == (16_000, 1, 1600)
    assert redis.ttl(keys.reminder_audio(5)) > 0
