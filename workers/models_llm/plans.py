"""What a sentence comes to: tool calls in the order spoken, or words to say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Call:
    tool: str
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """`calls` in the order spoken; `say` before their results, or alone.

    `guess`: likely, but the words could mean something else.
    """

    calls: list[Call] = field(default_factory=list)
    say: str = ""
    guess: bool = False

    def guessed(self) -> Plan:
        return replace(self, guess=True)


Slots = dict[str, Any]
Handler = Callable[[Slots, datetime], Plan | None]


def one(tool: str, **arguments: Any) -> Plan:
    """A plan of one call, without the arguments that were not said."""
    return Plan(
        [Call(tool, {key: value for key, value in arguments.items() if value not in ("", None)})]
    )
