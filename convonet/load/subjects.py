"""What a run measures: the product behind one of its front doors, or a peer. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SERVERS = ("daphne", "uvicorn")
# Of the product, from a caller's last sound until it takes them to be done (ENDPOINT_SILENCE_MS).
SILENCE_SECONDS = 0.6


@dataclass(frozen=True, slots=True)
class Subject:
    name: str
    silence: float
    """Seconds of silence after which it is set to take a caller to be done."""
    told: str
    """One line for tables."""
    peer: bool = False


PRODUCT = tuple(
    Subject(name, SILENCE_SECONDS, f"the product behind {name.capitalize()}") for name in SERVERS
)
PIPECAT_VERSION = "1.14.0"
# pipecat's own defaults: its voice detector takes 0.2 s, its timeout 0.6 s more.
PEERS = (
    Subject(
        "pipecat-bare",
        0.8,
        f"pipecat {PIPECAT_VERSION}, bare: its pipeline with loudness for a voice detector",
        peer=True,
    ),
    Subject(
        "pipecat-silero",
        0.8,
        f"pipecat {PIPECAT_VERSION} with Silero's voice detector and its timeout",
        peer=True,
    ),
    Subject(
        "pipecat-documented",
        0.2,
        f"pipecat {PIPECAT_VERSION} as documented: Silero, and smart-turn as it sets by default",
        peer=True,
    ),
)
_BY_NAME = {subject.name: subject for subject in (*PRODUCT, *PEERS)}
# What `--peers` measures: the leanest that works and what its documentation has people run.
DEFAULT_PEERS = ("pipecat-bare", "pipecat-documented")


def named(names: Sequence[str]) -> tuple[Subject, ...]:
    """Raises ValueError with a sentence."""
    unknown = [name for name in names if name not in _BY_NAME]
    if unknown:
        raise ValueError(f"{unknown[0]!r} is none of {', '.join(_BY_NAME)}")
    return tuple(_BY_NAME[name] for name in names)
