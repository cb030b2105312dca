"""Hears with OpenAI's audio API, or any server that speaks it (speaches, LocalAI, vLLM, …).

https://platform.openai.com/docs/api-reference/audio/createTranscription. Its voices are in
`openai_voice`: they need numpy, this does not.
"""

from __future__ import annotations

import io
import math
import wave
from dataclasses import dataclass, field
from typing import Any

from convonet import env
from voice import g711
from voice.audio import AudioFormat
from workers.ports import Transcription
from workers.speech.formats import check
from workers.speech.http import Service, client
from workers.speech.languages import iso
from workers.speech.remote import too_short, words_of

URL = "https://api.openai.com/v1"
# By Whisper's own measure; beyond it "Thank you." is heard in silence.
_NO_SPEECH = 0.6


@dataclass(frozen=True, slots=True)
class OpenAIOptions:
    """`url` ends before `/audio`; a server of one's own may need no key."""

    url: str = URL
    key: str = field(default="", repr=False)
    transcribe_model: str = "gpt-4o-mini-transcribe"
    speak_model: str = "gpt-4o-mini-tts"
    voice: str = "alloy"

    @property
    def service(self) -> Service:
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        return Service.at(self.url, **headers)


class OpenAITranscriber:
    def __init__(self, options: OpenAIOptions | None = None) -> None:
        options = options or options_from_environment()
        self.model = options.transcribe_model
        self._service = options.service
        # The newer models answer plain JSON only, and so tell no language.
        self._detailed = not self.model.startswith("gpt-")

    def warm_up(self) -> None:
        client()

    def transcribe(self, audio: bytes, audio_format: AudioFormat) -> Transcription:
        check(audio_format)
        if too_short(audio, audio_format):
            return Transcription("", 0.0)
        answer = self._service.ask(
            "/audio/transcriptions",
            files={"file": ("utterance.wav", _wav(audio, audio_format), "audio/wav")},
            data={
                "model": self.model,
                "response_format": "verbose_json" if self._detailed else "json",
            },
        )
        text, segments = words_of(answer, "text"), _segments(answer)
        if segments and all(_number(part, "no_speech_prob") > _NO_SPEECH for part in segments):
            text = ""
        scores = [_number(part, "avg_logprob") for part in segments]
        score = sum(scores) / len(scores) if scores else 0.0
        return Transcription(text, score, iso(answer.get("language")))


def options_from_environment() -> OpenAIOptions:
    """`OPENAI_API_KEY`, `OPENAI_AUDIO_URL`, `OPENAI_TRANSCRIBE_MODEL`, and those of the voice.

    `OPENAI_AUDIO_API_KEY` is for another server: that one is never sent OpenAI's key then.
    """
    defaults = OpenAIOptions()
    return OpenAIOptions(
        url=env.text("OPENAI_AUDIO_URL") or defaults.url,
        key=env.text("OPENAI_AUDIO_API_KEY") or env.text("OPENAI_API_KEY"),
        transcribe_model=env.text("OPENAI_TRANSCRIBE_MODEL") or defaults.transcribe_model,
        speak_model=env.text("OPENAI_SPEAK_MODEL") or defaults.speak_model,
        voice=env.text("OPENAI_VOICE") or defaults.voice,
    )


def _wav(audio: bytes, audio_format: AudioFormat) -> bytes:
    """A file that every server can read; µ-law becomes plain samples at its own rate."""
    pcm = g711.decode(audio) if audio_format.encoding == "mulaw" else audio
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(audio_format.rate_hz)
        out.writeframes(pcm[: len(pcm) & ~1])
    return file.getvalue()


def _segments(answer: dict[str, Any]) -> list[dict[str, Any]]:
    segments = answer.get("segments")
    return [part for part in segments if isinstance(part, dict)] if segments else []


def _number(segment: dict[str, Any], name: str) -> float:
    value = segment.get(name)
    return value if isinstance(value, int | float) and math.isfinite(value) else 0.0
