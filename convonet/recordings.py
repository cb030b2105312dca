"""WAV files in and out, as the browser would have captured and played them: mono PCM16.

At 16 kHz unless a call has another rate.
"""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soxr

from voice.audio import BROWSER

Samples = npt.NDArray[np.floating[Any]]

FRAME_MS = 20
# The quietest voice in our recordings is ten times louder than their loudest silence.
VOICED_RMS = 100.0


def read_wav(path: Path, rate_hz: int = BROWSER.rate_hz) -> bytes:
    """PCM16 at that rate, whatever rate, width or channels the file has; raises ValueError."""
    try:
        with wave.open(str(path), "rb") as file:
            rate, channels, width = file.getframerate(), file.getnchannels(), file.getsampwidth()
            data = file.readframes(file.getnframes())
    except (wave.Error, EOFError, OSError) as error:
        raise ValueError(f"{path} is not a WAV file that can be read: {error}") from None
    kinds = {1: np.uint8, 2: np.int16, 4: np.int32}
    if width not in kinds:
        raise ValueError(f"{path} has {8 * width}-bit samples; 8, 16 or 32 are understood.")
    samples: Samples = np.frombuffer(data, kinds[width]).astype(np.float32)
    samples = (samples - 128) / 128 if width == 1 else samples / 2.0 ** (8 * width - 1)
    mono: Samples = samples.reshape(-1, channels).mean(axis=1)
    if rate != rate_hz:
        mono = soxr.resample(mono, rate, rate_hz, quality="HQ")
    return bytes((np.clip(mono, -1, 1) * 32767).astype("<i2").tobytes())


def write_wav(path: Path, pcm: bytes, rate_hz: int = BROWSER.rate_hz) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(pcm)


def speech_end_ms(pcm: bytes, rate_hz: int = BROWSER.rate_hz) -> int:
    """When the last audible frame ends; the whole length when all is quiet."""
    voiced = _voiced_frames(pcm, rate_hz)
    return int(voiced[-1] + 1) * FRAME_MS if len(voiced) else len(pcm) * 500 // rate_hz


def speech_start_ms(pcm: bytes, rate_hz: int = BROWSER.rate_hz) -> int:
    """When the first audible frame begins; 0 when all is quiet."""
    voiced = _voiced_frames(pcm, rate_hz)
    return int(voiced[0]) * FRAME_MS if len(voiced) else 0


def _voiced_frames(pcm: bytes, rate_hz: int) -> npt.NDArray[np.intp]:
    samples = np.frombuffer(pcm, "<i2").astype(np.float32)
    size = rate_hz * FRAME_MS // 1000
    frames = samples[: len(samples) // size * size].reshape(-1, size)
    return np.flatnonzero(np.sqrt((frames**2).mean(axis=1)) > VOICED_RMS)
