"""What the conversation wants done for the model on the line, as frozen values.

Those of `Deed` are stored or queued, in order with all else of the call (`voice.errands`); those of
`ToLine` go to the bridge at once.
"""

from __future__ import annotations

from dataclasses import dataclass

from voice.events import Event
from voice.realtime.protocol import Usage
from voice.realtime.requests import Message, Request, SessionUpdate
from voice.turns import LiveTurn


# In order -----------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Brief:
    """Ask a worker what the model must know."""


@dataclass(frozen=True, slots=True)
class Keep:
    """Put what was said where other processes find it."""

    utterance_id: str
    audio: bytes


@dataclass(frozen=True, slots=True)
class HearAgain:
    """Have a worker recognise what is kept."""

    utterance_id: str


@dataclass(frozen=True, slots=True)
class RunTool:
    """`arguments` is JSON, as the model wrote it."""

    turn_id: str
    call_id: str
    ordinal: int
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class WriteWords:
    """The caller's words are known."""

    turn: LiveTurn


@dataclass(frozen=True, slots=True)
class WriteReply:
    """All was said that will be said; `told` is for whoever takes the call after this process."""

    turn: LiveTurn
    told: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True)
class ChargeResponse:
    usage: Usage
    turn_id: str
    """Empty where it is not known."""
    first_ms: int | None
    took_ms: int
    error: str = ""


@dataclass(frozen=True, slots=True)
class ChargeWords:
    """The transcription that goes with the session."""

    usage: Usage
    utterance_id: str
    audio_ms: int
    error: str = ""


Deed = Brief | Keep | HearAgain | RunTool | WriteWords | WriteReply | ChargeResponse | ChargeWords


# At once ------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Join:
    """Open a socket, and begin with these."""

    session: SessionUpdate
    history: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Leave:
    """Close it."""


@dataclass(frozen=True, slots=True)
class Listen:
    """Whether the model hears the caller."""

    wanted: bool


@dataclass(frozen=True, slots=True)
class Silence:
    """The caller sends nothing, and the model waits to hear whether more comes."""

    ms: int


@dataclass(frozen=True, slots=True)
class StoreAudio:
    """Reply audio, to be appended at this offset of its part."""

    turn_id: str
    seq: int
    offset: int
    audio: bytes


@dataclass(frozen=True, slots=True)
class Forget:
    """Reply audio of this turn that is not stored yet is not wanted."""

    turn_id: str


ToLine = Join | Leave | Listen | Silence | StoreAudio | Forget | Request
