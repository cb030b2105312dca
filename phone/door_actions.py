"""What the doorkeeper is told of a caller, and what it wants done."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """What is known when a stream of the call begins."""

    greeting: str
    saying: str = ""
    """Said in place of the greeting."""
    identified: bool = False
    has_pin: bool = False
    """Somebody who calls from this number has a PIN."""
    locked_seconds: float = 0.0
    """For so long nobody may try from this number, or for whoever calls from it."""
    guests_may: str | None = None
    """What guests are offered, in words (“connect you with somebody”); None: nothing at all."""
    trusted: bool = False
    """We called them, about something that whoever picks up may answer."""
    talked: bool = False
    """They have gone on without a PIN before the last stream broke."""
    emergency_key: bool = False


@dataclass(frozen=True, slots=True)
class Say:
    text: str
    ends: bool = False
    """The call is over once it was heard."""


@dataclass(frozen=True, slots=True)
class BeQuiet:
    pass


@dataclass(frozen=True, slots=True)
class TakeWords:
    wanted: bool


@dataclass(frozen=True, slots=True)
class TryPin:
    pin: str
    number: str = ""
    """The digits of the telephone number that was keyed in; empty: the one that calls."""

    def __repr__(self) -> str:
        return "TryPin(…)"


@dataclass(frozen=True, slots=True)
class Emergency:
    pass


Action = Say | BeQuiet | TakeWords | TryPin | Emergency
