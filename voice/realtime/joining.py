"""Whether the model is on the line: asked for, briefed, joined, lost and asked for again.

Pure. While it is not there our own parts hold the call, so nothing here is in a hurry.
"""

from __future__ import annotations

from enum import Enum

from voice.realtime.options import RealtimeOptions

# A worker answers within milliseconds; it may be starting.
BRIEF_SECONDS = 10.0
FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 60.0
# A session that held so long was well: what ends it is a new mishap.
WELL_SECONDS = 60.0


class Phase(Enum):
    AWAY = "away"
    BRIEFING = "briefing"
    """A worker is asked what the model must know."""
    JOINING = "joining"
    """A socket is being opened, the session set."""
    READY = "ready"
    """It waits for a pause in the talk."""
    LIVE = "live"


class Joining:
    def __init__(self, options: RealtimeOptions) -> None:
        self._options = options
        self._failures = 0
        self._not_before = 0.0
        self._since = 0.0
        self.phase = Phase.AWAY

    @property
    def live(self) -> bool:
        return self.phase is Phase.LIVE

    @property
    def connected(self) -> bool:
        """It takes what it is told."""
        return self.phase in (Phase.READY, Phase.LIVE)

    def due(self, now: float) -> bool:
        """It is to be asked for now."""
        return self.phase is Phase.AWAY and now >= self._not_before

    def enter(self, phase: Phase, now: float) -> None:
        self.phase, self._since = phase, now

    def late(self, now: float) -> bool:
        """What is being waited for should have come."""
        most = {
            Phase.BRIEFING: BRIEF_SECONDS,
            Phase.JOINING: 2 * self._options.open_seconds + 1.0,
        }
        return now - self._since > most.get(self.phase, float("inf"))

    def old(self, now: float) -> bool:
        """The service is about to end the session."""
        return self.live and now - self._since > self._options.renew_seconds

    def lost(self, now: float, *, hopeless: bool = False) -> None:
        """Wait longer each time, and for ever when a further try will end the same."""
        if self.live and now - self._since > WELL_SECONDS:
            self._failures = 0
        wait = min(FIRST_WAIT_SECONDS * 2**self._failures, LONGEST_WAIT_SECONDS)
        self._failures = min(self._failures + 1, 10)
        self._not_before = float("inf") if hopeless else now + wait
        self.enter(Phase.AWAY, now)

    def rest(self, now: float) -> None:
        """It left as was wished, and may come back at once."""
        self._not_before = now
        self.enter(Phase.AWAY, now)

    def stay_away(self, now: float) -> None:
        self._not_before = float("inf")
        self.enter(Phase.AWAY, now)
