"""What a caller's client says, whatever its wire format: what the call machine understands."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Start:
    time_zone: str
    microphone: bool


@dataclass(frozen=True, slots=True)
class Audio:
    """In the call's own format, checked to be of a possible size."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Typed:
    text: str


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a telephone: 0-9, *, # or A-D."""

    digit: str


@dataclass(frozen=True, slots=True)
class Interrupt:
    pass


@dataclass(frozen=True, slots=True)
class Mute:
    muted: bool


@dataclass(frozen=True, slots=True)
class Played:
    """The caller has heard the reply of this turn up to `ms`."""

    turn_id: str
    ms: int


@dataclass(frozen=True, slots=True)
class Stop:
    """The caller hangs up."""


Control = Start | Audio | Typed | Key | Interrupt | Mute | Played | Stop
