"""Whom to kill, how, and when it is well again."""

from __future__ import annotations

import json
import os
import signal
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import psutil
import redis

from convonet.memory import VOLUNTEER_SCORE
from tests.chaos.moments import Moment
from tests.stack import TOOLS_TITLE, Stack, titled
from voice import keys


@dataclass(frozen=True, slots=True)
class Victim:
    """`part` is a line of the Procfile or the broker; `child` means one of its pool."""

    name: str
    part: str
    weight: int
    moments: tuple[Moment, ...]
    child: bool = False
    by_kernel: bool = False
    full: bool = False
    """The one that works on most, as soon as those are many."""
    recovery_seconds: float = 45.0


VICTIMS = (
    Victim("agent child", "agent", 26, ("accepted", "tool", "words"), child=True),
    Victim("agent child, full", "agent", 20, ("sent",), child=True, full=True),
    Victim("agent child, out of memory", "agent", 8, ("sent",), child=True, by_kernel=True),
    Victim("speech child", "speech", 16, ("words", "sound"), child=True),
    Victim("agent worker", "agent", 12, ("accepted", "tool", "words")),
    Victim("speech worker", "speech", 8, ("words", "sound")),
    Victim("tool server", "mcp", 16, ("accepted", "tool")),
    Victim("broker", "broker", 7, ("sent", "accepted", "tool", "words")),
    Victim("web process", "web", 7, ("sent", "accepted", "tool", "words", "sound")),
)


def pool_of(stack: Stack, part: str) -> list[psutil.Process]:
    """The worker's children that run tasks: those that volunteered for the kernel."""
    try:
        children = psutil.Process(stack.pid(part)).children()
        tools = [child.pid for child in children if titled(child) == TOOLS_TITLE]
    except psutil.Error:
        return []
    volunteers = [child for child in children if _score(child.pid) == VOLUNTEER_SCORE]
    return [child for child in volunteers if child.pid not in tools]


def _score(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/oom_score_adj").read_text())
    except (OSError, ValueError):
        return 0


def busiest(children: list[psutil.Process], before: dict[int, float]) -> psutil.Process:
    """The one that has worked most since `before`, which `work_of` answered."""
    now = work_of(children)
    return max(children, key=lambda child: now.get(child.pid, 0.0) - before.get(child.pid, 0.0))


def fullest(children: list[psutil.Process], claimed: dict[int, int]) -> tuple[int, int]:
    """The pid of the one that works on most, and on how many messages."""
    return max((claimed.get(child.pid, 0), child.pid) for child in children)[::-1]


def work_of(children: list[psutil.Process]) -> dict[int, float]:
    """Seconds of processor time, by pid."""
    worked = {}
    for child in children:
        try:
            times = child.cpu_times()
        except psutil.Error:
            continue
        worked[child.pid] = times.user + times.system
    return worked


def kill(pid: int) -> bool:
    """False when it was gone already."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


class Health:
    """Asks the parts themselves; /healthz remembers for a second and beats for six."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        run = stack.run_state
        self._redis = redis.Redis.from_url(run["REDIS_URL"], socket_timeout=1, retry=None)
        self._mcp = f"http://127.0.0.1:{run['MCP_PORT']}/healthz"
        self.pool_sizes = {part: len(pool_of(stack, part)) for part in ("agent", "speech")}

    def recovered(self, victim: Victim, old_pid: int) -> bool:
        try:
            return self._recovered(victim, old_pid)
        except (OSError, ValueError, redis.RedisError, psutil.Error):
            return False

    def _recovered(self, victim: Victim, old_pid: int) -> bool:
        part = victim.part
        if victim.child:
            pool = [child.pid for child in pool_of(self._stack, part)]
            return old_pid not in pool and len(pool) >= self.pool_sizes[part]
        if self._stack.pid(part) == old_pid:
            return False
        if part in ("agent", "speech"):
            return self._works(part)
        if part == "mcp":
            return _answers(self._mcp)
        if part == "broker":
            # Its workers have to find it again.
            return self._works("agent") and self._works("speech")
        return bool(self._stack.health())

    def _works(self, part: str) -> bool:
        return self._beats(part) and len(pool_of(self._stack, part)) >= self.pool_sizes[part]

    def _beats(self, part: str) -> bool:
        beat = self._redis.get(keys.heartbeat(part))
        return isinstance(beat, bytes) and json.loads(beat)["pid"] == self._stack.pid(part)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as response:
            return bool(response.status == 200)
    except urllib.error.URLError:
        return False
