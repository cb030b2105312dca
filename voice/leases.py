"""Who runs a turn now: one process, for as long as its lease lasts or until it is seen to be dead.

A turn whose lease is lost may be taken by another worker. The lease alone would let a caller wait
for it to run out, so on the machine of its holder the kernel is asked whether that one still lives.
"""

from __future__ import annotations

import os
from datetime import datetime
from functools import cache
from pathlib import Path

from voice.models import Turn

# Two renewals may be missed: a busy machine, a slow database. Clocks may differ by a second or so.
LEASE_SECONDS = 9.0
RENEW_SECONDS = 3.0


def this_process() -> str:
    """`boot/pid namespace/pid/start time`: never given twice; empty where there is no /proc."""
    return _identity(os.getpid())


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


def is_lost(turn: Turn, now: datetime) -> bool:
    """Nobody runs this turn any more, as far as can be known."""
    return turn.lease_until is None or turn.lease_until <= now or is_gone(turn.lease_holder)


@cache
def _identity(pid: int) -> str:
    where, started = _where(), _started(pid)
    return f"{where}/{pid}/{started}" if where and started else ""


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
