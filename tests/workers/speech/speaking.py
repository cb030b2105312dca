"""What the tests of the engines share: a sentence as audio."""

from __future__ import annotations

from voice.audio import BROWSER, AudioFormat
from workers.ports import Synthesizer


def say(synthesizer: Synthesizer, text: str, audio_format: AudioFormat = BROWSER) -> bytes:
    return b"".join(synthesizer.synthesize(text, audio_format))
