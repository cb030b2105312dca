"""What a worker may be told, as frozen values; `workers.wiring` fills them from the settings."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AgentOptions:
    """Bounds of one agent turn and where its tools are."""

    mcp_url: str
    mcp_token: str
    time_zone: str
    """IANA name, for callers who have not told us theirs."""
    turn_seconds: float = 30.0
    """The whole turn, from a worker taking it to its last word."""
    tool_seconds: float = 10.0
    """One tool call with its repeats."""
    model_seconds: float = 12.0
    """One answer of a language model, to its last word."""
    connect_seconds: float = 5.0
    """How long a turn waits for a tool server that is just starting."""
    # Each model answer and each round of tools is a step: eight rounds of tools.
    max_steps: int = 17
    max_reply_characters: int = 1500
    history_turns: int = 12
    history_tokens: int = 3000


@dataclass(frozen=True, slots=True)
class MemoryOptions:
    """How far a child may grow over what it holds once warmed up."""

    headroom_mb: int = 150
    """Peak growth after which a child is replaced at the end of its task."""
    ceiling_mb: int = 400
    """Growth at which an allocation fails inside the task, as MemoryError."""


@dataclass(frozen=True, slots=True)
class RetentionOptions:
    """How long records are kept."""

    call_days: int = 90
    tool_request_days: int = 7
    recording_days: int = 30
    memory_hours: int = 48
