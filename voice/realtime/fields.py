"""Fields of a message of somebody else's; TypeError, ValueError or KeyError for what is none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Message = Mapping[str, Any]


def text(message: Message, name: str) -> str:
    value = message[name]
    if not isinstance(value, str):
        raise TypeError(name)
    return value


def ms(message: Message, name: str) -> int:
    value = message[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise ValueError(name)
    return int(value)


def mapping(message: Message, name: str) -> Message:
    """Empty when it is missing or null."""
    value = message.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise TypeError(name)
    return value


def count(message: Message, name: str) -> int:
    value = message.get(name)
    return max(0, int(value)) if isinstance(value, int | float) else 0


def code(message: Message, *names: str) -> str:
    """The first that is told; for the operator, so only a word."""
    told = (message.get(name) for name in names)
    return next((one[:60] for one in told if isinstance(one, str) and one), "")
