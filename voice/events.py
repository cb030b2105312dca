"""What workers tell the web process about a call or a person, as frozen values.

One Redis stream per call and one per person carries them (`voice.streams`); `encode` and
`decode` are the only place where they become bytes. An event of a turn that is no longer current
is ignored by its `turn_id`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Transcribed:
    """The recogniser's answer; empty text means that it heard no words.

    `language` is ISO 639-1 where the engine tells it, else empty; `error` is a code, for the
    operator, when it `failed`.
    """

    utterance_id: str
    text: str
    took_ms: int = 0
    failed: bool = False
    language: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class TurnStarted:
    turn_id: str


@dataclass(frozen=True, slots=True)
class ReplyDelta:
    """With `restart`, `text` is all that stays of the words so far: an answer broke off."""

    turn_id: str
    text: str
    restart: bool = False


@dataclass(frozen=True, slots=True)
class ToolStarted:
    turn_id: str
    tool_call_id: str
    name: str


@dataclass(frozen=True, slots=True)
class ToolFinished:
    """`summary` is one line for the page ("added: buy milk, tomorrow 17:00"), empty for reads."""

    turn_id: str
    tool_call_id: str
    name: str
    ok: bool
    summary: str = ""
    change_id: int | None = None
    todo_ids: list[int] = field(default_factory=list)
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SentenceReady:
    """Sentence `seq` (from 0) of the reply has been queued for synthesis."""

    turn_id: str
    seq: int
    text: str


@dataclass(frozen=True, slots=True)
class SentenceAudio:
    """`size_bytes` of sentence `seq` now lie under its reply key; `final` when it is complete.

    `error` is a code, for the operator, when it `failed`.
    """

    turn_id: str
    seq: int
    size_bytes: int
    final: bool
    failed: bool = False
    error: str = ""


@dataclass(frozen=True, slots=True)
class TurnFinished:
    """The agent is done: `sentences` in all were queued for synthesis.

    `provider` is the name of who answered (`convonet.providers.LANGUAGE`), empty when not known.
    """

    turn_id: str
    reply: str
    sentences: int
    end_call: bool = False
    provider: str = ""


@dataclass(frozen=True, slots=True)
class TurnFailed:
    """`message` is the sentence for the caller; `code` is for the operator."""

    turn_id: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Briefed:
    """What a speech-to-speech model needs to know to take the call.

    `tools` are function tools as the OpenAI Realtime API takes them (`type`, `name`,
    `description`, `parameters`); `history` holds `{"role": "user" | "assistant", "text": …}`,
    oldest first.
    """

    instructions: str
    tools: list[dict[str, Any]] = field(default_factory=list)
    history: list[dict[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ToolAnswered:
    """`text` is a tool call's result as the model reads it; with `end_call` the call is to end."""

    turn_id: str
    tool_call_id: str
    text: str
    end_call: bool = False


@dataclass(frozen=True, slots=True)
class TodosChanged:
    summary: str
    change_id: int | None = None
    todo_ids: list[int] = field(default_factory=list)
    reminder_ids: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ReminderDue:
    """`text` is what to show, `speech` the sentence to say; audio lies under `reminder:{id}`."""

    reminder_id: int
    text: str
    speech: str


CallEvent = (
    Transcribed
    | TurnStarted
    | ReplyDelta
    | ToolStarted
    | ToolFinished
    | SentenceReady
    | SentenceAudio
    | TurnFinished
    | TurnFailed
    | Briefed
    | ToolAnswered
)
PersonEvent = TodosChanged | ReminderDue
Event = CallEvent | PersonEvent

_KINDS: dict[str, type[Event]] = {
    kind.__name__: kind
    for kind in (
        Transcribed,
        TurnStarted,
        ReplyDelta,
        ToolStarted,
        ToolFinished,
        SentenceReady,
        SentenceAudio,
        TurnFinished,
        TurnFailed,
        Briefed,
        ToolAnswered,
        TodosChanged,
        ReminderDue,
    )
}


def encode(event: Event) -> bytes:
    return json.dumps([type(event).__name__, asdict(event)], separators=(",", ":")).encode()


def decode(data: bytes) -> Event:
    """Raises ValueError for anything `encode` did not make."""
    try:
        name, values = json.loads(data)
        return _KINDS[name](**values)
    except (KeyError, TypeError) as error:
        raise ValueError(f"not an event: {error}") from None
