"""A call's two sides on one clock, interleaved piece by piece: caller left, agent right. Pure.

The caller's audio comes as it is spoken and is the clock. The agent's leaves ahead of time: it is
put where it will be heard, and what an interruption made void is taken back. Kept is at most a
piece of each side and what is ahead, whatever the length of the call.
"""

from __future__ import annotations

import audioop

from voice.audio import AudioFormat

PIECE_MS = 4000
# The caller's device sent nothing for so long (muted, lost): it was silent.
LAG_MS = 1000
# No far end takes more than 2 s ahead; what claims to be further off is not written.
MOST_AHEAD_MS = 10_000
_SILENCE = {"mulaw": b"\xff", "pcm16": b"\0\0"}


class Tracks:
    """Positions are bytes of one side since the recording began."""

    def __init__(self, audio_format: AudioFormat) -> None:
        self._format = audio_format
        self._silence = _SILENCE[audio_format.encoding]
        self._piece = audio_format.bytes_of(PIECE_MS)
        self._caller, self._agent = bytearray(), bytearray()
        self._taken = 0
        self._number = -1
        self._base = 0
        self._began: float | None = None

    @property
    def position(self) -> int:
        """Where the call is now."""
        return self._taken + len(self._caller)

    @property
    def ms(self) -> int:
        return self._format.ms_of(self.position)

    def heard(self, audio: bytes, now: float) -> None:
        """The caller's audio, just arrived; `now` in seconds of any steady clock."""
        self._catch_up(now)
        self._caller += audio

    def quiet(self, size_bytes: int, now: float) -> None:
        """So much of the caller's audio is not for this recording."""
        self.heard(self._silence * (size_bytes // len(self._silence)), now)

    def said(self, number: int, at_ms: int, audio: bytes) -> None:
        """The agent's audio that begins `at_ms` into its reply `number`, on its way out."""
        at = self._format.bytes_of(at_ms)
        if number != self._number:
            self._number, self._base = number, self.position - at
        # What comes too late to follow without a gap is heard when it comes.
        self._base = max(self._base, self.position - at)
        start = self._base + at - self._taken
        if start > len(self._caller) + self._format.bytes_of(MOST_AHEAD_MS):
            return
        self._pad(self._agent, start)
        self._agent[start : start + len(audio)] = audio

    def cut(self) -> None:
        """The far end has thrown away what it had not played yet."""
        del self._agent[len(self._caller) :]
        self._number = -1

    def take(self, *, rest: bool = False) -> bytes:
        """A piece, both sides interleaved, when there is a whole one; with `rest` what is left."""
        size = len(self._caller) if rest else self._piece
        if not size or len(self._caller) < size:
            return b""
        self._pad(self._agent, size)
        piece = interleaved(bytes(self._caller[:size]), bytes(self._agent[:size]), self._format)
        del self._caller[:size], self._agent[:size]
        self._taken += size
        return piece

    def _catch_up(self, now: float) -> None:
        if self._began is None:
            self._began = now
        due = self._format.bytes_of(int((now - self._began) * 1000))
        if due - self.position > self._format.bytes_of(LAG_MS):
            self._pad(self._caller, min(due - self._taken, len(self._caller) + self._piece))

    def _pad(self, track: bytearray, size: int) -> None:
        if len(track) < size:
            track += self._silence * ((size - len(track)) // len(self._silence))


def interleaved(left: bytes, right: bytes, audio_format: AudioFormat) -> bytes:
    """Two sides of equal length as one of two channels."""
    if audio_format.encoding == "mulaw":
        both = bytearray(2 * len(left))
        both[0::2], both[1::2] = left, right
        return bytes(both)
    return audioop.add(audioop.tostereo(left, 2, 1, 0), audioop.tostereo(right, 2, 0, 1), 2)
