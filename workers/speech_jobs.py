"""Hearing and speaking for calls: bytes from Redis through an engine and back into Redis."""

from __future__ import annotations

import io
import logging
import wave
from time import monotonic
from typing import Any

from convonet.stopwatch import mark
from voice import keys, streams
from voice.audio import BROWSER, AudioFormat
from voice.events import SentenceAudio, Transcribed
from workers.errors import SpeechError
from workers.ports import Synthesizer, Transcriber

logger = logging.getLogger("workers.speech_jobs")


def transcribe(redis: Any, engine: Transcriber, utterance_id: str, call_id: str) -> None:
    """Tell the call what was said; empty text for no words, `failed` when it is not known."""
    began = monotonic()
    text, failed = "", False
    audio_format, audio = redis.hmget(keys.utterance(utterance_id), "format", "audio")
    if audio is None or audio_format is None:
        logger.warning("utterance gone", extra={"utterance_id": utterance_id})
        failed = True
    else:
        try:
            text = engine.transcribe(audio, AudioFormat.parse(audio_format.decode())).text
        except (SpeechError, ValueError, MemoryError) as error:
            _failed("transcription failed", error, utterance_id=utterance_id)
            failed = True
    took_ms = round((monotonic() - began) * 1000)
    event = Transcribed(utterance_id, text.strip(), took_ms, failed)
    streams.publish(redis, keys.call_stream(call_id), event)
    if not failed:
        redis.delete(keys.utterance(utterance_id))


def speak(redis: Any, engine: Synthesizer, turn_id: str, seq: int) -> None:
    """Append the sentence's audio to its key, telling the call as it grows and when it ends."""
    if redis.exists(keys.cancelled(turn_id)):
        return
    fields = redis.hmget(keys.reply_text(turn_id), "call", "format", str(seq))
    if None in fields:
        logger.warning("sentence gone", extra={"turn_id": turn_id, "seq": seq})
        return
    call_id, audio_format, text = (field.decode() for field in fields)
    stream = keys.call_stream(call_id)
    key = keys.reply_audio(turn_id, seq)
    redis.delete(key)  # of an earlier run of this task
    size, failed = 0, False
    try:
        for chunk in engine.synthesize(text, AudioFormat.parse(audio_format)):
            size = _append(redis, key, chunk)
            streams.publish(redis, stream, SentenceAudio(turn_id, seq, size, final=False))
            mark("stored", turn_id)
            if redis.exists(keys.cancelled(turn_id)):
                redis.delete(key)
                return
    except (SpeechError, ValueError, MemoryError) as error:
        _failed("synthesis failed", error, turn_id=turn_id, seq=seq)
        failed = True
    streams.publish(redis, stream, SentenceAudio(turn_id, seq, size, final=True, failed=failed))


def speak_reminder(redis: Any, engine: Synthesizer, reminder_id: int, speech: str) -> None:
    """Keep the reminder as a WAV file for the person's open pages."""
    try:
        audio = b"".join(engine.synthesize(speech, BROWSER))
    except (SpeechError, MemoryError) as error:
        _failed("reminder not spoken", error, reminder_id=reminder_id)
        return
    redis.set(keys.reminder_audio(reminder_id), wav_file(audio), ex=keys.AUDIO_SECONDS)


def _append(redis: Any, key: str, chunk: bytes) -> int:
    pipe = redis.pipeline(transaction=False)
    pipe.append(key, chunk)
    pipe.expire(key, keys.AUDIO_SECONDS)
    return int(pipe.execute()[0])


def wav_file(pcm16: bytes) -> bytes:
    """What a page can play, of audio in the browser's format."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(BROWSER.rate_hz)
        out.writeframes(pcm16)
    return file.getvalue()


def _failed(event: str, error: BaseException, **fields: object) -> None:
    code = error.code if isinstance(error, SpeechError) else type(error).__name__
    logger.error(event, extra={"code": code, **fields})
