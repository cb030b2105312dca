"""Hears and speaks with Deepgram, in the call's own format both ways: nothing is converted.

Whole utterances by https://developers.deepgram.com/reference/speech-to-text/listen-pre-recorded,
sentences by https://developers.deepgram.com/reference/text-to-speech/speak-request.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from convonet import env, voices
from voice.audio import AudioFormat
from workers.errors import SpeechError
from workers.ports import PLAIN, Manner, Transcription
from workers.speech.formats import check
from workers.speech.http import Service, client
from workers.speech.languages import iso
from workers.speech.remote import audio_of, part_of, too_short, words_of
from workers.speech.speakable import speakable

URL = "https://api.deepgram.com"
_ENCODINGS = {"pcm16": "linear16", "mulaw": "mulaw"}
# https://developers.deepgram.com/docs/tts-media-output-settings
_SPOKEN_HZ = {"pcm16": (8_000, 16_000, 24_000, 32_000, 48_000), "mulaw": (8_000, 16_000)}


@dataclass(frozen=True, slots=True)
class DeepgramOptions:
    url: str = URL
    key: str = field(default="", repr=False)
    hear_model: str = "nova-3"
    language: str = ""
    """`en`, `multi` (several in one sentence) …; empty lets Deepgram detect it."""
    voice: str = "aura-2-thalia-en"

    @property
    def service(self) -> Service:
        return Service.at(self.url, Authorization=f"Token {self.key}")


class DeepgramTranscriber:
    def __init__(self, options: DeepgramOptions | None = None) -> None:
        self._options = options or options_from_environment()
        self.model = self._options.hear_model
        self._service = self._options.service

    def warm_up(self) -> None:
        client()

    def transcribe(self, audio: bytes, audio_format: AudioFormat) -> Transcription:
        check(audio_format)
        if too_short(audio, audio_format):
            return Transcription("", 0.0)
        language = self._options.language
        answer = self._service.ask(
            "/v1/listen",
            params={
                "model": self.model,
                "encoding": _ENCODINGS[audio_format.encoding],
                "sample_rate": audio_format.rate_hz,
                "channels": 1,
                "smart_format": "true",
                **({"language": language} if language else {"detect_language": "true"}),
            },
            content=bytes(audio),
            headers={"Content-Type": "application/octet-stream"},
        )
        channel = part_of(answer, "results", "channels", 0)
        text = words_of(channel, "alternatives", 0, "transcript")
        return Transcription(text, 0.0, self._language(channel))

    def _language(self, channel: dict[str, Any]) -> str:
        """Detected; of several in one sentence the one Deepgram names first; else the set one."""
        several = channel["alternatives"][0].get("languages")
        first = several[0] if isinstance(several, list) and several else self._options.language
        return iso(channel.get("detected_language") or first)


class DeepgramSynthesizer:
    def __init__(self, options: DeepgramOptions | None = None) -> None:
        self._options = options or options_from_environment()
        self.model = self._options.voice
        self._service = self._options.service

    def warm_up(self) -> None:
        client()

    def synthesize(
        self, text: str, audio_format: AudioFormat, manner: Manner = PLAIN
    ) -> Iterator[bytes]:
        """Audio as it comes, by a voice of the manner's language."""
        check(audio_format)
        if audio_format.rate_hz not in _SPOKEN_HZ[audio_format.encoding]:
            raise SpeechError(f"Deepgram does not speak {audio_format}.", code="speech_format")
        text = speakable(text, manner.language, any_script=True)
        wanted = manner.voice or self._options.voice
        voice = voices.fitting("deepgram", manner.language, wanted)
        return self._spoken(text, voice, audio_format) if text else iter(())

    def _spoken(self, text: str, voice: str, audio_format: AudioFormat) -> Iterator[bytes]:
        params = {
            "model": voice,
            "encoding": _ENCODINGS[audio_format.encoding],
            "sample_rate": audio_format.rate_hz,
            "container": "none",
        }
        with self._service.answer("/v1/speak", params=params, json={"text": text}) as answer:
            yield from audio_of(answer, audio_format)


def options_from_environment() -> DeepgramOptions:
    """`DEEPGRAM_API_KEY`, `_URL`, `_HEAR_MODEL`, `_LANGUAGE` and `_VOICE`."""
    defaults = DeepgramOptions()
    return DeepgramOptions(
        url=env.text("DEEPGRAM_URL") or defaults.url,
        key=env.text("DEEPGRAM_API_KEY"),
        hear_model=env.text("DEEPGRAM_HEAR_MODEL") or defaults.hear_model,
        language=env.text("DEEPGRAM_LANGUAGE") or defaults.language,
        voice=env.text("DEEPGRAM_VOICE") or defaults.voice,
    )
