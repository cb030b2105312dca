"""A voice lets itself be heard: spoken by its own engine, for no other may stand in for it here."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from time import monotonic
from typing import Any

from billiard.exceptions import SoftTimeLimitExceeded
from django.core.exceptions import ImproperlyConfigured

from convonet import voices
from voice import keys
from voice.audio import BROWSER
from voice.samples import FAILED, FAILED_SECONDS, sentence
from workers import uses
from workers.errors import SpeechError
from workers.ports import Manner, Synthesizer
from workers.speech.chain import FAILURES, code_of
from workers.speech_jobs import wav_file
from workers.uses import Stage, Use, Why

logger = logging.getLogger("workers.samples")

EngineNamed = Callable[[str], AbstractContextManager[Synthesizer]]
_FAILURES = (*FAILURES, ImportError, ImproperlyConfigured, SoftTimeLimitExceeded)


def speak(redis: Any, engine_named: EngineNamed, voice: str) -> None:
    """Keep the sample of `provider/name` as a WAV file, or that there is none.

    Without a name it is the provider's own default voice.
    """
    provider, _, name = voice.rpartition("/")
    known = voices.find(voice)
    manner = Manner(known.language if known else "", name)
    text, began = sentence(manner.language), monotonic()
    audio, model, code = b"", "", ""
    try:
        with engine_named(provider) as engine:
            model = str(getattr(engine, "model", ""))
            audio = _heard(engine, text, manner)
    except _FAILURES as error:
        code = code_of(error)
        logger.error("sample not spoken", extra={"voice": voice, "code": code})
    _keep(redis, keys.voice_sample(voice), audio)
    use = Use(
        Stage.SPEAK,
        provider,
        model,
        Why.USER if name else Why.SERVER,
        code,
        took_ms=round((monotonic() - began) * 1000),
        audio_ms=BROWSER.ms_of(len(audio)),
        characters=len(text),
    )
    uses.record(use, call_id=None)


def _heard(engine: Synthesizer, text: str, manner: Manner) -> bytes:
    audio = b"".join(engine.synthesize(text, BROWSER, manner))
    if not audio:
        raise SpeechError("Nothing was said.", code="silence")
    return audio


def _keep(redis: Any, key: str, audio: bytes) -> None:
    pipe = redis.pipeline()
    if audio:
        pipe.hset(key, "wav", wav_file(audio))
        pipe.hdel(key, "state")
    else:
        pipe.hset(key, "state", FAILED)
    pipe.expire(key, keys.AUDIO_SECONDS if audio else FAILED_SECONDS)
    pipe.execute()
