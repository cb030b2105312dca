"""What one caller hears: replies in pieces, played at real time as they come. Pure.

A frame (20 ms) is late when it was not there when it was to be heard; the first of a reply, which
nobody knows when to expect, is never late. What lies between a filler and the reply is a gap like
any other here: `figures` tells them apart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

FRAME_MS = 20


@dataclass(slots=True)
class Reply:
    """`first_at` and `empty_at` (when it has all been heard) are seconds of the caller's clock."""

    turn: str
    first_at: float
    empty_at: float
    until_ms: int


@dataclass(frozen=True, slots=True)
class Gap:
    """Silence within a turn's sound, `frames` long, that ended at `at`."""

    turn: str
    at: float
    frames: int


@dataclass(slots=True)
class Counts:
    """`lost_ms` are holes in replies, `doubled_ms` is what was sent once more."""

    frames: int = 0
    gaps: list[Gap] = field(default_factory=list)
    lost_ms: int = 0
    doubled_ms: int = 0


@dataclass(slots=True)
class Hearing:
    counts: Counts = field(default_factory=Counts)
    reply: Reply | None = None
    """The last that began."""

    def piece(self, turn: str, at_ms: int, ms: int, now: float) -> None:
        """`ms` of audio came, whose place in the turn's reply is `at_ms`."""
        self.counts.frames += ms // FRAME_MS
        reply = self.reply
        if reply is None or reply.turn != turn:
            start = now if reply is None else max(now, reply.empty_at)
            self.counts.lost_ms += at_ms
            self.reply = Reply(turn, now, start + ms / 1000, at_ms + ms)
            return
        late = now - reply.empty_at
        if late > 0:
            self.counts.gaps.append(Gap(turn, now, math.ceil(late * 1000 / FRAME_MS)))
        self.counts.lost_ms += max(0, at_ms - reply.until_ms)
        self.counts.doubled_ms += max(0, min(ms, reply.until_ms - at_ms))
        reply.until_ms = max(reply.until_ms, at_ms + ms)
        reply.empty_at = max(now, reply.empty_at) + ms / 1000

    def clear(self, now: float) -> None:
        """Nothing more of it is heard; the next piece begins anew."""
        if self.reply is not None:
            self.reply.empty_at = min(self.reply.empty_at, now)
            self.reply.turn = ""

    def quiet_since(self, now: float) -> float:
        """Seconds since the last sound; 0 while there is one, endless before the first."""
        return math.inf if self.reply is None else max(0.0, now - self.reply.empty_at)

    def played_ms(self, now: float) -> int:
        """How much of the last reply has been heard."""
        if self.reply is None:
            return 0
        ahead = max(0.0, self.reply.empty_at - now)
        return max(0, self.reply.until_ms - math.ceil(ahead * 1000))

    def take(self) -> Counts:
        """The counts since the last call."""
        counts, self.counts = self.counts, Counts()
        return counts
