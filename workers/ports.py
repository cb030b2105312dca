"""What the tasks need from engines, as small protocols.

Above: `workers.tasks` and `workers.agent_turn`, which know no engine. Below: one adapter file per
engine in `workers.speech`, which alone imports its SDK and maps its errors to `workers.errors`.
`workers.wiring` joins them by dotted path, so that an unused engine costs no memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from voice.audio import AudioFormat


@dataclass(frozen=True, slots=True)
class Transcription:
    """`text` is empty when the engine heard no words (noise, tones, silence)."""

    text: str
    score: float
    """Mean log probability per token; engines without one give 0.0."""
    language: str = ""
    """ISO 639-1 where the engine tells it."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How a sentence is to be said; empty leaves it to the engine."""

    language: str = ""
    """ISO 639-1."""
    voice: str = ""
    """The engine's own name of a voice."""


PLAIN = Manner()


class Transcriber(Protocol):
    def warm_up(self) -> None:
        """Load what the first utterance would otherwise wait for. Called after the fork."""

    def transcribe(self, audio: bytes, audio_format: AudioFormat) -> Transcription:
        """Transcribe one whole utterance; raises `workers.errors.SpeechError`."""


@runtime_checkable
class DigitTranscriber(Protocol):
    """A `Transcriber` that hears digits better when it is told to expect some."""

    def transcribe_digits(self, audio: bytes, audio_format: AudioFormat) -> Transcription:
        """As `transcribe`; what is said may still be something else."""


class Synthesizer(Protocol):
    def warm_up(self) -> None:
        """Load the voice. Called after the fork."""

    def synthesize(
        self, text: str, audio_format: AudioFormat, manner: Manner = PLAIN
    ) -> Iterator[bytes]:
        """Speak one sentence in the call's format; raises `workers.errors.SpeechError`.

        An engine that lacks the manner's language or voice speaks in its own default.
        """
