"""Who heard the caller speak: the model's voice detection, and our own gate beside it.

Pure. The model decides what an utterance is. Our gate hears the same audio without the way to the
model, so it is first to stop a reply, and it has the words when the model has gone deaf.
"""

from __future__ import annotations

from dataclasses import dataclass

from voice.audio import AudioFormat
from voice.realtime.spoken import Spoken
from voice.turns import LiveTurn

# What our gate heard and the model has not begun to hear by then is given to a worker.
DEAF_SECONDS = 3.0
# The model tells of speech so long after it began.
TOLD_AFTER_MS = 1500


@dataclass(slots=True)
class Unconfirmed:
    """An utterance by our own gate alone."""

    audio: bytes
    silence_ms: int
    deadline: float


@dataclass(slots=True)
class Utterance:
    """One the model is hearing, or has just heard."""

    item_id: str
    turn: LiveTurn
    end_ms: int | None = None


class Hearing:
    def __init__(self, audio_format: AudioFormat, *, lead_in_ms: int, most_ms: int) -> None:
        quiet_ms = lead_in_ms + TOLD_AFTER_MS
        self.spoken = Spoken(audio_format, quiet_ms=quiet_ms, most_ms=most_ms)
        self._bytes = 0
        """Of the caller's audio so far."""
        self._looked = -1
        self._stalls = 0
        self._taken: int | None = None
        """As much as there was when the model took what our gate hears."""
        self.gate_open = False
        """Our own gate hears speech."""
        self._confirmed = False
        self.utterance: Utterance | None = None
        self.unconfirmed: Unconfirmed | None = None

    @property
    def active(self) -> bool:
        return self.utterance is not None or self.gate_open

    def reset(self) -> None:
        """There is no model any more, or another one."""
        self.spoken.reset()
        self.stop()

    def stop(self) -> None:
        """The model hears nothing for a while."""
        self.spoken.forget()
        self.utterance = self.unconfirmed = None
        self.gate_open = self._confirmed = False

    def came(self, size_bytes: int) -> None:
        """So much more of the caller's audio."""
        self._bytes += size_bytes

    def untaken(self, audio: bytes) -> bytes:
        """Of an utterance by our gate, what the model has not taken already."""
        if self._taken is None:
            return audio
        new = self._bytes - self._taken
        return audio[-new:] if new > 0 else b""

    def stalled(self) -> int:
        """How often in a row this was asked while the model heard somebody and nothing came."""
        stalled = self.utterance is not None and self._looked == self._bytes
        self._stalls = self._stalls + 1 if stalled else 0
        self._looked = self._bytes
        return self._stalls

    # Our gate -----------------------------------------------------------------------------------
    def gate_started(self) -> None:
        self.gate_open, self._confirmed, self._taken = True, self.utterance is not None, None

    def gate_discarded(self) -> None:
        self.gate_open = False

    def gate_ended(self, audio: bytes, silence_ms: int, now: float) -> None:
        self.gate_open = False
        if not self._confirmed:
            self.unconfirmed = Unconfirmed(audio, silence_ms, now + DEAF_SECONDS)

    def missed(self, now: float) -> Unconfirmed | None:
        """An utterance the model should have heard by now, once."""
        missed = self.unconfirmed
        if missed is None or now <= missed.deadline or self.utterance is not None:
            return None
        self.unconfirmed = None
        return missed

    # The model ----------------------------------------------------------------------------------
    def started(self, item_id: str, start_ms: int, turn: LiveTurn) -> None:
        self.spoken.started(start_ms)
        self.utterance = Utterance(item_id, turn)
        self._confirmed, self.unconfirmed = True, None

    def stopped(self, item_id: str, end_ms: int) -> None:
        if self.utterance is not None and self.utterance.item_id == item_id:
            self.utterance.end_ms = end_ms

    def committed(self, item_id: str) -> tuple[LiveTurn | None, bytes]:
        """The turn that was being heard, None for one whose start was not told, and its audio."""
        utterance, self.utterance = self.utterance, None
        self.unconfirmed, self._confirmed, self._taken = None, True, self._bytes
        if utterance is None or utterance.item_id != item_id:
            return None, self.spoken.cut()
        return utterance.turn, self.spoken.cut(utterance.end_ms)
