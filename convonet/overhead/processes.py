"""The processor time that each role of a product has used."""

from __future__ import annotations

import psutil

from monitor.processes import below


def cpu_seconds(launcher: int) -> dict[str, float]:
    """User and system time so far of everything below this process; children of workers apart."""
    used: dict[str, float] = {}
    for process, role in below(launcher):
        if process.pid == launcher:
            continue
        try:
            times = process.cpu_times()
        except psutil.Error:
            continue
        used[role] = used.get(role, 0.0) + times.user + times.system
    return used
