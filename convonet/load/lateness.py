"""How late things were, for percentiles of millions of them: counted by the millisecond. Pure."""

from __future__ import annotations

from typing import Any

from convonet.far_end.line import Lateness

# Tenths of a millisecond up to a second; what is later counts as that, beside the most.
PLACES = 10_000

# A frame is in time if it is read before the next is due.
NEXT_FRAME_MS = 20.0


class Late(Lateness):
    """One for all calls of a driver."""

    def __init__(self) -> None:
        super().__init__()
        self._counted = [0] * (PLACES + 1)

    def add(self, seconds: float) -> None:
        self.frames += 1
        place = int(seconds * 10_000)
        self._counted[place if place < PLACES else PLACES] += 1
        ms = seconds * 1000
        if ms > NEXT_FRAME_MS:
            self.over_one_frame += 1
        if ms > self.most_ms:
            self.most_ms = ms

    def quantile(self, share: float) -> float:
        """Milliseconds that at least this share of them was not later than."""
        left = share * self.frames
        for tenths, number in enumerate(self._counted):
            left -= number
            if number and left <= 0:
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
        self._counted = [0] * (PLACES + 1)
