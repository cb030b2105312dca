"""The processor time that each role of a product has used."""

from __future__ import annotations

import psutil

# By what their command lines hold, the first that fits.
ROLES = {
    "valkey-server": "broker",
    "redis-server": "broker",
    "convonet.front_door": "web",
    "convonet: web": "web",
    "flower": "flower",
    "speech@": "speech",
    "agent@": "agent",
    "manage.py mcp": "mcp",
    "convonet: mcp": "mcp",
}


def cpu_seconds(launcher: int) -> dict[str, float]:
    """User and system time so far of everything below this process; children of workers apart."""
    used: dict[str, float] = {}
    for process in psutil.Process(launcher).children(recursive=True):
        try:
            role, times = _role(process), process.cpu_times()
        except psutil.Error:
            continue
        used[role] = used.get(role, 0.0) + times.user + times.system
    return used


def _role(process: psutil.Process) -> str:
    role = _named(process)
    parent = process.parent()
    if role not in ("speech", "agent") or parent is None:
        return role
    return f"{role} children" if _named(parent) == role else f"{role} parent"


def _named(process: psutil.Process) -> str:
    line = " ".join(process.cmdline())
    return next((role for word, role in ROLES.items() if word in line), "other")
