"""Snapshots for tests."""

from __future__ import annotations

from convonet.allowance import Allowance
from monitor.snapshot import CLOCK, Reading, Snapshot

ALLOWANCE = Allowance("cgroup v2", 512 * 1024, 256 * 1024, 2)


def reading(role: str = "web", pid: int = 1, pss: int | None = 2048, **more: object) -> Reading:
    values = {"started": 1000.0, "rss": 4096, "uss": 1024, "base": None} | more
    return Reading(pid=pid, role=role, pss=pss, **values)  # type: ignore[arg-type]


def snapshot(*readings: Reading, host: str = "one", at: float = 2000.0, **more: object) -> Snapshot:
    values = {"why": CLOCK, "calls": 0, "allowance": ALLOWANCE} | more
    return Snapshot(host=host, at=at, readings=readings, **values)  # type: ignore[arg-type]
