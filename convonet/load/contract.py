"""The memory contract: what is measured for each of its rows. Pure.

A row is judged by `contract_verdict`; a run that several rows need is made once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from convonet.load.plan import Plan
from convonet.load.subjects import DEFAULT_PEERS

ROWS = ("1", "2", "3", "4", "5", "6", "7", "1G", "2G")
SMALL, GIGABYTE = 512 << 20, 1 << 30
# Of the runs whose names begin so.
TITLES = {
    "idle": "Row 1: nobody calls",
    "calls": "Rows 2 to 5: a hundred calls",
    "limit": "Row 2: until something gives way",
    "turns": "Row 6: what is added to a turn",
    "side": "Row 6: beside pipecat",
    "runaway": "Row 7: a tool that runs away",
    "1G": "1 GB: until something gives way",
    "2G": "2 GB: until something gives way",
}
# Speech children that nobody needs are gone by then.
SETTLED_SECONDS = 90.0
# What rows 2 and 7 ask for; rows 3 to 5 take a shorter one if that was not measured.
LONG, SHORT = 600.0, 120.0
_CALLS = Plan(
    counts=(100,),
    limit_bytes=SMALL,
    idle=SETTLED_SECONDS,
    cold=10.0,
    warm=24.0,
    listen=30.0,
    speak=LONG,
    every=10.0,
    think=1.5,
    after=60.0,
)
_IDLE = replace(
    _CALLS, counts=(4,), cold=None, warm=0.0, listen=5.0, speak=20.0, after=SETTLED_SECONDS
)
_SEARCH = replace(
    _CALLS, until_limit=True, idle=20.0, warm=12.0, listen=8.0, speak=45.0, after=15.0
)
_LIMIT = replace(_SEARCH, counts=(50, 75, 100))
_LOCAL = replace(_SEARCH, counts=(1, 2, 4, 6, 8, 12, 16, 20), beyond=False, local=True)
_SIDE = replace(_SEARCH, limit_bytes=0, counts=(1, 5, 10, 25, 50), beyond=False)
_TURNS = replace(_CALLS, counts=(50,), idle=20.0, listen=15.0, speak=180.0, after=10.0)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One run: of whom, and how."""

    name: str
    subject: str
    plan: Plan


def rows_of(text: str) -> tuple[str, ...]:
    """In the order of ROWS; raises ValueError with a sentence."""
    asked = {part.strip().upper() for part in text.split(",")}
    if unknown := asked.difference(ROWS):
        raise ValueError(f"{min(unknown)!r} is none of {', '.join(ROWS)}")
    return tuple(row for row in ROWS if row in asked)


def wanted(rows: Sequence[str], servers: Sequence[str]) -> list[Wanted]:
    """What is to be measured for these rows, each once."""
    runs: list[Wanted] = []
    if "1" in rows:
        # Flower runs on demand here; the row has a bound with it as well.
        flower = replace(_IDLE, counts=(), settings=(("FLOWER", "always"),))
        runs += [Wanted("idle", servers[0], _IDLE), Wanted("idle-flower", servers[0], flower)]
    for server in servers:
        runs += _of_server(rows, server)
    if "6" in rows:
        runs += [Wanted(f"side-{peer}", peer, _SIDE) for peer in DEFAULT_PEERS]
    for row, factor in (("1G", 1), ("2G", 2)):
        if row in rows:
            more = replace(_SEARCH, limit_bytes=factor * GIGABYTE)
            runs += [Wanted(f"{row}-{server}", server, more) for server in servers]
            local = replace(_LOCAL, limit_bytes=factor * GIGABYTE)
            runs.append(Wanted(f"{row}-local", servers[0], local))
    return runs


def _of_server(rows: Sequence[str], server: str) -> list[Wanted]:
    runs: list[Wanted] = []
    if "2" in rows:
        runs += [Wanted(f"calls-{server}", server, _CALLS)]
        runs += [Wanted(f"limit-{server}", server, _LIMIT)]
    elif {"3", "4", "5"}.intersection(rows):
        runs.append(Wanted(f"calls-{server}", server, replace(_CALLS, speak=SHORT)))
    if "6" in rows:
        runs.append(Wanted(f"turns-{server}", server, _TURNS))
        runs.append(Wanted(f"side-{server}", server, _SIDE))
    if "7" in rows:
        runs.append(Wanted(f"runaway-{server}", server, replace(_CALLS, runaway=20.0)))
    return runs


def hurried(plan: Plan, share: float) -> Plan:
    """The same in less time, to try whether it works: its figures judge nothing."""
    if share >= 1:
        return plan
    return replace(
        plan,
        idle=max(2.0, plan.idle * share),
        warm=plan.warm and max(6.0, plan.warm * share),
        listen=max(2.0, plan.listen * share),
        speak=max(15.0, plan.speak * share),
        after=max(2.0, plan.after * share),
    )
