"""Cuts audio longer than Whisper's window where it is quietest. Pure."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from workers.speech.features import RATE_HZ, Samples

MOST_SECONDS = 30
# A cut lies in the last part of a window, so that no piece is a mere remainder of a word.
_EARLIEST_SECONDS = 20
_BLOCK = RATE_HZ // 10


def pieces(samples: Samples) -> Iterator[Samples]:
    """Pieces of at most 30 s that together are the whole."""
    while len(samples) > MOST_SECONDS * RATE_HZ:
        cut = _quietest(samples)
        yield samples[:cut]
        samples = samples[cut:]
    yield samples


def _quietest(samples: Samples) -> int:
    start = _EARLIEST_SECONDS * RATE_HZ
    blocks = samples[start : MOST_SECONDS * RATE_HZ].reshape(-1, _BLOCK)
    quietest = int(np.argmin(np.square(blocks).sum(axis=1)))
    return start + quietest * _BLOCK + _BLOCK // 2
