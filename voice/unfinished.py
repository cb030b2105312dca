"""Turns of a call that goes on after its socket broke, and what is told of them meanwhile.

All events of the call are told to the new socket again, from the first; those of a turn whose own
time to be answered has not come are kept for it.
"""

from __future__ import annotations

from dataclasses import dataclass

from voice import events
from voice.turns import Source

# A reply is a few dozen events.
MOST_EVENTS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfinished:
    """A turn whose answer nobody heard, as its row has it."""

    turn_id: str
    number: int
    source: Source = "voice"
    utterance_id: str = ""
    transcript: str | None = None
    """None while it is not known."""
    language: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """A call as it was left: the number of its last turn, and what has to be answered yet."""

    last_turn: int = 0
    unfinished: tuple[Unfinished, ...] = ()


class Early:
    def __init__(self) -> None:
        self._kept: dict[str, list[events.Event]] = {}

    def expect(self, turn_id: str) -> None:
        self._kept[turn_id] = []

    def keep(self, event: events.Event) -> bool:
        """True for an event of a turn whose time has not come."""
        kept = self._kept.get(getattr(event, "turn_id", ""))
        if kept is None:
            return False
        if len(kept) < MOST_EVENTS:
            kept.append(event)
        return True

    def take(self, turn_id: str) -> list[events.Event]:
        """What was told of this turn: its time has come."""
        return self._kept.pop(turn_id, [])
