"""Makes an engine's raw speech pleasant: trimmed, faded, at one loudness, never clipped. Pure."""

from __future__ import annotations

import numpy as np

from workers.speech.sound import Samples

LEAD_MS = 40
TAIL_MS = 120
# About -20 dBFS while speaking: as loud as a telephone announcement, with room for peaks.
LEVEL = 0.1
PEAK = 0.85
_QUIET = 0.02
_FADE_MS = 5
_BLOCK = 320


def finish(samples: Samples, rate_hz: int) -> Samples:
    """The same speech, ready to be heard; nothing when there is no speech in it."""
    loudest = float(np.abs(samples).max()) if len(samples) else 0.0
    if loudest < 1e-4:
        return samples[:0]
    speech = _trim(samples, rate_hz, loudest * _QUIET)
    return _fade(speech * np.float32(_gain(speech, loudest)), rate_hz)


def _trim(samples: Samples, rate_hz: int, quiet: float) -> Samples:
    heard = np.flatnonzero(np.abs(samples) > quiet)
    start = max(0, int(heard[0]) - rate_hz * LEAD_MS // 1000)
    return samples[start : int(heard[-1]) + rate_hz * TAIL_MS // 1000]


def _gain(samples: Samples, loudest: float) -> float:
    """Pauses must not count, or a sentence with many would be shouted."""
    size = min(len(samples), _BLOCK)
    blocks = samples[: len(samples) // size * size].reshape(-1, size)
    powers = np.square(blocks).mean(axis=1)
    spoken = powers[powers > powers.max() * 1e-3]
    return min(LEVEL / float(np.sqrt(spoken.mean())), PEAK / loudest)


def _fade(samples: Samples, rate_hz: int) -> Samples:
    """A cut in the middle of a wave clicks."""
    size = min(len(samples) // 2, rate_hz * _FADE_MS // 1000)
    ramp = np.linspace(0.0, 1.0, size, dtype=np.float32)
    samples[:size] *= ramp
    samples[len(samples) - size :] *= ramp[::-1]
    return samples
