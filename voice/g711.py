"""ITU-T G.711 mu-law and the peak of samples: C functions, shared by the call and the workers.

Samples are signed 16-bit in the machine's order, which is little-endian wherever this runs.
"""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    # Of Python 3.11 and 3.12 itself; from 3.13 on the package audioop-lts has the same name.
    warnings.simplefilter("ignore", DeprecationWarning)
    import audioop


def decode(mulaw: bytes) -> bytes:
    """16-bit samples, two bytes for each byte."""
    return audioop.ulaw2lin(mulaw, 2)


def encode(pcm: bytes) -> bytes:
    """Mu-law, one byte for each 16-bit sample; raises ValueError for half a sample."""
    return audioop.lin2ulaw(pcm, 2)


def peak(pcm: bytes) -> int:
    """The greatest distance from zero among 16-bit samples, 0 to 32768."""
    return audioop.max(pcm, 2)
