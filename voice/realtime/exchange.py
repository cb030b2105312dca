"""One turn as the model on the line answers it: its spoken parts, its tool calls, what was heard.

Pure. A part is one item of the model's; it is told to the call as one sentence, under `seq`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from voice import events
from voice.realtime.protocol import FunctionCall
from voice.turns import LiveTurn

PROVIDER = "openai"
# A model that asks for more in one turn is lost in itself.
MOST_CALLS = 24


@dataclass(slots=True)
class Part:
    item_id: str
    seq: int
    text: str = ""
    size_bytes: int = 0
    """Made by the model so far."""
    stored_bytes: int = 0
    """Of these, in Redis."""
    ended: bool = False
    told: bool = False
    """The call knows that it is complete."""

    @property
    def complete(self) -> bool:
        return self.ended and self.stored_bytes >= self.size_bytes


@dataclass(slots=True)
class Call:
    """`ordinal` counts the turn's calls: the same one after a repeat."""

    ordinal: int
    call: FunctionCall
    begun: bool = False
    answered: bool = False

    @property
    def id(self) -> str:
        return self.call.call_id


@dataclass(slots=True)
class Exchange:
    turn: LiveTurn
    item_id: str = ""
    """Of the caller's words."""
    written: bool = False
    """Its row is."""
    asked_at: float = 0.0
    first_at: float | None = None
    """When the first sound of the last response came."""
    resting: bool = True
    """No response is being made."""
    empty: bool = False
    """There was a response in which nothing was said or asked for."""
    asks_again: bool = False
    """Once its tools have answered."""
    over: bool = False
    left: bool = False
    """The model that had it is gone."""
    end_call: bool = False
    unclear: bool = False
    told: bool = False
    """The reply is written."""
    taken_back: bool = False
    """And then was none: a question back follows."""
    parts: dict[str, Part] = field(default_factory=dict)
    calls: dict[str, Call] = field(default_factory=dict)

    def part(self, item_id: str) -> Part:
        if item_id not in self.parts:
            self.parts[item_id] = Part(item_id, len(self.parts))
        return self.parts[item_id]

    def part_number(self, seq: int) -> Part | None:
        return next((part for part in self.parts.values() if part.seq == seq), None)

    def add_call(self, call: FunctionCall) -> Call | None:
        """None for one that is known, broken off, or one too many."""
        if not call.complete or call.call_id in self.calls or len(self.calls) >= MOST_CALLS:
            return None
        self.calls[call.call_id] = Call(len(self.calls), call)
        return self.calls[call.call_id]

    @property
    def spoken(self) -> bool:
        return any(part.size_bytes for part in self.parts.values())

    @property
    def mid_sentence(self) -> bool:
        """Something was begun to be said and is not complete."""
        return any(part.size_bytes and not part.ended for part in self.parts.values())

    @property
    def acted(self) -> bool:
        return any(call.begun for call in self.calls.values())

    @property
    def words_known(self) -> bool:
        return bool(self.turn.transcript)

    @property
    def next_call(self) -> Call | None:
        """One at a time, as workers are many: "add milk and delete the bread" is done in order."""
        if any(call.begun for call in self.open_calls()):
            return None
        return next((call for call in self.calls.values() if not call.begun), None)

    def open_calls(self) -> list[Call]:
        return [call for call in self.calls.values() if not call.answered]

    def finished(self) -> events.TurnFinished:
        """As a worker tells it."""
        turn = self.turn
        return events.TurnFinished(turn.id, turn.reply, len(self.parts), self.end_call, PROVIDER)

    def retold(self) -> tuple[events.Event, ...]:
        """All a call has to know that goes on with this reply; its audio lies in Redis."""
        told: list[events.Event] = [events.TurnStarted(self.turn.id)]
        for part in self.parts.values():
            told.append(events.SentenceReady(self.turn.id, part.seq, part.text))
            told.append(events.SentenceAudio(self.turn.id, part.seq, part.size_bytes, True))
        return (*told, self.finished())

    def unheard(self) -> Iterator[tuple[str, int]]:
        """(item, ms of it that were heard) for each part not heard to its end."""
        playout = self.turn.playout
        for part in self.parts.values():
            heard_ms = playout.heard_ms_of(part.seq)
            if part.size_bytes and heard_ms < playout.ms_of(part.size_bytes):
                yield part.item_id, heard_ms
