"""Real processes, measured: which are found, and that one's growth is seen."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from monitor import processes
from monitor.sampler import Sampler
from monitor.snapshot import CALLS, CLOCK, Reading
from tests.monitor.made import ALLOWANCE, reading, snapshot

MB = 1024
# A parent that starts a child by the name of a tool server; the child takes as much as it is told.
PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", sys.argv[1], "manage.py mcp"], stdin=0, stdout=1)
child.wait()
"""
CHILD = """
import sys
kept = []
print("ready", flush=True)
for line in sys.stdin:
    size = int(line) << 20
    kept.append(bytearray(b"x") * size)
    print("taken", flush=True)
"""


class Family:
    def __init__(self) -> None:
        self._parent = subprocess.Popen(
            [sys.executable, "-c", PARENT, CHILD, "convonet.launcher"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.pid = self._parent.pid
        self._hear("ready")

    def take(self, megabytes: int) -> None:
        assert self._parent.stdin is not None
        self._parent.stdin.write(f"{megabytes}\n")
        self._parent.stdin.flush()
        self._hear("taken")

    def _hear(self, word: str) -> None:
        assert self._parent.stdout is not None
        assert self._parent.stdout.readline().strip() == word

    def end(self) -> None:
        assert self._parent.stdin is not None
        self._parent.stdin.close()
        self._parent.wait(60)
        assert self._parent.stdout is not None
        self._parent.stdout.close()


@pytest.fixture
def family() -> Iterator[Family]:
    made = Family()
    yield made
    made.end()


def look(pid: int) -> list[Reading]:
    return processes.measured(processes.below(pid))


def test_a_process_and_its_child_are_found_by_role(family: Family) -> None:
    found = {one.role: one for one in look(family.pid)}
    assert set(found) == {"launcher", "mcp"}
    assert found["launcher"].pid == family.pid
    assert processes.launcher_above(found["mcp"].pid) == family.pid
    assert [one.pid for one in processes.measured(processes.found(family.pid))] == [
        found["launcher"].pid,
        found["mcp"].pid,
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells PSS")
def test_what_a_child_takes_is_its_growth_and_nobody_elses(family: Family) -> None:
    sampler = Sampler("here", lambda: look(family.pid), settle_seconds=0)
    assert [one.growth for one in sampler.take(CLOCK, 0).readings] == [0, 0]
    family.take(64)
    after = sampler.take(CALLS, 3)
    launcher, mcp = after.readings
    assert mcp.growth is not None
    assert 63 * MB < mcp.growth < 80 * MB
    assert launcher.growth is not None
    assert abs(launcher.growth) < 4 * MB
    assert mcp.pss is not None
    assert mcp.uss is not None
    assert 63 * MB < mcp.uss <= mcp.pss <= mcp.rss
    assert (after.calls, after.why, after.host) == (3, CALLS, "here")
    assert after.cpu_ms > 0


def test_what_has_ended_is_left_out_and_forgotten(family: Family) -> None:
    found = processes.below(family.pid)
    family.end()
    assert processes.measured(found) == []
    assert processes.below(family.pid) == []


class Aging:
    """A clock and one process that is measured when asked."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.size = 100
        self.pid = 1
        self.started = 1000.0

    def sampler(self) -> Sampler:
        return Sampler(
            "here",
            lambda: [reading(pid=self.pid, pss=self.size, started=self.started)],
            allowed=lambda: ALLOWANCE,
            clock=lambda: self.now,
        )


def test_growth_counts_from_when_a_process_has_settled() -> None:
    aging = Aging()
    sampler = aging.sampler()
    assert sampler.take(CLOCK, 0).readings[0].growth is None
    aging.now, aging.size = 1061, 500
    assert sampler.take(CLOCK, 0).readings[0].growth == 0
    aging.size = 520
    assert sampler.take(CLOCK, 0).readings[0].growth == 20


def test_another_process_of_the_same_number_begins_anew() -> None:
    aging = Aging()
    sampler = aging.sampler()
    aging.now = 1100
    sampler.take(CLOCK, 0)
    aging.started, aging.size = 1095, 900
    assert sampler.take(CLOCK, 0).readings[0].growth is None


def test_who_looks_next_knows_what_the_one_before_knew() -> None:
    aging = Aging()
    aging.now = 5000
    second = aging.sampler()
    second.remember(snapshot(reading(pid=1, base=40), reading(pid=2, base=7)))
    assert second.take(CLOCK, 0).readings[0].growth == 60
