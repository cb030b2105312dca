"""Everything a product holds that a leak would make more of, seen from outside when it is quiet."""

from __future__ import annotations

import json
import os
import re
import threading
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from convonet import census
from monitor import processes

# Looks at the memory for one figure, and the time between them.
MEMORY_LOOKS, MEMORY_SECONDS = 5, 0.4
CENSUS_SECONDS = 60.0
WATCH_SECONDS = 2.0
# To whom the signal means something else, and whose code is not ours.
UNASKED = frozenset({"launcher", "broker", "flower"})
# What stands in a key for the thing that it is about.
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{16,}|\d+")
_SIGNALS = re.compile(r"^SigCgt:\s*([0-9a-f]+)", re.MULTILINE)


def memory(launcher: int, number: int = MEMORY_LOOKS) -> dict[str, dict[str, int]]:
    """Of each role the median PSS and USS of its processes together, and their number; KiB."""
    seen: list[dict[str, Counter[str]]] = []
    for place in range(number):
        if place:
            time.sleep(MEMORY_SECONDS)
        roles: dict[str, Counter[str]] = {}
        for one in processes.measured(processes.below(launcher)):
            sums = roles.setdefault(one.role, Counter())
            sums.update(pss=one.size, uss=one.uss or 0, processes=1)
        seen.append(roles)
    names = list(dict.fromkeys(role for roles in seen for role in roles))
    return {role: _median([roles.get(role, Counter()) for roles in seen]) for role in names}


def held(launcher: int, database: Path, ports: Mapping[int, str], asked: Path) -> dict[str, Any]:
    """Of each role what its processes hold together, and of each process what it answered.

    `ports` names who listens where; `asked` is the directory of `convonet.census`.
    """
    found = processes.below(launcher)
    told = _censuses(found, asked)
    roles: dict[str, Any] = {}
    for process, role in found:
        one = _held_by(process, database, ports)
        if one is None:
            continue
        mine = roles.setdefault(role, {"pids": [], "fds": 0, "threads": 0, "peers": {}})
        mine["pids"].append(process.pid)
        mine["fds"] += one["fds"]
        mine["threads"] += one["threads"]
        mine["peers"] = dict(Counter(mine["peers"]) + Counter(one["peers"]))
        if process.pid in told:
            _add_census(mine, told[process.pid])
    return roles


def _add_census(mine: dict[str, Any], told: dict[str, Any]) -> None:
    for name in ("objects", "blocks", "garbage"):
        mine[name] = mine.get(name, 0) + told[name]
    mine["types"] = dict(Counter(mine.get("types", {})) + Counter(told["types"]))
    mine["names"] = sorted([*mine.get("names", []), *told["threads"]])


class Watch(threading.Thread):
    """The most connections of each role to each peer, and descriptors, seen until it is stopped."""

    def __init__(self, launcher: int, database: Path, ports: Mapping[int, str]) -> None:
        super().__init__(name="connections", daemon=True)
        self._launcher, self._database, self._ports = launcher, database, ports
        self._ended = threading.Event()
        self.most: dict[str, dict[str, int]] = {}

    def run(self) -> None:
        while not self._ended.wait(WATCH_SECONDS):
            roles: dict[str, Counter[str]] = {}
            for process, role in processes.below(self._launcher):
                one = _held_by(process, self._database, self._ports)
                if one is not None:
                    held = Counter(one["peers"]) + Counter({"descriptors": one["fds"]})
                    roles[role] = roles.get(role, Counter()) + held
            for role, counts in roles.items():
                most = self.most.setdefault(role, {})
                most.update({name: max(most.get(name, 0), n) for name, n in counts.items()})

    def stop(self) -> dict[str, dict[str, int]]:
        self._ended.set()
        self.join()
        return self.most


def broker(client: Any) -> dict[str, Any]:
    """Keys by family, those that live for ever apart, and the memory used (bytes).

    What is about one call, turn or person and has a lifetime is let expire first, as an hour of
    waiting would have it: no more is kept of a product at rest than of one that was just started.
    """
    lasting: Counter[str] = Counter()
    passing: Counter[str] = Counter()
    names = list(client.scan_iter(count=1000))
    for begin in range(0, len(names), 1000):
        some = names[begin : begin + 1000]
        pipe = client.pipeline(transaction=False)
        for name in some:
            pipe.ttl(name)
        lives = dict(zip(some, pipe.execute(), strict=True))
        for name, seconds in lives.items():
            family = _ID.sub("*", name.decode("utf-8", "replace"))
            if seconds == -1:
                lasting[family] += 1
            elif seconds >= 0:
                passing[family] += 1
                if "*" in family:
                    pipe.delete(name)
        pipe.execute()
    client.execute_command("MEMORY", "PURGE")
    used = int(client.info("memory")["used_memory"])
    return {"lasting": dict(lasting), "passing": dict(passing), "used_bytes": used}


def size_of(directory: Path) -> int:
    """Bytes of all files in it."""
    sizes = 0
    for path in directory.rglob("*"):
        with suppress(OSError):
            sizes += path.stat().st_size if path.is_file() else 0
    return sizes


def _median(sums: list[Counter[str]]) -> dict[str, int]:
    middle = len(sums) // 2
    return {name: sorted(one[name] for one in sums)[middle] for name in ("pss", "uss", "processes")}


def _held_by(
    process: psutil.Process, database: Path, ports: Mapping[int, str]
) -> dict[str, Any] | None:
    try:
        peers: Counter[str] = Counter()
        for one in process.net_connections(kind="tcp"):
            if one.raddr and one.raddr.port in ports:
                peers[ports[one.raddr.port]] += 1
            elif one.raddr and one.laddr.port in ports:
                peers["callers"] += 1
        if files := _files_of(process, database):
            peers["database"] = files
        return {"fds": process.num_fds(), "threads": process.num_threads(), "peers": peers}
    except psutil.Error:
        return None


def _files_of(process: psutil.Process, database: Path) -> int:
    """How many connections hold the SQLite file: each opens it once."""
    with suppress(OSError):
        links = os.scandir(f"/proc/{process.pid}/fd")
        return sum(_target(link.path) == str(database) for link in links)
    return sum(one.path == str(database) for one in process.open_files())


def _target(link: str) -> str:
    try:
        return os.readlink(link)
    except OSError:
        return ""


def _censuses(found: list[tuple[psutil.Process, str]], asked: Path) -> dict[int, dict[str, Any]]:
    """One after the other, so that no two compute at once; who has no answer is left out."""
    return {
        process.pid: told
        for process, role in found
        if role not in UNASKED and (told := census_of(process.pid, asked)) is not None
    }


def census_of(pid: int, asked: Path) -> dict[str, Any] | None:
    """None of a process that does not answer, which the signal would end."""
    if not _catches(pid):
        return None
    file = census.file_of(asked, pid)
    file.unlink(missing_ok=True)
    try:
        os.kill(pid, census.SIGNAL)
    except OSError:
        return None
    deadline = time.monotonic() + CENSUS_SECONDS
    while not file.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    try:
        told: dict[str, Any] = json.loads(file.read_text())
    except OSError:
        return None
    return told


def _catches(pid: int) -> bool:
    try:
        caught = _SIGNALS.search(Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return False
    return caught is not None and bool(int(caught[1], 16) >> (census.SIGNAL - 1) & 1)
