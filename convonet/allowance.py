"""How much memory this product may use: its control group's limit (v1 or v2), else the machine's.

Standard library only. Sources: the kernel's Documentation/admin-guide/cgroup-v2.rst and
cgroup-v1/memory.rst. Used memory leaves out file pages that no process has mapped: logs, databases
and the like, which the kernel gives up when asked.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

KIB = 1024
# cgroup v1 writes the largest number of whole pages for "no limit".
NO_LIMIT_KIB = 1 << 50


@dataclass(frozen=True, slots=True)
class Allowance:
    """Figures in KiB; None where the machine does not tell."""

    source: str
    """`cgroup v2`, `cgroup v1` or `machine`."""
    limit_kib: int | None
    used_kib: int | None
    oom_kills: int | None
    """Processes that the kernel killed within the group, or on the machine since it started."""

    @property
    def share(self) -> float | None:
        """Used part of the limit, 0 to 1."""
        if not self.limit_kib or self.used_kib is None:
            return None
        return self.used_kib / self.limit_kib


def read(root: Path = Path("/")) -> Allowance:
    """The smallest limit of the groups this process is in; `root` holds `proc` and `sys`."""
    return _version_2(root) or _version_1(root) or _machine(root)


def _version_2(root: Path) -> Allowance | None:
    found = None
    for group in _groups(root / "sys/fs/cgroup", _path_of(root, "0::")):
        limit = _number(group / "memory.max")
        if limit is None or (found and found.limit_kib and found.limit_kib <= limit // KIB):
            continue
        found = Allowance(
            "cgroup v2",
            limit // KIB,
            _used(group, "memory.current", ("inactive_file", "active_file", "file_mapped")),
            _field(group / "memory.events", "oom_kill"),
        )
    return found


def _version_1(root: Path) -> Allowance | None:
    found = None
    for group in _groups(root / "sys/fs/cgroup/memory", _path_of(root, ":memory:")):
        limit = _number(group / "memory.limit_in_bytes")
        if limit is None or limit // KIB >= NO_LIMIT_KIB:
            continue
        if found and found.limit_kib and found.limit_kib <= limit // KIB:
            continue
        found = Allowance(
            "cgroup v1",
            limit // KIB,
            _used(
                group,
                "memory.usage_in_bytes",
                ("total_inactive_file", "total_active_file", "total_mapped_file"),
            ),
            _field(group / "memory.oom_control", "oom_kill"),
        )
    return found


def _machine(root: Path) -> Allowance:
    total = _field(root / "proc/meminfo", "MemTotal:")
    free = _field(root / "proc/meminfo", "MemAvailable:")
    if total is None:
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // KIB
    used = None if free is None else total - free
    return Allowance("machine", total, used, _field(root / "proc/vmstat", "oom_kill"))


def _path_of(root: Path, mark: str) -> str:
    """This process's group as `/proc/self/cgroup` names it; `/` when it does not."""
    for line in _text(root / "proc/self/cgroup").splitlines():
        if mark in line:
            return line.rpartition(":")[2]
    return "/"


def _groups(mount: Path, path: str) -> list[Path]:
    """The group and those it is in. A container often sees its own group as the mount's root."""
    group = mount / path.lstrip("/")
    if ".." in path or not group.is_dir():
        return [mount]
    above = [mount / parent for parent in Path(path.lstrip("/")).parents]
    return list(dict.fromkeys([group, *above]))


def _used(group: Path, usage: str, names: tuple[str, str, str]) -> int | None:
    """`names`: of a group's inactive and active file pages, and of those that are mapped."""
    used = _number(group / usage)
    if used is None:
        return None
    inactive, active, mapped = (_field(group / "memory.stat", name) or 0 for name in names)
    return max(0, used - max(0, inactive + active - mapped)) // KIB


def _number(path: Path) -> int | None:
    text = _text(path).strip()
    return int(text) if text.isdigit() else None


def _field(path: Path, name: str) -> int | None:
    for line in _text(path).splitlines():
        words = line.split()
        if len(words) >= 2 and words[0] == name and words[1].isdigit():
            return int(words[1])
    return None


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
