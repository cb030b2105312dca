"""What one look at a machine found: its processes' memory, what it may use, the calls meanwhile.

Plain values that travel as JSON. All memory in KiB.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from convonet.allowance import Allowance
from monitor.roles import ROLES

CLOCK, CALLS = "clock", "calls"


@dataclass(frozen=True, slots=True)
class Reading:
    """One process."""

    pid: int
    role: str
    started: float
    """Seconds since the epoch."""
    rss: int
    uss: int | None = None
    pss: int | None = None
    """Its own pages and its part of shared ones; None where the kernel does not tell."""
    base: int | None = None
    """Its size once it had settled; None before."""

    @property
    def size(self) -> int:
        """PSS where there is one: only that may be summed up."""
        return self.rss if self.pss is None else self.pss

    @property
    def growth(self) -> int | None:
        return None if self.base is None else self.size - self.base


@dataclass(frozen=True, slots=True)
class Snapshot:
    host: str
    at: float
    """Seconds since the epoch."""
    why: str
    """`clock`, or `calls` when one had begun or ended."""
    calls: int | None
    """In progress in all web processes; None when the broker did not say."""
    allowance: Allowance
    readings: tuple[Reading, ...]
    took_ms: float = 0.0
    cpu_ms: float = 0.0
    """What this look cost."""

    @property
    def size(self) -> int:
        return sum(reading.size for reading in self.readings)


@dataclass(slots=True)
class RoleTotal:
    processes: int = 0
    size: int = 0
    growth: int = 0
    settled: int = 0
    """Processes that have settled, whose growth that is."""


@dataclass(frozen=True, slots=True)
class Ending:
    """A worker's child that ended and was replaced."""

    at: float
    host: str
    role: str
    pid: int
    why: str
    """`recycled`, `killed` or `died`."""
    detail: str = field(default="")


def by_role(readings: Iterable[Reading]) -> dict[str, RoleTotal]:
    """In the order of ROLES, without those that have no process."""
    found: dict[str, RoleTotal] = {}
    for reading in readings:
        total = found.setdefault(reading.role, RoleTotal())
        total.processes += 1
        total.size += reading.size
        total.growth += reading.growth or 0
        total.settled += reading.growth is not None
    return {role: found[role] for role in ROLES if role in found}


def encode(snapshot: Snapshot) -> str:
    return json.dumps(asdict(snapshot), separators=(",", ":"))


def decode(text: str | bytes) -> Snapshot:
    """Raises ValueError for what is no snapshot of this version."""
    try:
        values: dict[str, Any] = json.loads(text)
        readings = tuple(Reading(**reading) for reading in values.pop("readings"))
        if not {reading.role for reading in readings} <= set(ROLES):
            raise ValueError("a role of another version")
        allowance = Allowance(**values.pop("allowance"))
        return Snapshot(**values, allowance=allowance, readings=readings)
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError("not a snapshot") from error
