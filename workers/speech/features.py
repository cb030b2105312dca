"""Whisper's log-mel features in numpy: what the encoder sees of an utterance. Pure."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
"""Mono, 16 kHz, -1..1."""

RATE_HZ = 16_000
HOP = 160
FRAME = 400
BANDS = 80
# The quietest power the logarithm is taken of, and how far below the loudest it may fall.
_FLOOR = 1e-10
_RANGE = 8.0
# The slaney mel scale: linear up to 1 kHz, logarithmic above.
_HZ_PER_MEL = 200.0 / 3
_KNEE_HZ = 1000.0
_KNEE_MEL = _KNEE_HZ / _HZ_PER_MEL
_LOG_STEP = np.log(6.4) / 27.0


def log_mel(samples: Samples, frames: int) -> NDArray[np.float32]:
    """The features of one window, shape (1, 80, frames); what is beyond the window is cut.

    Silence after the samples is written, not computed: a spectrum of zeros is the floor.
    """
    samples = samples[: frames * HOP]
    spectrum = np.full((BANDS, frames), np.log10(_FLOOR), dtype=np.float32)
    if len(samples):
        heard = _log_power(samples)[:, :frames]
        spectrum[:, : heard.shape[1]] = heard
    np.maximum(spectrum, spectrum.max() - _RANGE, out=spectrum)
    spectrum += 4.0
    spectrum /= 4.0
    return spectrum[None]


def _log_power(samples: Samples) -> NDArray[np.float32]:
    """Log10 of the mel power, shape (80, frames), one frame more than full hops."""
    half = FRAME // 2
    # Whisper mirrors the start; the end borders on the padding, which is silence.
    start = samples[half:0:-1] if len(samples) > half else np.zeros(half, np.float32)
    padded = np.concatenate([start, samples, np.zeros(FRAME, np.float32)])
    frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::HOP]
    power = np.abs(np.fft.rfft(frames * _window(), axis=1)) ** 2
    mel = _filters() @ power.T.astype(np.float32)
    logs: NDArray[np.float32] = np.log10(np.maximum(mel, _FLOOR))
    return logs


@cache
def _window() -> NDArray[np.float32]:
    """The periodic Hann window."""
    return np.hanning(FRAME + 1)[:-1].astype(np.float32)


@cache
def _filters() -> NDArray[np.float32]:
    """Triangles of equal area on the slaney mel scale, shape (80, 201)."""
    top = _KNEE_MEL + np.log(RATE_HZ / 2 / _KNEE_HZ) / _LOG_STEP
    edges = _hz(np.linspace(0.0, top, BANDS + 2))
    bins = np.fft.rfftfreq(FRAME, 1.0 / RATE_HZ)
    slopes = edges[:, None] - bins[None, :]
    widths = np.diff(edges)
    rising = -slopes[:-2] / widths[:-1, None]
    falling = slopes[2:] / widths[1:, None]
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    triangles *= (2.0 / (edges[2:] - edges[:-2]))[:, None]
    return triangles.astype(np.float32)


def _hz(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    logarithmic = _KNEE_HZ * np.exp(_LOG_STEP * (mels - _KNEE_MEL))
    return np.where(mels < _KNEE_MEL, mels * _HZ_PER_MEL, logarithmic)
