"""Processes by names that are never given twice, and whether one of them surely runs no more."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path


def this_process() -> str:
    """`boot/pid namespace/pid/start time`: never given twice; empty where there is no /proc."""
    return _own(os.getpid())


def name_of(pid: int) -> str:
    """The same of another process of this machine, while it lives."""
    where, started = _where(), _started(pid)
    return f"{where}/{pid}/{started}" if where and started else ""


def is_gone(holder: str) -> bool:
    """The holder surely runs no more. Of a process elsewhere nothing is known: False.

    Sound because a dead process writes nothing: the id is compared with the start time, so a later
    process with the same id is not taken for it, and one in another container or boot never is.
    """
    where, _, process = holder.rpartition("/")[0].rpartition("/")
    if not where or where != _where() or not process.isdigit():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    started = _started(int(process))
    return bool(started and started != holder.rpartition("/")[2]) or _is_corpse(int(process))


@cache
def _own(pid: int) -> str:
    return name_of(pid)


@cache
def _where() -> str:
    """This machine since it was started, and what its process ids mean to us."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        namespace = os.readlink("/proc/self/ns/pid").strip("pid:[]")
    except OSError:
        return ""
    return f"{boot}/{namespace}"


def _started(pid: int) -> str:
    """Clock ticks from boot to its start; empty when it cannot be read."""
    fields = _stat(pid)
    return fields[19] if len(fields) > 19 else ""


def _is_corpse(pid: int) -> bool:
    """Dead and not yet collected by its parent. Its other threads may outlive the first one."""
    try:
        threads = len(os.listdir(f"/proc/{pid}/task"))
    except OSError:
        return False
    return threads == 1 and _stat(pid)[:1] == ["Z"]


def _stat(pid: int) -> list[str]:
    """The fields of /proc/pid/stat from the state on."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
