"""Speaks with SVOX Pico, whose voices come inside the package: 1.4 MB and 30 ms a sentence.

Called by `workers.tasks` through `workers.ports.Synthesizer`. Pico loads its voice for every piece
and frees it again; it holds the interpreter's lock meanwhile, so threads take turns by themselves.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

import numpy as np
from django.conf import settings
from py_nanotts import NanoTTS

from convonet import env, voices
from voice.audio import AudioFormat
from workers.errors import SpeechError
from workers.ports import PLAIN, Manner
from workers.speech.finish import finish
from workers.speech.formats import check
from workers.speech.options import PicoOptions, Quality
from workers.speech.sound import Samples, to_bytes
from workers.speech.speakable import pieces, speakable

logger = logging.getLogger(__name__)

RATE_HZ = 16_000
VOICES = [voice.name for voice in voices.known() if voice.provider == "pico"]


class PicoSynthesizer:
    def __init__(self, options: PicoOptions | None = None) -> None:
        self._options = options or options_from_environment()
        self.model = self._options.voice
        self._engine = NanoTTS()

    def warm_up(self) -> None:
        """Say a word to nobody: the voice's files are then in memory."""
        self._say("ready", self.model)

    def synthesize(
        self, text: str, audio_format: AudioFormat, manner: Manner = PLAIN
    ) -> Iterator[bytes]:
        """Audio piece by piece, none when nothing can be said; raises SpeechError at once."""
        check(audio_format)
        wanted = manner.voice if manner.voice in VOICES else self.model
        voice = voices.fitting("pico", manner.language, wanted)
        return self._spoken(speakable(text, manner.language), voice, audio_format)

    def _spoken(self, text: str, voice: str, audio_format: AudioFormat) -> Iterator[bytes]:
        for piece in pieces(text):
            speech = finish(self._say(piece, voice), RATE_HZ)
            audio = to_bytes(speech, RATE_HZ, audio_format, self._options.resampling)
            if audio:
                yield audio

    def _say(self, text: str, voice: str) -> Samples:
        options = self._options
        try:
            pcm = self._engine.speak(
                text,
                voice=voice,
                speed=options.speed,
                pitch=options.pitch,
                # At its own level Pico clips; the loudness is made afterwards.
                volume=options.volume,
            )
        except (RuntimeError, ValueError, MemoryError) as error:
            logger.exception("Synthesis failed", extra={"letters": len(text)})
            raise SpeechError("I could not say that.", code="speech_engine") from error
        samples: Samples = np.divide(np.frombuffer(pcm, "<i2"), 32_768, dtype=np.float32)
        return samples


def options_from_environment() -> PicoOptions:
    """What a host may change: `PICO_VOICE`, one of the six that come with it."""
    voice = env.choice("PICO_VOICE", PicoOptions().voice, VOICES)
    return PicoOptions(voice=voice, resampling=Quality(settings.RESAMPLE_QUALITY))
