"""Speaks with OpenAI's audio API, or any server that speaks it: 24 kHz made into the call's rate.

https://platform.openai.com/docs/api-reference/audio/createSpeech
"""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings

from voice.audio import AudioFormat
from workers.ports import PLAIN, Manner
from workers.speech.formats import check
from workers.speech.http import client
from workers.speech.openai import OpenAIOptions, options_from_environment
from workers.speech.options import Quality
from workers.speech.remote import audio_of
from workers.speech.sound import Stream
from workers.speech.speakable import speakable

# What `response_format=pcm` is: 16 bit, mono, without a header.
MADE_AS = AudioFormat("pcm16", 24_000)


class OpenAISynthesizer:
    def __init__(self, options: OpenAIOptions | None = None) -> None:
        self._options = options or options_from_environment()
        self.model = self._options.speak_model
        self._service = self._options.service
        self._resampling = Quality(settings.RESAMPLE_QUALITY)

    def warm_up(self) -> None:
        client()

    def synthesize(
        self, text: str, audio_format: AudioFormat, manner: Manner = PLAIN
    ) -> Iterator[bytes]:
        """Audio as it comes; each voice speaks the language the text is in."""
        check(audio_format)
        text = speakable(text, manner.language, any_script=True)
        voice = manner.voice or self._options.voice
        return self._spoken(text, voice, audio_format) if text else iter(())

    def _spoken(self, text: str, voice: str, audio_format: AudioFormat) -> Iterator[bytes]:
        stream = Stream(MADE_AS.rate_hz, audio_format, self._resampling)
        asked = {"model": self.model, "voice": voice, "input": text, "response_format": "pcm"}
        with self._service.answer("/audio/speech", json=asked) as answer:
            for part in audio_of(answer, MADE_AS):
                if made := stream.push(part):
                    yield made
        if made := stream.push(b"", last=True):
            yield made
