"""The header of a WAV file whose samples are in a call's own format. Pure.

RIFF WAVE (Microsoft and IBM, "Multimedia Programming Interface and Data Specifications 1.0"), with
the formats PCM (1) and mu-law (7).
"""

from __future__ import annotations

import struct

from voice.audio import AudioFormat

_TAGS = {"pcm16": 1, "mulaw": 7}
_BYTES = {"pcm16": 2, "mulaw": 1}
CHANNELS = 2
HEADER_BYTES = 46
# The sizes of a WAV file have 32 bits.
MOST_BYTES = 2**32 - 1 - HEADER_BYTES


def header(audio_format: AudioFormat, size_bytes: int) -> bytes:
    """For so many bytes of stereo audio, which follow it; longer ones say the most there can be."""
    size = min(size_bytes, MOST_BYTES)
    width = _BYTES[audio_format.encoding]
    block = CHANNELS * width
    form = struct.pack(
        "<HHIIHHH",
        _TAGS[audio_format.encoding],
        CHANNELS,
        audio_format.rate_hz,
        audio_format.rate_hz * block,
        block,
        8 * width,
        0,
    )
    chunks = b"fmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", size)
    return b"RIFF" + struct.pack("<I", 4 + len(chunks) + size) + b"WAVE" + chunks
