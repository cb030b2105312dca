"""Memory and processor time of a running product, seen from outside, in windows of a run."""

from __future__ import annotations

import os
import statistics
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import psutil

from convonet.load.cgroup import Group, Use
from monitor import processes
from monitor.snapshot import Reading

Find = Callable[[], list[tuple[psutil.Process, str]]]


@dataclass(frozen=True, slots=True)
class Sample:
    at: float
    sizes: dict[str, int]
    """PSS by role, in KiB."""
    counts: dict[str, int]
    cpu: dict[str, float]
    """Seconds used since the run began, by role and, in brackets, by who is not of the product."""
    use: Use | None


@dataclass(slots=True)
class _Clock:
    """Processor time that only grows, though processes come and go: what was seen last stays."""

    seen: dict[tuple[int, float], tuple[str, float]] = field(default_factory=dict)

    def note(self, process: psutil.Process, role: str) -> None:
        try:
            times, key = process.cpu_times(), (process.pid, process.create_time())
        except psutil.Error:
            return
        self.seen[key] = role, times.user + times.system

    def by_role(self) -> dict[str, float]:
        sums: dict[str, float] = {}
        for role, seconds in self.seen.values():
            sums[role] = sums.get(role, 0.0) + seconds
        return sums


class Sampler(threading.Thread):
    """`find` finds what is measured; `helpers`: the processes beside it, by name."""

    def __init__(
        self, find: Find, helpers: Mapping[str, int], group: Group | None, seconds: float
    ) -> None:
        super().__init__(name="sampler", daemon=True)
        self._find, self._group, self._seconds = find, group, seconds
        self._helpers = {name: psutil.Process(pid) for name, pid in helpers.items()}
        self._helpers["(bench)"] = psutil.Process(os.getpid())
        self._clock = _Clock()
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self.samples: list[Sample] = []

    def run(self) -> None:
        while not self._ended.is_set():
            self.look()
            self._ended.wait(self._seconds)

    def stop(self) -> None:
        self._ended.set()
        self.join()

    def look(self) -> Sample:
        with self._lock:
            found = self._find()
            for process, role in found:
                self._clock.note(process, role)
            for name, process in self._helpers.items():
                self._clock.note(process, name)
            readings = processes.measured(found)
            busy = psutil.cpu_times()
            cpu = self._clock.by_role()
            cpu["(machine)"] = busy.user + busy.system + busy.nice + busy.irq + busy.softirq
            # What a virtual machine wanted to have done, and its host did for others meanwhile.
            cpu["(stolen)"] = float(getattr(busy, "steal", 0.0))
            sample = Sample(
                at=time.monotonic(),
                sizes=_sums(readings, lambda reading: reading.size),
                counts=_sums(readings, lambda reading: 1),
                cpu=cpu,
                use=self._group.use() if self._group is not None else None,
            )
            self.samples.append(sample)
            return sample

    def window(self, since: float) -> dict[str, Any]:
        """From the last look before `since` until now."""
        self.look()
        with self._lock:
            before = [sample for sample in self.samples if sample.at <= since][-1:]
            return window([*before, *(s for s in self.samples if s.at > since)])


def _sums(readings: Iterable[Reading], of: Callable[[Reading], int]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for reading in readings:
        sums[reading.role] = sums.get(reading.role, 0) + of(reading)
    return sums


def window(samples: list[Sample]) -> dict[str, Any]:
    """Median sizes in MB (2**20 bytes), shares of one core in percent. Two samples at least."""
    first, last = samples[0], samples[-1]
    seconds = last.at - first.at
    roles = list(dict.fromkeys(role for sample in samples for role in sample.sizes))
    totals = [sum(sample.sizes.values()) for sample in samples]
    used = {role: 100 * (last.cpu[role] - first.cpu.get(role, 0.0)) / seconds for role in last.cpu}
    return {
        "seconds": round(seconds, 1),
        "mb": {role: _mb(sample.sizes.get(role, 0) for sample in samples) for role in roles},
        "processes": {role: max(s.counts.get(role, 0) for s in samples) for role in roles},
        "total_mb": _mb(totals),
        "most_mb": round(max(totals) / 1024, 1),
        "cpu_percent": {role: round(share, 2) for role, share in used.items()},
        "cgroup": _group(samples),
    }


def _mb(sizes: Iterable[int]) -> float:
    return round(statistics.median(sizes) / 1024, 1)


def _group(samples: list[Sample]) -> dict[str, Any] | None:
    uses = [sample.use for sample in samples if sample.use is not None]
    if not uses:
        return None
    return asdict(uses[-1]) | {"used": max(use.used for use in uses)}
