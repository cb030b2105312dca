"""Tools that run away, each in its manner: a toolset of the bench, which nothing else loads.

`EXTRA_TOOLSETS=convonet.load.runaway_tools.TOOLS` gives them to a product; `make bench
ARGS="--runaway 20"` does. They are what a faulty or abused tool does to its process.
"""

from __future__ import annotations

import threading

from convonet.load.plan import RUNAWAYS
from todo.actor import Actor
from todo.tools.answers import Answer
from todo.tools.arguments import Arguments
from todo.tools.catalogue import Tool

STEP_BYTES = 8 << 20
ANSWER_CHARACTERS = 16 << 20
# A ceiling far beyond any of ours: where none is in force, the machine is not taken with it.
MOST_BYTES = 8 << 30


def take_memory(actor: Actor, arguments: Arguments) -> Answer:
    """Allocates without end; raises MemoryError at the process's ceiling."""
    taken = []
    for number in range(MOST_BYTES // STEP_BYTES):
        # Written to, or the kernel would give none.
        taken.append(bytes([number % 255 + 1]) * STEP_BYTES)
    return Answer("ok", "There was no ceiling.")


def answer_without_end(actor: Actor, arguments: Arguments) -> Answer:
    """As much text as a book shelf."""
    return Answer("ok", "word " * (ANSWER_CHARACTERS // 5))


def wait_for_ever(actor: Actor, arguments: Arguments) -> Answer:
    """As a tool that waits for a service which never answers, without a time limit of its own."""
    threading.Event().wait()
    return Answer("ok", "It came back.")


_RUN = (take_memory, answer_without_end, wait_for_ever)
TOOLS: tuple[Tool, ...] = tuple(
    Tool(name, run, name.replace("_", " ").capitalize(), f"Bench: {run.__doc__}", reads=True)
    for name, run in zip(RUNAWAYS, _RUN, strict=True)
)
