"""A recogniser and a voice that take no time, so that all that is measured is the platform."""

from __future__ import annotations

from collections.abc import Iterator

from convonet import stopwatch
from voice.audio import AudioFormat
from workers.ports import PLAIN, Manner, Transcription

WORDS = "What is on my list today?"
# Of every sentence. One piece, as from an engine that makes short sentences at once.
SPEECH_MS = 300


class Ear:
    """Hears the same words in all that is said."""

    def warm_up(self) -> None:
        pass

    def transcribe(self, audio: bytes, audio_format: AudioFormat) -> Transcription:
        return Transcription(WORDS, 0.0)


class Mouth:
    """Says everything as the same short silence."""

    def warm_up(self) -> None:
        pass

    def synthesize(
        self, text: str, audio_format: AudioFormat, manner: Manner = PLAIN
    ) -> Iterator[bytes]:
        stopwatch.mark("voice asked")
        yield bytes(audio_format.bytes_of(SPEECH_MS))
