"""Whether two looks at a quiet product differ by more than chance: what grew, how much. Pure.

A leak is what grows with the calls or the turns between the looks. What is allowed to be more is
a share of what was there, and a floor where a share would be less than what comes and goes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SHARE = 0.02
# KiB of each process of a role: what its allocators keep of a busier moment.
LEAST_KIB = 2048
# Pools that fill as they are used, each with a bound: connections and threads of a role. The web
# process's to the broker holds 12.
MOST_MORE_FDS, MOST_MORE_THREADS, MOST_MORE_CONNECTIONS = 16, 12, 16
MOST_MORE_KEYS = 3
# Of one type, for each call or turn between the looks: a leak is one of each at least.
# The floors are what caches with a bound may still take in: the calls a child knows, addresses.
OBJECTS_EACH, LEAST_OBJECTS = 0.2, 400
ALL_OBJECTS_EACH, LEAST_ALL_OBJECTS = 0.5, 2000
BROKER_LEAST_BYTES = 200_000

# Rows that a call or a turn leaves on purpose, for the days of CALL_RETENTION_DAYS: at most so many
# of each. Of any other table there may be no more than before.
ROWS_EACH = {
    "voice_call": ("calls", 1.0),
    "voice_turn": ("turns and calls", 2.0),
    "voice_toolcall": ("turns and calls", 2.0),
    "voice_provideruse": ("turns and calls", 8.0),
    "todo_toolrequest": ("turns and calls", 2.0),
    "todo_mention": ("turns and calls", 1.0),
    "phone_phonecall": ("calls", 1.0),
}
# One for each person, made when they first do something.
ROWS_BY_PERSON = frozenset({"todo_todolist", "todo_preferences"})
MOST_PEOPLE = 12
# Kept by the clock, for MEMORY_HOURS.
ROWS_BY_CLOCK = frozenset({"monitor_memorysample"})
# Gone as soon as what they are for is over.
ROWS_NONE = frozenset({"voice_checkpoint"})

Look = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    kind: str
    where: str
    before: float
    after: float
    allowed: float
    """More than before."""
    unit: str = ""

    def __str__(self) -> str:
        more = self.after - self.before
        unit = f" {self.unit}" if self.unit else ""
        return (
            f"{self.kind} of {self.where}: {self.before:,.0f} -> {self.after:,.0f}{unit}"
            f" (+{more:,.0f}, allowed +{self.allowed:,.0f})"
        )


def findings(warm: Look, end: Look) -> list[Finding]:
    """All that grew by more than is allowed; each look knows the calls and turns before it."""
    calls, turns = end["calls"] - warm["calls"], end["turns"] - warm["turns"]
    found = [*_memory(warm["memory"], end["memory"])]
    for role, held in end["held"].items():
        before = warm["held"].get(role)
        if before is not None:
            found += _held(role, before, held)
            found += _objects(role, before, held, calls + turns)
    found += _broker(warm["broker"], end["broker"])
    found += _rows(warm["rows"], end["rows"], {"calls": calls, "turns and calls": turns + calls})
    return [one for one in found if one.after - one.before > one.allowed]


def _memory(warm: Look, end: Look) -> list[Finding]:
    total = sum(one["pss"] for one in warm.values())
    now = sum(one["pss"] for one in end.values())
    found = [Finding("memory", "all processes", total, now, SHARE * total, "KiB")]
    for role, one in end.items():
        before = warm.get(role, {"pss": 0})["pss"]
        allowed = max(SHARE * before, LEAST_KIB * one.get("processes", 1))
        found.append(Finding("memory", role, before, one["pss"], allowed, "KiB"))
    return found


def _held(role: str, warm: Look, end: Look) -> list[Finding]:
    found = [
        Finding("file descriptors", role, warm["fds"], end["fds"], MOST_MORE_FDS),
        Finding("threads", role, warm["threads"], end["threads"], MOST_MORE_THREADS),
    ]
    for peer, number in end["peers"].items():
        before = warm["peers"].get(peer, 0)
        where = f"{role} to {peer}"
        found.append(Finding("connections", where, before, number, MOST_MORE_CONNECTIONS))
    return found


def _objects(role: str, warm: Look, end: Look, rounds: int) -> list[Finding]:
    if "objects" not in warm or "objects" not in end:
        return []
    allowed = max(LEAST_ALL_OBJECTS, ALL_OBJECTS_EACH * rounds)
    found = [Finding("objects", role, warm["objects"], end["objects"], allowed)]
    found.append(Finding("garbage", role, warm["garbage"], end["garbage"], 0))
    allowed = max(LEAST_OBJECTS, OBJECTS_EACH * rounds)
    for name, number in end["types"].items():
        where = f"{role}, {name}"
        found.append(Finding("objects", where, warm["types"].get(name, 0), number, allowed))
    return found


def _broker(warm: Look, end: Look) -> list[Finding]:
    before, after = sum(warm["lasting"].values()), sum(end["lasting"].values())
    allowed = max(SHARE * warm["used_bytes"], BROKER_LEAST_BYTES)
    return [
        Finding("keys without a lifetime", "the broker", before, after, MOST_MORE_KEYS),
        Finding("data", "the broker", warm["used_bytes"], end["used_bytes"], allowed, "bytes"),
    ]


def _rows(warm: Mapping[str, int], end: Mapping[str, int], done: Look) -> list[Finding]:
    found = []
    for table, number in end.items():
        if table in ROWS_BY_CLOCK:
            continue
        if table in ROWS_NONE:
            found.append(Finding("rows", table, 0, number, 0))
            continue
        per, each = ROWS_EACH.get(table, ("calls", 0.0))
        allowed = MOST_PEOPLE if table in ROWS_BY_PERSON else each * done[per]
        found.append(Finding("rows", table, warm.get(table, 0), number, allowed))
    return found


def slope(series: list[tuple[float, float]]) -> float:
    """Of the line nearest to these points (x, y); 0 where there are fewer than two."""
    if len(series) < 2:
        return 0.0
    mean_x = sum(x for x, _ in series) / len(series)
    mean_y = sum(y for _, y in series) / len(series)
    width = sum((x - mean_x) ** 2 for x, _ in series)
    return sum((x - mean_x) * (y - mean_y) for x, y in series) / width if width else 0.0
