"""Speaks with ElevenLabs, in the call's own format: nothing is converted.

https://elevenlabs.io/docs/api-reference/text-to-speech/stream
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import quote

from convonet import env, voices
from voice.audio import AudioFormat
from workers.errors import SpeechError
from workers.ports import PLAIN, Manner
from workers.speech.formats import check
from workers.speech.http import Service, client
from workers.speech.remote import audio_of
from workers.speech.speakable import speakable

URL = "https://api.elevenlabs.io"
_FORMATS = {
    "pcm16/8000": "pcm_8000",
    "pcm16/16000": "pcm_16000",
    "pcm16/24000": "pcm_24000",
    "mulaw/8000": "ulaw_8000",
}
# Others refuse to be told the language, or take no heed.
_TOLD_LANGUAGE = ("eleven_flash_v2_5", "eleven_turbo_v2_5", "eleven_v3")


@dataclass(frozen=True, slots=True)
class ElevenLabsOptions:
    url: str = URL
    key: str = field(default="", repr=False)
    model: str = "eleven_flash_v2_5"
    voice: str = ""
    """A voice id; empty takes the first of `ELEVENLABS_VOICES`."""

    @property
    def service(self) -> Service:
        return Service.at(self.url, **{"xi-api-key": self.key})


class ElevenLabsSynthesizer:
    def __init__(self, options: ElevenLabsOptions | None = None) -> None:
        self._options = options or options_from_environment()
        self.model = self._options.model
        self._service = self._options.service
        self._voice = self._options.voice or voices.first_of("elevenlabs")

    def warm_up(self) -> None:
        client()

    def synthesize(
        self, text: str, audio_format: AudioFormat, manner: Manner = PLAIN
    ) -> Iterator[bytes]:
        """Audio as it comes; each voice speaks the language the text is in."""
        check(audio_format)
        made_as = _FORMATS.get(str(audio_format))
        if made_as is None:
            raise SpeechError(f"ElevenLabs does not speak {audio_format}.", code="speech_format")
        text = speakable(text, manner.language, any_script=True)
        return self._spoken(text, audio_format, made_as, manner) if text else iter(())

    def _spoken(
        self, text: str, audio_format: AudioFormat, made_as: str, manner: Manner
    ) -> Iterator[bytes]:
        asked = {"text": text, "model_id": self.model}
        if manner.language and self.model in _TOLD_LANGUAGE:
            asked["language_code"] = manner.language
        voice = quote(manner.voice or self._voice, safe="")
        path = f"/v1/text-to-speech/{voice}/stream"
        with self._service.answer(path, params={"output_format": made_as}, json=asked) as answer:
            yield from audio_of(answer, audio_format)


def options_from_environment() -> ElevenLabsOptions:
    """`ELEVENLABS_API_KEY`, `ELEVENLABS_URL`, `ELEVENLABS_MODEL` and `ELEVENLABS_VOICE`."""
    defaults = ElevenLabsOptions()
    return ElevenLabsOptions(
        url=env.text("ELEVENLABS_URL") or defaults.url,
        key=env.text("ELEVENLABS_API_KEY"),
        model=env.text("ELEVENLABS_MODEL") or defaults.model,
        voice=env.text("ELEVENLABS_VOICE"),
    )
