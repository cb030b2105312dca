"""Hearing and speaking for calls: bytes from Redis through an engine and back into Redis."""

from __future__ import annotations

import io
import logging
import wave
from collections.abc import Sequence
from dataclasses import replace
from time import monotonic
from typing import Any
from uuid import UUID

from billiard.exceptions import SoftTimeLimitExceeded

from convonet.stopwatch import mark
from voice import keys, sealing, streams
from voice.audio import BROWSER, AudioFormat
from voice.events import Transcribed
from workers import uses
from workers.ports import Transcription
from workers.speech.chain import FAILURES, Attempt, HearingChain, SpeakingChain, code_of
from workers.spoken import Gone, Sentence
from workers.uses import Stage, Use, Why

logger = logging.getLogger("workers.speech_jobs")

# The time limit of the task too: the caller must be told of it.
_FAILURES = (*FAILURES, SoftTimeLimitExceeded)
_NOTHING = Transcription("", 0.0)


def transcribe(redis: Any, chain: HearingChain, utterance_id: str, call_id: str) -> None:
    """Tell the call what was said; empty text for no words, `failed` when it is not known."""
    began = monotonic()
    attempts: list[Attempt] = []
    heard, audio_ms, code, aside = _NOTHING, 0, "", False
    try:
        audio_format, audio, aside = _utterance(redis, utterance_id)
        audio_ms = audio_format.ms_of(len(audio))
        # What is said aside answers the question for a PIN.
        heard = chain.transcribe(audio, audio_format, attempts, digits=aside)
    except Gone:
        logger.warning("utterance gone", extra={"utterance_id": utterance_id})
        code = "gone"
    except _FAILURES as error:
        code = _failed("transcription failed", error, utterance_id=utterance_id)
    took_ms = round((monotonic() - began) * 1000)
    event = Transcribed(
        utterance_id, heard.text.strip(), took_ms, bool(code), heard.language, error=code
    )
    _tell(redis, call_id, event, aside=aside)
    if not code:
        redis.delete(keys.utterance(utterance_id))
    asked = [_use(Stage.HEAR, attempt, audio_ms=audio_ms) for attempt in attempts]
    uses.record(*asked, call_id=_uuid(call_id), utterance_id=utterance_id)


def speak(redis: Any, chain: SpeakingChain, turn_id: str, seq: int) -> None:
    """Append the sentence's audio to its key, telling the call as it grows and when it ends."""
    attempts: list[Attempt] = []
    try:
        sentence = Sentence.take(redis, turn_id, seq)
    except Gone:
        logger.warning("sentence gone", extra={"turn_id": turn_id, "seq": seq})
        return
    if sentence is None:
        return
    try:
        sentence.end(_say(chain, sentence, attempts))
    finally:
        _record_speech(attempts, sentence)


def _say(chain: SpeakingChain, sentence: Sentence, attempts: list[Attempt]) -> str:
    """The code of why the sentence could not be said to its end; empty when it was."""
    turn_id = sentence.turn_id
    chunks = chain.synthesize(sentence.text, sentence.format, sentence.manner, attempts)
    try:
        for chunk in chunks:
            wanted = sentence.add(chunk)
            mark("stored", turn_id)
            if not wanted:
                break
    except _FAILURES as error:
        return _failed("synthesis failed", error, turn_id=turn_id, seq=sentence.seq)
    finally:
        chunks.close()
    return ""


def speak_reminder(redis: Any, chain: SpeakingChain, reminder_id: int, speech: str) -> None:
    """Keep the reminder as a WAV file for the person's open pages."""
    try:
        audio = b"".join(chain.synthesize(speech, BROWSER))
    except _FAILURES as error:
        _failed("reminder not spoken", error, reminder_id=reminder_id)
        return
    redis.set(keys.reminder_audio(reminder_id), wav_file(audio), ex=keys.AUDIO_SECONDS)


def wav_file(pcm16: bytes) -> bytes:
    """What a page can play, of audio in the browser's format."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(BROWSER.rate_hz)
        out.writeframes(pcm16)
    return file.getvalue()


def _tell(redis: Any, call_id: str, event: Transcribed, *, aside: bool) -> None:
    if aside:
        hidden = replace(event, text=sealing.sealed_text(event.text, event.utterance_id))
        streams.publish(redis, keys.aside_stream(call_id), hidden, seconds=keys.ASIDE_SECONDS)
    else:
        streams.publish(redis, keys.call_stream(call_id), event)


def _utterance(redis: Any, utterance_id: str) -> tuple[AudioFormat, bytes, bool]:
    """And whether it was said aside. Raises Gone, ValueError."""
    key = keys.utterance(utterance_id)
    audio_format, audio, aside = redis.hmget(key, "format", "audio", "aside")
    if audio is None or audio_format is None:
        raise Gone
    if aside:
        audio = sealing.sealed(audio, utterance_id)
    return AudioFormat.parse(audio_format.decode()), audio, bool(aside)


def _record_speech(attempts: Sequence[Attempt], sentence: Sentence) -> None:
    asked = [
        _use(
            Stage.SPEAK,
            attempt,
            sentence.why,
            audio_ms=sentence.format.ms_of(attempt.audio_bytes),
            characters=len(sentence.text),
        )
        for attempt in attempts
    ]
    uses.record(*asked, call_id=_uuid(sentence.call_id), turn_id=_uuid(sentence.turn_id))


def _use(
    stage: Stage, attempt: Attempt, chosen_by: str = "", *, audio_ms: int, characters: int = 0
) -> Use:
    why = Why.FALLBACK if attempt.fallback else Why.SERVER
    return Use(
        stage,
        attempt.provider,
        attempt.model,
        (chosen_by or Why.USER) if attempt.chosen else why,
        attempt.error,
        attempt.first_ms,
        attempt.took_ms,
        audio_ms=audio_ms,
        characters=characters,
    )


def _uuid(some_id: str) -> str | None:
    """Fillers are spoken for no call: what they go by is no id of one."""
    try:
        return str(UUID(some_id))
    except ValueError:
        return None


def _failed(event: str, error: BaseException, **fields: object) -> str:
    code = code_of(error)
    logger.error(event, extra={"code": code, **fields})
    return code
