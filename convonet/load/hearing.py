"""What one caller hears: replies in pieces, played at real time as they come. Pure.

A frame (20 ms) is late when it was not there when it was to be heard; the first of a reply, which
nobody knows when to expect, is never late. What lies between a filler and the reply is a gap like
any other here: `figures` tells them apart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from convonet.load.loudness import LOUD, SILENT

FRAME_MS = 20
# Lengths that are no whole milliseconds.
ROUNDING_MS = 1
UNKNOWN = -1
# Turns whose place is kept in mind: a caller hears one at a time.
EARLIER = 8


@dataclass(slots=True)
class Reply:
    """`first_at` and `empty_at` (when it has all been heard) are seconds of the caller's clock."""

    turn: str
    first_at: float
    empty_at: float
    until_ms: int
    answered_at: float | None = None
    """When the first of the answer itself came, after what was said meanwhile."""


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
    said: int = 0
    """What the caller has said so far: whose server names no turns hears one for each."""
    _cleared: bool = False
    _earlier: dict[str, int] = field(default_factory=dict)

    def heard(self, turn: str, at_ms: int | None, ms: int, loudness: int, now: float) -> None:
        """A piece, of a server that names turns and places or of one that does not."""
        if not turn:
            if loudness == SILENT:
                return
            turn = str(self.said)
        if at_ms is None:
            reply = self.reply
            same = reply is not None and reply.turn == turn
            at_ms = max(0, reply.until_ms) if same and reply is not None else 0
        self.piece(turn, at_ms, ms, now)
        if loudness == LOUD and self.reply is not None and self.reply.answered_at is None:
            self.reply.answered_at = now

    def piece(self, turn: str, at_ms: int, ms: int, now: float) -> None:
        """`ms` of audio came, whose place in the turn's reply is `at_ms`."""
        self.counts.frames += ms // FRAME_MS
        reply = self.reply
        if reply is None or reply.turn != turn:
            reply = self._begin(turn, now)
        elif self._cleared:
            self._cleared = False
        elif (late := now - reply.empty_at) > 0:
            self.counts.gaps.append(Gap(turn, now, math.ceil(late * 1000 / FRAME_MS)))
        hole = at_ms - reply.until_ms
        if reply.until_ms != UNKNOWN and abs(hole) > ROUNDING_MS:
            self.counts.lost_ms += max(0, hole)
            self.counts.doubled_ms += max(0, min(ms, -hole))
        reply.until_ms = max(reply.until_ms, at_ms + ms)
        reply.empty_at = max(now, reply.empty_at) + ms / 1000

    def _begin(self, turn: str, now: float) -> Reply:
        """Also a turn that goes on after something else was said, from where it was."""
        before, self._cleared = self.reply, False
        if before is not None:
            self._earlier[before.turn] = before.until_ms
            while len(self._earlier) > EARLIER:
                del self._earlier[next(iter(self._earlier))]
        empty_at = now if before is None else max(now, before.empty_at)
        self.reply = Reply(turn, now, empty_at, self._earlier.pop(turn, 0))
        return self.reply

    def clear(self, now: float) -> None:
        """Nothing more of it is heard; when the turn goes on, that is no gap."""
        if self.reply is not None:
            self.reply.empty_at = min(self.reply.empty_at, now)
            # What was cleared counts as never sent: the server says where it goes on.
            self.reply.until_ms = UNKNOWN
            self._cleared = True

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
