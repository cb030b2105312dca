"""Audio between a call's format and what engines take and give: float samples. Pure.

Whole utterances and whole pieces of speech are resampled at once: no delay, no state for a call.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from voice import g711
from voice.audio import AudioFormat
from workers.errors import SpeechError
from workers.speech.formats import check
from workers.speech.options import Quality

Samples = NDArray[np.float32]
"""Mono, -1..1."""

# Never soxr's "quick": it interpolates, and what lies above the lower rate's band is mirrored.
RECIPES = {Quality.LOW: "LQ", Quality.MEDIUM: "MQ", Quality.HIGH: "HQ", Quality.BEST: "VHQ"}
# Samples are 16-bit values by this, both ways: nothing changes that is not resampled.
_FULL = 32_768


def to_samples(
    audio: bytes, audio_format: AudioFormat, rate_hz: int, quality: Quality = Quality.MEDIUM
) -> Samples:
    """The samples of a buffer at `rate_hz`; raises SpeechError for what is no audio.

    A half sample at the end (a cut transfer) is dropped.
    """
    check(audio_format)
    if not isinstance(audio, (bytes, bytearray, memoryview)):
        raise SpeechError("The recording is not audio.", code="speech_audio")
    if audio_format.encoding == "mulaw":
        audio = g711.decode(audio)
    return resample(_floats(audio), audio_format.rate_hz, rate_hz, quality)


def to_bytes(
    samples: Samples, rate_hz: int, audio_format: AudioFormat, quality: Quality = Quality.MEDIUM
) -> bytes:
    """Samples at `rate_hz` in a call's format; what is louder than full scale is clipped."""
    check(audio_format)
    return _encoded(resample(samples, rate_hz, audio_format.rate_hz, quality), audio_format)


class Stream:
    """One sentence of 16-bit audio into a call's format while it comes, without seams."""

    def __init__(
        self, from_hz: int, audio_format: AudioFormat, quality: Quality = Quality.MEDIUM
    ) -> None:
        check(audio_format)
        self._format = audio_format
        self._stream: Any = None
        if from_hz != audio_format.rate_hz:
            # Not as integers: those come dithered, and silence would hiss.
            self._stream = soxr.ResampleStream(
                from_hz, audio_format.rate_hz, 1, dtype="float32", quality=RECIPES[quality]
            )

    def push(self, pcm: bytes, *, last: bool = False) -> bytes:
        """What is ready of it; docs/speech.md says how much stays inside until the `last` piece."""
        samples = _floats(pcm)
        if self._stream is not None:
            samples = self._stream.resample_chunk(samples, last=last)
        return _encoded(samples, self._format)


def resample(
    samples: Samples, from_hz: int, to_hz: int, quality: Quality = Quality.MEDIUM
) -> Samples:
    if from_hz == to_hz or not len(samples):
        return samples
    resampled: Samples = soxr.resample(samples, from_hz, to_hz, quality=RECIPES[quality])
    return resampled


def _floats(pcm: bytes) -> Samples:
    values = np.frombuffer(pcm, "<i2", count=len(pcm) // 2)
    samples: Samples = np.divide(values, _FULL, dtype=np.float32)
    return samples


def _encoded(samples: Samples, audio_format: AudioFormat) -> bytes:
    values = np.clip(np.rint(samples * _FULL), -_FULL, _FULL - 1).astype("<i2")
    if audio_format.encoding == "mulaw":
        return np.frombuffer(g711.codes(), np.uint8)[values.view(np.uint16)].tobytes()
    return values.tobytes()


def level(samples: Samples) -> float:
    """Root mean square; 0 of nothing."""
    return float(np.sqrt(np.mean(np.square(samples)))) if len(samples) else 0.0
