"""A voice lets itself be heard: spoken by its own engine, for no other may stand in for it here."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from convonet import voices
from voice import keys
from voice.audio import BROWSER
from voice.samples import FAILED, FAILED_SECONDS, sentence
from workers.errors import SpeechError
from workers.ports import Manner, Synthesizer
from workers.speech_jobs import wav_file

logger = logging.getLogger("workers.samples")


def speak(redis: Any, engine_named: Callable[[str], Synthesizer], voice: str) -> None:
    """Keep the sample of `provider/name` as a WAV file, or that there is none.

    Without a name it is the provider's own default voice.
    """
    provider, _, name = voice.rpartition("/")
    known = voices.find(voice)
    language = known.language if known else ""
    key, pipe = keys.voice_sample(voice), redis.pipeline()
    try:
        manner = Manner(language, name)
        spoken = engine_named(provider).synthesize(sentence(language), BROWSER, manner)
        pipe.hset(key, "wav", wav_file(_heard(spoken)))
        pipe.hdel(key, "state")
        pipe.expire(key, keys.AUDIO_SECONDS)
    except (SpeechError, ValueError, MemoryError) as error:
        code = error.code if isinstance(error, SpeechError) else type(error).__name__
        logger.error("sample not spoken", extra={"voice": voice, "code": code})
        pipe.hset(key, "state", FAILED)
        pipe.expire(key, FAILED_SECONDS)
    pipe.execute()


def _heard(spoken: Any) -> bytes:
    audio = b"".join(spoken)
    if not audio:
        raise SpeechError("Nothing was said.", code="silence")
    return audio
