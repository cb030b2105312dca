"""What the parts of one running turn share: its tools, its clock, who may answer it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from voice.preferences import Chosen
from workers import steps
from workers.tools import TodoServer


@dataclass(slots=True)
class TurnContext:
    """`deadline` is monotonic, `emit` may be called anywhere.

    `recorded` returns once the step, and all before it, have been written: what a tool changes can
    be told and repeated after any crash.
    """

    server: TodoServer
    signed: str
    key_prefix: str
    """The turn's id."""
    deadline: float
    tool_seconds: float
    emit: Callable[[steps.Step], None]
    recorded: Callable[[steps.Step], Awaitable[None]]
    offers: Callable[[str], bool] = lambda tool: True
    """Whether this caller may use the tool of that name."""
    chosen: Chosen = field(default_factory=Chosen)
    """Who shall answer, as the person or their business decided."""
    language: str = ""
    """Of the caller's words, ISO 639-1; empty when nobody knows."""
    stopped: bool = False
    tools_running: int = 0
    # "Add milk and delete the bread": calls made at once still run in the order they were made.
    in_order: asyncio.Lock = field(default_factory=asyncio.Lock)
