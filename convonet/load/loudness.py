"""Whether a piece of audio is silence, words to wait, or the answer itself. Pure.

The stand-in's voice says the answer louder than the rest (`providers.LOUD`, `providers.QUIET`).
"""

from __future__ import annotations

from array import array

SILENT, QUIET, LOUD = 0, 1, 2
# Of 16-bit samples; resampling leaves a little where there is silence, and overshoots by a tenth.
_HEARD, _LOUD = 100, 1500


def _level(code: int) -> int:
    """Of a mu-law byte (ITU-T G.711), as 16 bits."""
    code = ~code & 0xFF
    exponent, mantissa = (code >> 4) & 7, code & 15
    return (((mantissa << 3) + 0x84) << exponent) - 0x84


# Every byte as its kind, so that the most of a piece is one pass of C.
_KINDS = bytes(
    LOUD if _level(code) >= _LOUD else QUIET if _level(code) >= _HEARD else SILENT
    for code in range(256)
)


def of_mulaw(audio: bytes) -> int:
    return max(audio.translate(_KINDS), default=SILENT)


def of_pcm(audio: bytes) -> int:
    """16 bit, in this machine's order."""
    samples = array("h", audio[: len(audio) & ~1])
    most = max(max(samples, default=0), -min(samples, default=0))
    return LOUD if most >= _LOUD else QUIET if most >= _HEARD else SILENT
