"""Finds the product's processes on this machine and measures them, by psutil.

`smaps_rollup` gives PSS and USS for 1 to 3 ms of processor time a process, and holds up nobody
but who reads it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import psutil

from monitor.roles import role_of
from monitor.snapshot import Reading

ROOT = Path(__file__).resolve().parent.parent


def launcher_above(pid: int) -> int | None:
    """The launcher that this process descends from, if one started it."""
    try:
        above = [psutil.Process(pid), *psutil.Process(pid).parents()]
    except psutil.Error:
        return None
    return next((one.pid for one in above if _role(one) == "launcher"), None)


def found(launcher: int | None) -> list[tuple[psutil.Process, str]]:
    """With their roles: the launcher and all below it, or what runs here without one."""
    if launcher is not None:
        return below(launcher)
    # Each service in a container of its own, or lines of the Procfile started one by one.
    seen: dict[int, tuple[psutil.Process, str]] = {}
    for process in psutil.process_iter():
        if process.pid not in seen and _is_ours(process):
            seen |= {one.pid: (one, role) for one, role in below(process.pid)}
    return list(seen.values())


def below(root: int) -> list[tuple[psutil.Process, str]]:
    """This process and its descendants with their roles; what has ended meanwhile is left out."""
    try:
        top = psutil.Process(root)
        processes = [top, *top.children(recursive=True)]
    except psutil.Error:
        return []
    roles: dict[int, str] = {}
    answer = []
    for process in processes:
        try:
            role = role_of(process.cmdline(), roles.get(process.ppid(), ""))
        except psutil.Error:
            continue
        roles[process.pid] = role
        answer.append((process, role))
    return answer


def measured(processes: Iterable[tuple[psutil.Process, str]]) -> list[Reading]:
    """A process that has ended meanwhile is left out; one that is not ours has its RSS alone."""
    return [reading for one in processes if (reading := _reading(*one)) is not None]


def _reading(process: psutil.Process, role: str) -> Reading | None:
    try:
        started = process.create_time()
        try:
            full = process.memory_full_info()
        except (psutil.AccessDenied, NotImplementedError):
            return Reading(process.pid, role, started, process.memory_info().rss // 1024)
    except psutil.Error:
        return None
    if not full.rss:
        return None  # a zombie has no memory
    uss, pss = getattr(full, "uss", None), getattr(full, "pss", None)
    return Reading(
        process.pid,
        role,
        started,
        full.rss // 1024,
        None if uss is None else uss // 1024,
        None if pss is None else pss // 1024,
    )


def _role(process: psutil.Process) -> str:
    try:
        return role_of(process.cmdline())
    except psutil.Error:
        return "other"


def _is_ours(process: psutil.Process) -> bool:
    """Works in this directory, by a name of ours, and below no launcher."""
    try:
        named = role_of(process.cmdline()) not in ("other", "launcher", "broker")
        return (
            named
            and process.uids().real == os.getuid()
            and Path(process.cwd()) == ROOT
            and launcher_above(process.pid) is None
        )
    except (psutil.Error, OSError):
        return False
