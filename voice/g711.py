"""ITU-T G.711 mu-law and the peak of samples, for the call and the workers. No numpy.

Samples are signed 16-bit in the machine's order, which is little-endian wherever this runs.
"""

from __future__ import annotations

import warnings
from functools import cache
from itertools import accumulate, pairwise

with warnings.catch_warnings():
    # Of Python 3.11 and 3.12 itself; from 3.13 on the package audioop-lts has the same name.
    warnings.simplefilter("ignore", DeprecationWarning)
    import audioop

_LEVELS = 128


def decode(mulaw: bytes) -> bytes:
    """16-bit samples, two bytes for each byte."""
    return audioop.ulaw2lin(mulaw, 2)


def encode(pcm: bytes) -> bytes:
    """Mu-law, one byte for each 16-bit sample; raises TypeError for half a sample.

    Not `audioop.lin2ulaw`: it moves the decision values of the negative half.
    """
    return bytes(map(codes().__getitem__, memoryview(pcm).cast("h")))


def peak(pcm: bytes) -> int:
    """The greatest distance from zero among 16-bit samples, 0 to 32768."""
    return audioop.max(pcm, 2)


def third(pcm: bytes) -> bytes:
    """A third of the samples, each the mean of three: enough of a filter for a voice gate."""
    samples = memoryview(pcm).cast("h")
    mean = audioop.mul(samples[0::3].tobytes(), 2, 1 / 3)
    for start in (1, 2):
        mean = audioop.add(mean, audioop.mul(samples[start::3].tobytes(), 2, 1 / 3), 2)
    return mean


@cache
def codes() -> bytes:
    """The code of each 16-bit value, 65,536 bytes: 0 to 32,767, then -32,768 to -1.

    By table 2 of the recommendation, whose unit is four of ours: its first interval is 1 wide,
    then come 15 of 2 and 16 each of 4, 8 … 256. What lies on a decision value goes up, and -1
    is minus zero, as in the ITU's own coder (G.191).
    """
    widths = [1, *[2] * 15, *(4 << segment for segment in range(7) for _ in range(16))]
    decisions = [0, *accumulate(4 * width for width in widths)]
    # Beyond the last decision value is overload.
    decisions[_LEVELS] = 32_768
    steps = pairwise(decisions)
    upper = b"".join(bytes([255 - n]) * (end - start) for n, (start, end) in enumerate(steps))
    return upper + upper[::-1].translate(bytes(code & 0x7F for code in range(256)))
