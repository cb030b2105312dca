"""A turn while it lives in a call, and what the conversation asks its surroundings to do."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal

from voice.playout import ReplyPlayout

if TYPE_CHECKING:
    from voice.ears import Verdict

Source = Literal["voice", "typed"]
Outcome = Literal["done", "interrupted", "failed"]


class Stage(Enum):
    TRANSCRIBING = "transcribing"
    WAITING = "waiting"
    RUNNING = "running"


def new_id() -> str:
    return str(uuid.uuid4())


@dataclass(slots=True, kw_only=True)
class LiveTurn:
    """One exchange from the end of the caller's speech to the end of the reply.

    Times are seconds on the call's monotonic clock; `ended_at` is the caller's last voiced frame.
    """

    playout: ReplyPlayout
    number: int
    source: Source = "voice"
    id: str = field(default_factory=new_id)
    utterance_id: str = ""
    utterance_ms: int = 0
    ended_at: float = 0.0
    transcript: str | None = None
    language: str = ""
    """Of the transcript, ISO 639-1, as far as the recogniser told it."""
    stage: Stage = Stage.TRANSCRIBING
    deadline: float = float("inf")
    reply: str = ""
    answered_by: str = ""
    """The provider of the answer, once that is complete."""
    error: str = ""
    unsaid: str = ""
    """Why a sentence of it could not be spoken: it was answered all the same."""
    end_call: bool = False
    hang_up: HangUp | None = None
    """How the call ends once an announcement was heard."""
    started: bool = False
    """A worker has taken it up."""
    asked_after: bool = False
    """The caller's surroundings were asked why nothing happens."""
    answered: bool = False
    """The agent has said that it is finished (or has failed)."""
    last_ack_at: float = 0.0
    fillers: int = 0
    """How often the caller was told to wait, and when last."""
    filled_at: float = 0.0
    progress_at: float = 0.0
    """When reply audio was last made or sent, or the answer was complete."""
    reminder_id: int | None = None
    """Set for an announcement of a reminder, which is no row of its own."""
    announcement: bool = False
    timings_ms: dict[str, int] = field(default_factory=dict)
    held: list[Tell] | None = None
    """What the caller is told of it once its row is written; None: no row is being written."""

    def mark(self, name: str, now: float) -> None:
        """Note the first time something happened, in ms since the caller's speech ended."""
        self.timings_ms.setdefault(name, max(0, round((now - self.ended_at) * 1000)))


@dataclass(frozen=True, slots=True)
class Tell:
    """A JSON message for the caller's client."""

    message: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Recognise:
    """Find out what was said: by the live recogniser, or store the audio and queue the task."""

    utterance_id: str
    audio: bytes
    by_worker: bool = False
    """The live recogniser cannot tell."""
    aside: bool = False
    """Not for the agent, and perhaps a secret: the words are kept for a moment only."""


@dataclass(frozen=True, slots=True)
class Charge:
    """Keep that the live recogniser was asked, and what came of it."""

    verdict: Verdict
    model: str


@dataclass(frozen=True, slots=True)
class Begin:
    """Write the turn's row: the caller's words are now on record, and then shown as taken."""

    turn: LiveTurn


@dataclass(frozen=True, slots=True)
class Run:
    """Write the transcript and queue the agent's part."""

    turn: LiveTurn


@dataclass(frozen=True, slots=True)
class Drop:
    """It was not speech after all: delete the turn's row."""

    turn: LiveTurn


@dataclass(frozen=True, slots=True)
class Cancel:
    """Stop the agent and the synthesis of this turn and delete its audio."""

    turn: LiveTurn


@dataclass(frozen=True, slots=True)
class Finish:
    """Write the outcome and what was heard, and delete the reply's audio."""

    turn: LiveTurn
    outcome: Outcome
    heard: str
    settled: str = ""
    """The call's events up to this one are needed by nobody from then on; empty: not known."""


@dataclass(frozen=True, slots=True)
class Announce:
    """Queue the synthesis of a sentence that is no answer (a reminder)."""

    turn: LiveTurn
    text: str


@dataclass(frozen=True, slots=True)
class Fill:
    """The caller has waited in silence: say a few words, if some are at hand."""

    turn: LiveTurn


@dataclass(frozen=True, slots=True)
class Aside:
    """The words of this turn are not for the agent alone: it is taken up only if not taken."""

    turn: LiveTurn


@dataclass(frozen=True, slots=True)
class ForModel:
    """For the speech-to-speech model on the line, at once (`voice.realtime.deeds`)."""

    what: Any


@dataclass(frozen=True, slots=True)
class Extra:
    """To be stored or queued for that model, in order with the rest."""

    what: Any


@dataclass(frozen=True, slots=True)
class AskAfter:
    """Nothing happens with this turn: is a worker of this role alive?"""

    turn: LiveTurn
    role: Literal["agent", "speech"]


@dataclass(frozen=True, slots=True)
class HangUp:
    code: int
    reason: str
    text: str
    at_once: bool = False
    """Without waiting for what was said last; the sweeper hands that on."""


Command = (
    Tell
    | Recognise
    | Charge
    | Begin
    | Run
    | Drop
    | Cancel
    | Finish
    | Announce
    | Aside
    | AskAfter
    | ForModel
    | Extra
    | Fill
    | HangUp
)
