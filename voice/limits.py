"""How much a caller's client may send: audio at real time, text at a human pace."""

from __future__ import annotations

from convonet import counters
from voice.audio import AudioFormat
from voice.errors import Refused

# Networks bunch up what was spoken during a hiccup; more than this was not spoken just now.
BURST_MS = 2000


class AudioAllowance:
    """Audio further than 2 s ahead of the clock is dropped and counted; a flood ends the call."""

    def __init__(self, audio_format: AudioFormat, flood_seconds: float) -> None:
        self._format = audio_format
        self._flood_ms = flood_seconds * 1000
        self._bytes_per_second = audio_format.bytes_per_second
        self._used_until = 0.0
        """When all that was taken has been spoken, at real time."""
        self._taken_bytes = 0
        self._dropped_ms = self._dropped_at = 0.0
        self.dropped = 0

    @property
    def received_ms(self) -> int:
        return self._format.ms_of(self._taken_bytes)

    def take(self, size_bytes: int, now: float) -> bool:
        """May this message be heard? Raises `Refused(4429)` once a flood's worth was dropped."""
        until = self._used_until
        until = (until if until > now else now) + size_bytes / self._bytes_per_second
        if (until - now) * 1000 > BURST_MS:
            self._drop(size_bytes, now)
            return False
        self._used_until = until
        self._taken_bytes += size_bytes
        return True

    def _drop(self, size_bytes: int, now: float) -> None:
        self.dropped += 1
        counters.add("audio_dropped")
        forgiven_ms = (now - self._dropped_at) * 500
        self._dropped_at = now
        self._dropped_ms = max(0.0, self._dropped_ms - forgiven_ms)
        self._dropped_ms += size_bytes * 1000 / self._bytes_per_second
        if self._dropped_ms > self._flood_ms:
            raise Refused(4429, "Your device sends audio much faster than it is spoken.")


class MessageAllowance:
    def __init__(self, per_second: int) -> None:
        self._per_second = per_second
        self._tokens = float(2 * per_second)
        self._last = 0.0

    def take(self, now: float) -> None:
        """Raises `Refused(4429)` past the allowance (bursts of two seconds' worth)."""
        elapsed = now - self._last if self._last else 0.0
        self._last = now
        most = 2.0 * self._per_second
        self._tokens = min(most, self._tokens + elapsed * self._per_second) - 1
        if self._tokens < 0:
            raise Refused(4429, "Too many messages at once.")
