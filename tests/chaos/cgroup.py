"""Has the kernel's own out-of-memory killer end a process, in a memory cgroup (version 1)."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

ROOT = Path("/sys/fs/cgroup/memory")
# Pages a process takes after it came in are charged here; whatever works soon wants more.
LIMIT_BYTES = 16 << 10


class MemoryTrap:
    """A cgroup of one process whose memory has run out; `remove` must follow."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.path = ROOT / f"convonet-chaos-{os.getpid()}-{pid}"
        self._came_from = _cgroup_of(pid)

    def set(self) -> None:
        """Raises OSError when the process is gone or the machine does not allow it."""
        self.path.mkdir(exist_ok=True)
        (self.path / "cgroup.procs").write_text(str(self.pid))
        (self.path / "memory.limit_in_bytes").write_text(str(LIMIT_BYTES))

    @property
    def killed(self) -> bool:
        """The kernel says that it killed somebody in here."""
        text = (self.path / "memory.oom_control").read_text()
        return any(line.split() == ["oom_kill", "1"] for line in text.splitlines())

    def remove(self) -> None:
        """Give a process that needed no memory back to where it came from."""
        with suppress(OSError):
            (self.path / "memory.limit_in_bytes").write_text("-1")
        with suppress(OSError):
            (ROOT / self._came_from.lstrip("/") / "cgroup.procs").write_text(str(self.pid))
        with suppress(OSError):
            self.path.rmdir()


def unavailable() -> str:
    """Why this machine does not let us, or nothing when it does."""
    if os.geteuid() != 0:
        return "needs root"
    if not (ROOT / "memory.oom_control").exists():
        return f"no memory cgroup (version 1) at {ROOT}"
    probe = ROOT / f"convonet-chaos-probe-{os.getpid()}"
    try:
        probe.mkdir()
        probe.rmdir()
    except OSError as error:
        return f"cannot make a cgroup: {error.strerror}"
    return ""


def _cgroup_of(pid: int) -> str:
    for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            return path
    return "/"
