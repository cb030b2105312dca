"""Those whom `<Dial>` reaches, and what came of dialling them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Outcome = Literal["answers", "busy", "no-answer", "failed"]


@dataclass(slots=True)
class Person:
    """Somebody with a telephone. `keys` are pressed one by one when asked for any."""

    outcome: Outcome = "answers"
    rings_seconds: float = 2.0
    keys: str = "1"
    """Empty: says nothing when asked, as a mailbox does."""
    talks_seconds: float = 3.0
    """With the caller, before this person hangs up."""
    called: int = 0
    joined: int = 0
    """How often the caller was put through."""
    told: list[str] = field(default_factory=list)
    """What Twilio's voice said before that."""
    callers: list[str] = field(default_factory=list)
    """The number that was shown."""


@dataclass(frozen=True, slots=True)
class Dialled:
    """How a `<Dial>` ended, as its action URL is told."""

    status: str
    """`completed`, `busy`, `no-answer`, `failed`, `canceled`."""
    bridged: bool = False
    seconds: float = 0.0
    sid: str = ""

    @property
    def parameters(self) -> dict[str, str]:
        told = {"DialCallStatus": self.status, "DialBridged": str(self.bridged).lower()}
        if self.sid:
            told["DialCallSid"] = self.sid
        if self.status == "completed":
            told["DialCallDuration"] = str(round(self.seconds))
        return told


def unanswered(outcomes: list[str]) -> str:
    """The status of a `<Dial>` that nobody took."""
    for status in ("no-answer", "busy"):
        if status in outcomes:
            return status
    return "failed"


def person(people: Mapping[str, Person], number: str) -> Person:
    """A number that belongs to nobody does not exist."""
    return people.get(number) or Person("failed", rings_seconds=0.5)
