"""The caller's ear: Twilio's buffer of what a server sent, played at real time. Pure.

A mark returns when the audio before it has been played, at once when there is none; `clear`
empties the buffer and returns every mark still out
(https://www.twilio.com/docs/voice/media-streams/websocket-messages#send-a-mark-message).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

BYTES_PER_SECOND = 8000
# An hour of what was heard; older audio is forgotten by a caller of so much patience.
KEPT_BYTES = 3600 * BYTES_PER_SECOND


@dataclass(slots=True)
class Heard:
    """Audio without a gap, the first byte of which was heard at `at` (seconds of the clock)."""

    at: float
    audio: bytearray = field(default_factory=bytearray)

    @property
    def until(self) -> float:
        return self.at + len(self.audio) / BYTES_PER_SECOND


class Ear:
    """Times are seconds of one clock and never go back; audio is mu-law at 8 kHz."""

    def __init__(self, *, keep: bool = True) -> None:
        self._keep = keep
        self._kept = 0
        self._marks: deque[tuple[float, str]] = deque()
        self._empty_at = 0.0
        self.spans: list[Heard] = []
        """What was or, at the end, will be heard; the last alone may grow."""
        self.most_ahead_ms = 0
        """The most that ever waited to be heard."""
        self.cleared_ms = 0
        """What was sent and never heard."""

    def media(self, audio: bytes, now: float) -> None:
        if self._empty_at <= now:
            self._empty_at = now
            self.spans.append(Heard(now))
        self._empty_at += len(audio) / BYTES_PER_SECOND
        self.most_ahead_ms = max(self.most_ahead_ms, self.ahead_ms(now))
        if self._keep:
            self.spans[-1].audio += audio
            self._forget(len(audio))

    def mark(self, name: str, now: float) -> None:
        self._marks.append((max(now, self._empty_at), name))

    def clear(self, now: float) -> list[str]:
        """The names of all marks that were out, oldest first."""
        unheard = max(0.0, self._empty_at - now)
        self.cleared_ms += round(unheard * 1000)
        if unheard and self._keep:
            # Whole bytes, and never more than there are.
            size = min(round(unheard * BYTES_PER_SECOND), len(self.spans[-1].audio))
            del self.spans[-1].audio[len(self.spans[-1].audio) - size :]
        self._empty_at = min(self._empty_at, now)
        names = [name for _, name in self._marks]
        self._marks.clear()
        return names

    def reached(self, now: float) -> list[str]:
        """The names of marks up to which all has been heard, each told once."""
        names = []
        while self._marks and self._marks[0][0] <= now:
            names.append(self._marks.popleft()[1])
        return names

    @property
    def next_mark(self) -> float | None:
        """When the next mark will be reached, as far as is known."""
        return self._marks[0][0] if self._marks else None

    @property
    def marks_out(self) -> int:
        return len(self._marks)

    def ahead_ms(self, now: float) -> int:
        """What waits to be heard."""
        return max(0, round((self._empty_at - now) * 1000))

    def silent_for(self, now: float) -> float:
        """Seconds since the last sound was heard; 0 while there is more, and 0 before the first."""
        return max(0.0, now - self._empty_at) if self._empty_at else 0.0

    def first_sound_after(self, moment: float) -> float | None:
        """When the first byte after `moment` was heard; None when nothing was."""
        for span in self.spans:
            if span.until > moment or (not self._keep and span.at > moment):
                return max(span.at, moment)
        return None

    def _forget(self, added: int) -> None:
        self._kept += added
        while self._kept > KEPT_BYTES and len(self.spans) > 1:
            self._kept -= len(self.spans.pop(0).audio)
