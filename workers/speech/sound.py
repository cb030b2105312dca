"""Audio between a call's format and what engines take and give: float samples. Pure.

Whole utterances and whole pieces of speech are resampled at once: no delay, no state for a call.
"""

from __future__ import annotations

import audioop
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from voice.audio import AudioFormat
from workers.errors import SpeechError
from workers.speech.formats import check

Samples = NDArray[np.float32]
"""Mono, -1..1."""

_PEAK = 32_767


def to_samples(audio: bytes, audio_format: AudioFormat, rate_hz: int) -> Samples:
    """The samples of a buffer at `rate_hz`; raises SpeechError for what is no audio.

    A half sample at the end (a cut transfer) is dropped.
    """
    check(audio_format)
    if not isinstance(audio, (bytes, bytearray, memoryview)):
        raise SpeechError("The recording is not audio.", code="speech_audio")
    if audio_format.encoding == "mulaw":
        audio = audioop.ulaw2lin(audio, 2)
    pcm = np.frombuffer(audio, "<i2", count=len(audio) // 2)
    samples: Samples = np.divide(pcm, 32_768, dtype=np.float32)
    return resample(samples, audio_format.rate_hz, rate_hz)


def to_bytes(samples: Samples, rate_hz: int, audio_format: AudioFormat) -> bytes:
    """Samples at `rate_hz` in a call's format; what is louder than full scale is clipped."""
    check(audio_format)
    resampled = resample(samples, rate_hz, audio_format.rate_hz)
    pcm = np.clip(np.rint(resampled * _PEAK), -_PEAK, _PEAK).astype("<i2").tobytes()
    return audioop.lin2ulaw(pcm, 2) if audio_format.encoding == "mulaw" else pcm


class Stream:
    """One sentence of 16-bit audio into a call's format while it comes, without seams."""

    def __init__(self, from_hz: int, audio_format: AudioFormat) -> None:
        check(audio_format)
        self._format = audio_format
        self._stream: Any = None
        if from_hz != audio_format.rate_hz:
            self._stream = soxr.ResampleStream(from_hz, audio_format.rate_hz, 1, dtype="int16")

    def push(self, pcm: bytes, *, last: bool = False) -> bytes:
        """What is ready of it: some 40 ms stay inside until the `last` piece."""
        if self._stream is not None:
            samples = np.frombuffer(pcm, "<i2")
            pcm = self._stream.resample_chunk(samples, last=last).astype("<i2").tobytes()
        return audioop.lin2ulaw(pcm, 2) if self._format.encoding == "mulaw" else pcm


def resample(samples: Samples, from_hz: int, to_hz: int) -> Samples:
    if from_hz == to_hz or not len(samples):
        return samples
    resampled: Samples = soxr.resample(samples, from_hz, to_hz, quality="HQ")
    return resampled


def level(samples: Samples) -> float:
    """Root mean square; 0 of nothing."""
    return float(np.sqrt(np.mean(np.square(samples)))) if len(samples) else 0.0
