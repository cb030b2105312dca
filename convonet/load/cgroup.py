"""A memory cgroup for a run, of version 1 or 2: made, entered, read and removed. Needs root.

Sources: the kernel's Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

MOUNT = Path("/sys/fs/cgroup")
# File pages in `memory.stat`: not used for long, used lately, and those that somebody has mapped.
_CACHE = ("inactive_file", "active_file", "file_mapped")
_CACHE_1 = ("inactive_file", "active_file", "mapped_file")
# Of processes that must end, and of a group that must become empty.
EMPTY_SECONDS = 10.0


class NoGroup(Exception):
    """The message is one sentence for whoever asked for a limit."""


@dataclass(frozen=True, slots=True)
class Use:
    """Of the group, in bytes; `used` leaves out file pages that no process has mapped, which the
    kernel gives up when asked (as `convonet.allowance` counts).

    `peak` is all that was ever charged, page cache included; `refused` counts how often the limit
    was met, after which the kernel gave up cache or killed.
    """

    used: int
    charged: int
    peak: int
    refused: int
    oom_kills: int


class Group:
    """`with Group.made(bytes) as group`: who runs `[*group.enter, *command]` is in it."""

    def __init__(self, path: Path, version: int) -> None:
        self.path, self.version = path, version

    @classmethod
    def made(cls, limit_bytes: int, mount: Path = MOUNT) -> Group:
        """Raises NoGroup."""
        if os.geteuid() != 0:
            raise NoGroup("A memory cgroup can only be made by root; run this with sudo.")
        name = f"convonet-bench-{os.getpid()}"
        version = 2 if (mount / "cgroup.controllers").exists() else 1
        path = mount / name if version == 2 else mount / "memory" / name
        try:
            if version == 2:
                (mount / "cgroup.subtree_control").write_text("+memory")
            path.mkdir()
            group = cls(path, version)
            group._limit(limit_bytes)
        except OSError as error:
            with suppress(OSError):
                path.rmdir()
            raise NoGroup(f"No memory cgroup could be made in {path.parent}: {error}.") from error
        return group

    def _limit(self, limit_bytes: int) -> None:
        """No swap: what does not fit is killed, as on a small instance."""
        if self.version == 2:
            self._write("memory.max", str(limit_bytes))
            with suppress(OSError):
                self._write("memory.swap.max", "0")
            return
        self._write("memory.limit_in_bytes", str(limit_bytes))
        with suppress(OSError):
            self._write("memory.swappiness", "0")
        with suppress(OSError):
            self._write("memory.memsw.limit_in_bytes", str(limit_bytes))
        self._write("memory.oom_control", "0")

    @property
    def enter(self) -> list[str]:
        """In front of a command: its process goes into the group before it becomes the command."""
        script = 'echo $$ > "$0" && exec "$@"'
        return ["/bin/sh", "-c", script, str(self.path / "cgroup.procs")]

    def use(self) -> Use:
        stat = self._fields("memory.stat")
        if self.version == 2:
            events = self._fields("memory.events")
            charged = self._number("memory.current")
            peak = self._number("memory.peak")
            refused, kills = events.get("max", 0), events.get("oom_kill", 0)
            cache = [stat.get(name, 0) for name in _CACHE]
        else:
            charged = self._number("memory.usage_in_bytes")
            peak = self._number("memory.max_usage_in_bytes")
            # Without swap the second limit is met instead of the first.
            refused = self._number("memory.failcnt") + self._number("memory.memsw.failcnt")
            kills = self._fields("memory.oom_control").get("oom_kill", 0)
            cache = [stat.get(f"total_{name}", stat.get(name, 0)) for name in _CACHE_1]
        inactive, active, mapped = cache
        used = charged - max(0, inactive + active - mapped)
        return Use(max(0, used), charged, peak, refused, kills)

    def remove(self) -> None:
        """With whatever is still in it, which nobody else put there."""
        deadline = time.monotonic() + EMPTY_SECONDS
        while self.path.exists() and time.monotonic() < deadline:
            for pid in self._text("cgroup.procs").split():
                with suppress(OSError):
                    os.kill(int(pid), signal.SIGKILL)
            try:
                self.path.rmdir()
            except OSError:
                time.sleep(0.1)

    def __enter__(self) -> Group:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    def _write(self, name: str, value: str) -> None:
        (self.path / name).write_text(value)

    def _text(self, name: str) -> str:
        try:
            return (self.path / name).read_text()
        except OSError:
            return ""

    def _number(self, name: str) -> int:
        text = self._text(name).strip()
        return int(text) if text.isdigit() else 0

    def _fields(self, name: str) -> dict[str, int]:
        pairs = (line.split() for line in self._text(name).splitlines())
        return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdigit()}
