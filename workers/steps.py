"""What happens inside an agent turn, as frozen values from the loop thread to the task's thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import BaseMessage

from workers.uses import Use


@dataclass(frozen=True, slots=True)
class Words:
    """A piece of the agent's text, as it is made."""

    text: str
    english: bool = False
    """By what knows no other language, whatever the caller speaks."""


@dataclass(frozen=True, slots=True)
class AnswerDropped:
    """The words since the last message were of an answer that broke; another one may follow."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to a language model is over, answered or not."""

    use: Use


@dataclass(frozen=True, slots=True)
class MessageEnded:
    """One message of the model is complete: what it said so far can be spoken."""

    message: BaseMessage


@dataclass(frozen=True, slots=True)
class ToolsAnswered:
    """What the model will read of tools that have ended."""

    messages: Sequence[BaseMessage]


@dataclass(frozen=True, slots=True)
class ToolBegan:
    """`ordinal` counts the tool calls of the turn from 0."""

    ordinal: int
    tool_call_id: str
    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ToolEnded:
    """`ok` is None when it is not known whether the tool acted."""

    ordinal: int
    tool_call_id: str
    name: str
    arguments: dict[str, Any]
    result: dict[str, Any]
    ok: bool | None
    took_ms: int


@dataclass(frozen=True, slots=True)
class Ended:
    """The run is over; an empty `code` means that it came to its own end."""

    code: str = ""
    where: str = ""
    """Exception type and line, for the operator; never its text, which may hold callers' words."""


Step = Words | AnswerDropped | Asked | MessageEnded | ToolsAnswered | ToolBegan | ToolEnded | Ended
