"""Marks on a turn's way through the processes, for `make overhead`: nothing unless a file is named.

One line per mark, `name turn-id nanoseconds`, appended in one write so that all processes share the
file. The clock is the machine's monotonic one, which all its processes have in common.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

VARIABLE = "CONVONET_MARKS"


def _opened() -> int:
    path = os.environ.get(VARIABLE, "")
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) if path else -1


_file = _opened()
_turn: ContextVar[str] = ContextVar("turn", default="")
on = _file >= 0


def mark(name: str, turn_id: str = "") -> None:
    """Note that this happened now to the turn, by default the one of `of`."""
    if _file >= 0 and (turn := turn_id or _turn.get()):
        os.write(_file, f"{name} {turn} {time.monotonic_ns()}\n".encode())


@contextmanager
def of(turn_id: str) -> Iterator[None]:
    """Marks made within, also by tasks begun within, belong to this turn."""
    token = _turn.set(turn_id)
    try:
        yield
    finally:
        _turn.reset(token)
