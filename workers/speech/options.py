"""What the speech engines may be told, and the environment they run best in.

Imports nothing but the standard library: launchers read `LEAN_ENVIRONMENT` before any engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

# Read by the C libraries when a process starts, so it must be set before the speech worker is.
LEAN_ENVIRONMENT: dict[str, str] = {
    # One heap for all threads; more of them keep memory that is free.
    "MALLOC_ARENA_MAX": "1",
    # The only product numpy computes is small: threads would spin for longer than it takes.
    "OPENBLAS_NUM_THREADS": "1",
}


class Quality(StrEnum):
    """Of resampling between a call's rate and an engine's: the values of `RESAMPLE_QUALITY`."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    BEST = "best"


@dataclass(frozen=True, slots=True)
class WhisperOptions:
    """How `WhisperTranscriber` hears; frames are 10 ms."""

    model_dir: Path | None = None
    """Directory with the model as delivered; None takes the one of the installed package."""
    cache_dir: Path = Path("var/speech")
    """Where the int8 copy is kept."""
    threads: int = 1
    """Threads of one recognition; a second one gains nothing that was measured."""
    window_frames: int = 1500
    """Frames the encoder sees of an utterance that fits; below 1000 Whisper loops."""
    beam: int = 5
    """Hypotheses kept while decoding; the encoder's time dwarfs theirs."""
    resampling: Quality = Quality.MEDIUM
    """Of audio at other rates than 16 kHz."""
    prompt: str = (
        "Todo. Todos. Add buy bread at five pm. Mark todos as done. Undo that. "
        "Remind me on Friday. Postpone. Due date. Overdue."
    )
    """Words the recogniser is to expect, in the style it is to write."""
    digits_prompt: str = (
        "My pin is four oh one one. Oh eight one oh. Two nine three six. Guest. Skip."
    )
    """The same where digits were asked for."""
    most_no_speech: float = 0.2
    """Probability of "no speech" above which there were no words."""
    most_no_speech_digits: float = 0.6
    """Whisper takes every fourth run of plain digits for no speech at the other's value."""
    least_score: float = -1.0
    """Mean log probability a token below which the words are not believed."""

    def __post_init__(self) -> None:
        if not 1000 <= self.window_frames <= 3000:
            raise ValueError(f"window_frames must be 1000 to 3000, not {self.window_frames}")
        if self.threads < 1:
            raise ValueError(f"threads must be at least 1, not {self.threads}")


@dataclass(frozen=True, slots=True)
class PicoOptions:
    """How `PicoSynthesizer` speaks; 1.0 is the voice's own speed and pitch."""

    voice: str = "en-US"
    """Of callers whose language is not known, or none of Pico's."""
    speed: float = 1.0
    pitch: float = 1.0
    volume: float = 0.35
    """Pico's own level, low enough not to clip."""
    resampling: Quality = Quality.MEDIUM
    """To other rates than Pico's own 16 kHz."""
