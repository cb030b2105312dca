"""The engines that compute speech here: 120 MB a child, there while calls are and gone when idle.

Web processes queue `get_ready` when a call begins. A child that has loaded nothing yet loads one
engine and has the task queued again: first for another idle child, then for its own next engine,
so that what is to be said meanwhile (the greeting) need not wait for the ears to be loaded.
"""

from __future__ import annotations

import logging
import mmap
from collections.abc import Callable, Iterator
from time import monotonic
from typing import Any

from django.conf import settings

from voice import envelope
from workers import wiring

logger = logging.getLogger("workers.engines")

SPEECH = "speech"
TASK = "get_ready"
# By then whoever called has been heard, or has given up.
READY_SECONDS = 30.0
# The larger one's peak while it loads.
ENGINE_KIB = 100 * 1024
_ASLEEP, _AWAKE = b"\0", b"\1"
# One byte that the parent shares with all its children; made before any is forked.
_state: mmap.mmap | None = None
_loaded: set[str] = set()


def share() -> None:
    """In the parent, before it forks."""
    global _state
    _state = mmap.mmap(-1, 1)


def awake() -> bool:
    """Whether a child that starts now shall load its engines at once, as its siblings have them."""
    return _state is not None and _state[:1] == _AWAKE


def wake(*, up: bool) -> None:
    """In the parent: tasks come, or none have come for long."""
    if _state is not None:
        _state[:1] = _AWAKE if up else _ASLEEP


def load_next() -> str:
    """In a child: load one engine that is not loaded; its name, empty when all are."""
    for name, load in _own():
        if name not in _loaded:
            began = monotonic()
            load()
            _loaded.add(name)
            took_ms = round((monotonic() - began) * 1000)
            logger.info("engine loaded", extra={"engine": name, "took_ms": took_ms})
            return name
    return ""


def load_all() -> None:
    while load_next():
        pass


def get_ready(redis: Any) -> None:
    """In a child: load one engine, while others are asked to do so, too."""
    if any(name not in _loaded for name, _ in _own()):
        again = envelope.sealed(TASK, expires_seconds=READY_SECONDS)
        redis.lpush(envelope.queue_of(TASK), again)
        load_next()


def to_come_kib() -> int:
    """What a child of this worker will grow by once it has loaded, beside what it works on."""
    if _state is None:
        return 0
    return ENGINE_KIB * sum(1 for name, _ in _own() if name not in _loaded)


def _own() -> Iterator[tuple[str, Callable[[], None]]]:
    """What this worker computes, in the order in which a call needs it."""
    if settings.SPEAKING_QUEUE == SPEECH:
        yield "synthesizer", wiring.synthesizer().warm_up
    if settings.HEARING_QUEUE == SPEECH:
        yield "transcriber", wiring.transcriber().warm_up
