"""What the tests of the engines share: a sentence as audio, and how it was resampled."""

from __future__ import annotations

from typing import Any

import pytest
import soxr

from voice.audio import BROWSER, AudioFormat
from workers.ports import Synthesizer


def say(synthesizer: Synthesizer, text: str, audio_format: AudioFormat = BROWSER) -> bytes:
    return b"".join(synthesizer.synthesize(text, audio_format))


def resampled_with(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The recipes that soxr is asked for from now on, in order."""
    recipes: list[str] = []
    whole, stream = soxr.resample, soxr.ResampleStream

    def resample(*arguments: Any, quality: str) -> Any:
        recipes.append(quality)
        return whole(*arguments, quality=quality)

    def resample_stream(*arguments: Any, quality: str, **more: Any) -> Any:
        recipes.append(quality)
        return stream(*arguments, quality=quality, **more)

    monkeypatch.setattr(soxr, "resample", resample)
    monkeypatch.setattr(soxr, "ResampleStream", resample_stream)
    return recipes
