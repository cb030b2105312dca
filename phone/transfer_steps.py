"""How a wish to be connected goes on: a small machine over whom was dialled and what came of it.

Pure. A step that was made already, as of a webhook that Twilio repeats, changes nothing: `place`
says which of the tries it is about, from 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypedDict

from phone.models import Contact, Transfer

State = Transfer.State
OPEN = (State.WANTED, State.DIALLING, State.TALKING)
# A caller who has heard it ring so often hears the agent instead.
MOST_TRIES = 8
RINGING = ""
TAKEN = "took the call"
DECLINED = "did not take the call"
TALKED = "talked"
# DialCallStatus (https://www.twilio.com/docs/voice/twiml/dial), in words.
_NOT_ANSWERED = {"busy": "busy", "no-answer": "no answer", "canceled": "caller hung up"}


class Try(TypedDict):
    """One person who was dialled, as the row keeps it."""

    contact: int
    name: str
    number: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Progress:
    state: str
    tried: tuple[Try, ...] = ()

    @property
    def place(self) -> int:
        return len(self.tried)


@dataclass(frozen=True, slots=True)
class DialEnd:
    """What Twilio tells of a `<Dial>`; `joined` is False when it says that they were not."""

    status: str
    joined: bool
    caller_gone: bool


def begin(progress: Progress, people: Sequence[Contact]) -> Progress:
    """Dial the first, if that was not done yet."""
    return _next(progress, people) if progress.state == State.WANTED else progress


def take(progress: Progress, place: int) -> Progress | None:
    """Somebody has picked up and wants the call; None when it is theirs no more."""
    if place != progress.place or progress.state not in (State.DIALLING, State.TALKING):
        return None
    return _noted(progress, State.TALKING, TAKEN)


def dial_ended(progress: Progress, place: int, end: DialEnd, people: Sequence[Contact]) -> Progress:
    """After a talk it is done; else the next one is dialled, while the caller is there."""
    if place != progress.place or progress.state not in (State.DIALLING, State.TALKING):
        return progress
    if progress.state == State.TALKING and (end.joined or end.caller_gone):
        return _noted(progress, State.DONE, TALKED)
    progress = _noted(progress, State.DIALLING, _NOT_ANSWERED.get(end.status, _other(end.status)))
    return replace(progress, state=State.ABANDONED) if end.caller_gone else _next(progress, people)


def caller_left(progress: Progress) -> Progress:
    if progress.state == State.TALKING:
        return _noted(progress, State.DONE, TALKED)
    return replace(progress, state=State.ABANDONED) if progress.state in OPEN else progress


def _next(progress: Progress, people: Sequence[Contact]) -> Progress:
    already = {one["contact"] for one in progress.tried}
    somebody = next((one for one in people if one.pk not in already), None)
    if somebody is None or progress.place >= MOST_TRIES:
        return replace(progress, state=State.MISSED)
    ringing = Try(contact=somebody.pk, name=somebody.name, number=somebody.number, outcome=RINGING)
    return Progress(State.DIALLING, (*progress.tried, ringing))


def _noted(progress: Progress, state: State, outcome: str) -> Progress:
    *before, last = progress.tried
    return Progress(state, (*before, {**last, "outcome": outcome}))


def _other(status: str) -> str:
    """`completed` and `answered`: they picked up, or their mailbox did, and pressed no key."""
    return DECLINED if status in ("completed", "answered") else "failed"
