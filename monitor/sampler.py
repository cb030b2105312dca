"""Takes snapshots of this machine, and remembers what each process began with."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from convonet import allowance
from convonet.allowance import Allowance
from monitor import processes
from monitor.snapshot import Reading, Snapshot

# A process that has run so long has loaded what it needs; from then on it should not grow.
SETTLE_SECONDS = 60.0

Identity = tuple[int, float]


class Sampler:
    """`look` measures the processes; `settle_seconds` is the age at which one's size is its base.

    Holds one figure for each living process.
    """

    def __init__(
        self,
        host: str,
        look: Callable[[], Iterable[Reading]],
        *,
        allowed: Callable[[], Allowance] = allowance.read,
        settle_seconds: float = SETTLE_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._host, self._look, self._allowed = host, look, allowed
        self._settle_seconds, self._clock = settle_seconds, clock
        self._bases: dict[Identity, int] = {}

    def remember(self, earlier: Snapshot) -> None:
        """Take over the bases that another sampler of this machine knew."""
        for reading in earlier.readings:
            if reading.base is not None:
                self._bases.setdefault(_identity(reading), reading.base)

    def take(self, why: str, calls: int | None) -> Snapshot:
        began, cpu = time.perf_counter(), time.thread_time()
        now = self._clock()
        readings = tuple(self._based(reading, now) for reading in self._look())
        living = {_identity(reading) for reading in readings}
        self._bases = {key: size for key, size in self._bases.items() if key in living}
        return Snapshot(
            host=self._host,
            at=round(now, 3),
            why=why,
            calls=calls,
            allowance=self._allowed(),
            readings=readings,
            took_ms=round((time.perf_counter() - began) * 1000, 1),
            cpu_ms=round((time.thread_time() - cpu) * 1000, 1),
        )

    def _based(self, reading: Reading, now: float) -> Reading:
        key = _identity(reading)
        if key not in self._bases and now - reading.started >= self._settle_seconds:
            self._bases[key] = reading.size
        return replace(reading, base=self._bases.get(key))


def of_this_machine(host: str, pid: int) -> Sampler:
    """For the product that process `pid` belongs to."""
    launcher = processes.launcher_above(pid)
    return Sampler(host, lambda: processes.measured(processes.found(launcher)))


def _identity(reading: Reading) -> Identity:
    """A pid alone is used again."""
    return reading.pid, reading.started
