"""How late frames left, for percentiles of millions of them: counted by the millisecond. Pure."""

from __future__ import annotations

from collections import Counter
from typing import Any

from convonet.far_end.line import Lateness


class Late(Lateness):
    """One for all calls of a driver."""

    def __init__(self) -> None:
        super().__init__()
        # Tenths of a millisecond up to 10, then whole ones.
        self._counted: Counter[int] = Counter()

    def add(self, seconds: float) -> None:
        super().add(seconds)
        tenths = int(seconds * 10_000)
        self._counted[tenths if tenths < 100 else tenths // 10 * 10] += 1

    def quantile(self, share: float) -> float:
        """Milliseconds that at least this share of the frames was not later than."""
        left = share * self.frames
        for tenths in sorted(self._counted):
            left -= self._counted[tenths]
            if left <= 0:
                return tenths / 10
        return 0.0

    def told(self) -> dict[str, Any]:
        return {
            "frames": self.frames,
            "median_ms": self.quantile(0.5),
            "p99_ms": self.quantile(0.99),
            "most_ms": round(self.most_ms, 1),
            "over_20_ms": self.over_one_frame,
        }

    def clear(self) -> None:
        self.frames, self.most_ms, self.over_one_frame = 0, 0.0, 0
        self._counted.clear()
