"""What becomes of a call to somebody whose reminder is due, by what happened to it. Pure.

AnsweredBy and CallStatus are Twilio's: https://www.twilio.com/docs/voice/answering-machine-detection
and https://www.twilio.com/docs/voice/api/call-resource#call-status-values.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from phone.models import Ringing

State = Ringing.State


class Happened(StrEnum):
    """To one try; the value is what the row keeps as its outcome."""

    PLACED = "placed"
    REFUSED = "refused"
    """For good: the number, the account or the request is wrong."""
    DELAYED = "not taken"
    """Twilio is busy or away, and surely has not called."""
    LOST = "not known"
    """Nobody has told in time whether it was called."""
    HUMAN = "answered"
    MACHINE = "machine"
    FAX = "fax"
    BUSY = "busy"
    NO_ANSWER = "no answer"
    FAILED = "failed"
    CANCELED = "canceled"
    UNTOLD = "not told"
    """Somebody picked up, and heard nothing of us."""
    COMPLETED = "completed"


@dataclass(frozen=True, slots=True)
class RingOptions:
    """How long is rung, and what is done when nobody answers."""

    ring_seconds: int = 30
    machine_seconds: int = 30
    """How long Twilio may listen whether a machine has answered, and until it beeps."""
    speech_ms: int = 2400
    """Speech that lasts longer is a machine's greeting."""
    speech_end_ms: int = 1200
    """Silence after which a greeting counts as over."""
    silence_ms: int = 5000
    """Of who picks up and says nothing; after that it is not known who it is."""
    delays: tuple[timedelta, ...] = (timedelta(minutes=2), timedelta(minutes=10))
    """Between the tries, so one fewer than there are of them."""
    placing: timedelta = timedelta(seconds=90)
    """For a worker to say that it has called; longer than ringing and listening together."""
    ringing: timedelta = timedelta(minutes=4)
    """For Twilio to say how the call went; it may let it wait in a queue of its own."""
    put_off: timedelta = timedelta(seconds=20)
    """Until somebody is looked for again who was in a call with us."""
    most_a_day: int = 40
    """Calls to one person; a table of reminders, or a mischief, shall not ring all day."""
    latest: timedelta = timedelta(hours=1)
    """A reminder due longer ago rings nobody any more: it is told at the next call."""

    @property
    def most_tries(self) -> int:
        return len(self.delays) + 1


@dataclass(frozen=True, slots=True)
class Step:
    """`wait` until it is looked at again; None when nothing more is to come."""

    state: Ringing.State
    outcome: str
    wait: timedelta | None = None


# While what happens to a try still counts: also once it was given up as lost, and before the next.
OPEN = frozenset({State.WAITING, State.PLACING, State.RINGING})
OVER = frozenset({State.ANSWERED, State.VOICEMAIL, State.GIVEN_UP, State.CANCELLED})
_ENDS = {
    Happened.HUMAN: State.ANSWERED,
    Happened.MACHINE: State.VOICEMAIL,
    Happened.FAX: State.GIVEN_UP,
    Happened.REFUSED: State.GIVEN_UP,
}
_STATUS = {
    "busy": Happened.BUSY,
    "no-answer": Happened.NO_ANSWER,
    "failed": Happened.FAILED,
    "canceled": Happened.CANCELED,
    "completed": Happened.COMPLETED,
}


def who(answered_by: str) -> Happened:
    """AnsweredBy of the webhook; what Twilio is not sure of is taken for a person."""
    if answered_by.startswith("machine"):
        return Happened.MACHINE
    return Happened.FAX if answered_by == "fax" else Happened.HUMAN


def ended(call_status: str) -> Happened | None:
    """CallStatus; None while the call goes on."""
    return _STATUS.get(call_status)


def after(state: str, tries: int, happened: Happened, options: RingOptions) -> Step | None:
    """The step from `state` after so many tries; None when it changes nothing any more."""
    if state not in OPEN or tries < 1:
        return None
    if happened == Happened.PLACED:
        placing = state == State.PLACING
        return Step(State.RINGING, happened, options.ringing) if placing else None
    if happened in _ENDS:
        return Step(_ENDS[happened], happened)
    if state == State.WAITING:
        # Counted already, when it was given up as lost.
        return None
    outcome = Happened.UNTOLD if happened == Happened.COMPLETED else happened
    if tries >= options.most_tries:
        return Step(State.GIVEN_UP, outcome)
    return Step(State.WAITING, outcome, options.delays[tries - 1])
