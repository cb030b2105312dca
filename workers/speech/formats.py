"""The audio formats of calls, as far as every engine needs them. No numpy: see `sound` for that."""

from __future__ import annotations

from voice.audio import AudioFormat
from workers.errors import SpeechError

LEAST_HZ = 4_000
MOST_HZ = 192_000
# Less than a word: services refuse it, and nothing can be heard in it.
LEAST_MS = 100


def check(audio_format: AudioFormat) -> None:
    """Raises SpeechError for a format that is none of a call's."""
    known = audio_format.encoding in ("pcm16", "mulaw")
    if not known or not LEAST_HZ <= audio_format.rate_hz <= MOST_HZ:
        raise SpeechError(f"Audio as {audio_format} is not known.", code="speech_format")
