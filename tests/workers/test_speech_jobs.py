"""Hearing and speaking through a real broker, with engines that do what the test says."""

from __future__ import annotations

import io
import wave
from collections.abc import Iterator
from typing import Any

import pytest
import redis as redis_library

from voice import keys
from voice.audio import AudioFormat
from voice.events import Event, SentenceAudio, Transcribed, decode
from workers import speech_jobs
from workers.errors import SpeechError
from workers.ports import PLAIN, Manner, Transcription

pytestmark = pytest.mark.service


class Engine:
    """Both ports: hears `text`, speaks `chunks`; an exception among them is raised."""

    def __init__(self, *chunks: bytes | Exception, text: str | Exception = "") -> None:
        self.chunks = chunks
        self.text = text
        self.asked: list[object] = []

    def warm_up(self) -> None: ...

    def transcribe(self, audio: bytes, audio_format: AudioFormat) -> Transcription:
        self.asked.append((audio, str(audio_format)))
        if isinstance(self.text, Exception):
            raise self.text
        return Transcription(self.text, 0.0)

    def synthesize(
        self, text: str, audio_format: AudioFormat, manner: Manner = PLAIN
    ) -> Iterator[bytes]:
        self.asked.append((text, str(audio_format)))
        for chunk in self.chunks:
            if isinstance(chunk, Exception):
                raise chunk
            yield chunk


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
    speech_jobs.transcribe(redis, engine, "u", "c")
    assert engine.asked == [(b"\xff\x00", "mulaw/8000")]
    (event,) = told(redis)
    assert isinstance(event, Transcribed)
    assert (event.utterance_id, event.text, event.failed) == ("u", "add milk", False)


def test_an_engine_that_fails_or_audio_that_is_gone_is_told_too(redis: redis_library.Redis) -> None:
    speech_jobs.transcribe(redis, Engine(text="never"), "u", "c")
    put_utterance(redis)
    for error in (SpeechError("No."), MemoryError()):
        speech_jobs.transcribe(redis, Engine(text=error), "u", "c")
    assert [(e.text, e.failed) for e in told(redis) if isinstance(e, Transcribed)] == [
        ("", True)
    ] * 3


def test_a_sentence_is_appended_as_it_is_made(redis: redis_library.Redis) -> None:
    put_sentence(redis)
    engine = Engine(b"aa", b"bbbb")
    speech_jobs.speak(redis, engine, "t", 1)
    assert engine.asked == [("Added milk.", "pcm16/16000")]
    assert redis.get(keys.reply_audio("t", 1)) == b"aabbbb"
    assert redis.ttl(keys.reply_audio("t", 1)) > 0
    assert told(redis) == [
        SentenceAudio("t", 1, 2, final=False),
        SentenceAudio("t", 1, 6, final=False),
        SentenceAudio("t", 1, 6, final=True),
    ]


def test_a_sentence_spoken_again_after_a_crash_is_not_doubled(redis: redis_library.Redis) -> None:
    put_sentence(redis)
    for _ in range(2):
        speech_jobs.speak(redis, Engine(b"aa"), "t", 1)
    assert redis.get(keys.reply_audio("t", 1)) == b"aa"


def test_a_voice_that_breaks_off_is_told_as_failed(redis: redis_library.Redis) -> None:
    put_sentence(redis)
    speech_jobs.speak(redis, Engine(b"aa", SpeechError("No.")), "t", 1)
    assert told(redis)[-1] == SentenceAudio("t", 1, 2, final=True, failed=True)


def test_an_interrupted_reply_is_not_spoken(redis: redis_library.Redis) -> None:
    put_sentence(redis)
    redis.set(keys.cancelled("t"), 1)
    engine = Engine(b"aa")
    speech_jobs.speak(redis, engine, "t", 1)
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

    speech_jobs.speak(redis, Interrupted(), "t", 1)
    assert not redis.exists(keys.reply_audio("t", 1))


def test_a_reminder_is_kept_as_a_playable_file(redis: redis_library.Redis) -> None:
    speech_jobs.speak_reminder(redis, Engine(b"\x01\x00" * 1600), 5, "Reminder: call Anna.")
    data = redis.get(keys.reminder_audio(5))
    assert isinstance(data, bytes)
    with wave.open(io.BytesIO(data)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getnframes()) == (16_000, 1, 1600)
    assert redis.ttl(keys.reminder_audio(5)) > 0
