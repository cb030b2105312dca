"""Audio formats and their arithmetic. No resampling here: the workers do that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Encoding = Literal["pcm16", "mulaw"]


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """Mono audio; `pcm16` is signed 16-bit little-endian, `mulaw` is ITU-T G.711."""

    encoding: Encoding
    rate_hz: int

    @property
    def bytes_per_second(self) -> int:
        return self.rate_hz * (2 if self.encoding == "pcm16" else 1)

    def ms_of(self, size_bytes: int) -> int:
        return size_bytes * 1000 // self.bytes_per_second

    def bytes_of(self, ms: int) -> int:
        size = self.bytes_per_second * ms // 1000
        return size & ~1 if self.encoding == "pcm16" else size

    def __str__(self) -> str:
        return f"{self.encoding}/{self.rate_hz}"

    @classmethod
    def parse(cls, text: str) -> AudioFormat:
        """The inverse of `str()`; raises ValueError."""
        encoding, _, rate = text.partition("/")
        if encoding not in ("pcm16", "mulaw"):
            raise ValueError(f"unknown encoding {encoding!r}")
        return cls(encoding, int(rate))  # type: ignore[arg-type]  # checked above


BROWSER = AudioFormat("pcm16", 16_000)
# What a speech-to-speech model hears and speaks, so that nothing resamples between.
MODEL_RATE = AudioFormat("pcm16", 24_000)
PHONE = AudioFormat("mulaw", 8_000)
