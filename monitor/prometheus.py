"""What the board says, in Prometheus' text format 0.0.4. Pure.

https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from convonet.counters import NAMES
from monitor.board import State
from monitor.snapshot import Snapshot, by_role
from voice import room

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Sample = tuple[Mapping[str, str], float]


def text(state: State, admit_below_percent: int) -> str:
    """New calls are taken below so much of the allowance."""
    lines: list[str] = []
    for name, kind, about, samples in _metrics(state, admit_below_percent):
        lines += _metric(f"convonet_{name}", kind, about, samples)
    return "\n".join(lines) + "\n"


def _metrics(
    state: State, admit_below_percent: int
) -> Iterable[tuple[str, str, str, Iterable[Sample]]]:
    machines = state.snapshots
    yield "calls", "gauge", "Calls in progress", [({}, state.calls)]
    yield "memory_bytes", "gauge", "Memory by machine and role", _memory(machines)
    yield (
        "memory_growth_bytes",
        "gauge",
        "Growth of settled processes",
        _of_roles(machines, "growth"),
    )
    yield "processes", "gauge", "Processes by machine and role", _of_roles(machines, "processes")
    about = "What the product's machine or control group may use"
    yield "memory_allowance_bytes", "gauge", about, _allowances(machines, "limit_kib")
    about = "What of it is used, by anybody"
    yield "memory_used_bytes", "gauge", about, _allowances(machines, "used_kib")
    about = "What of it may be used where new calls are still taken"
    yield "memory_admission_bytes", "gauge", about, _admissions(machines, admit_below_percent)
    about = (
        "Processes the kernel killed for want of memory, on the whole machine if that is the source"
    )
    yield "oom_kills_total", "counter", about, _allowances(machines, "oom_kills")
    about = "When the machine was last looked at, in seconds since the epoch"
    yield "memory_looked_at", "gauge", about, [({"host": one.host}, one.at) for one in machines]
    for name, about in NAMES.items():
        yield f"{name}_total", "counter", about, [({}, state.counters.get(name, 0))]


def _memory(machines: Iterable[Snapshot]) -> Iterable[Sample]:
    for machine in machines:
        for kind in ("pss", "uss", "rss"):
            sums: dict[str, int] = {}
            for reading in machine.readings:
                value = getattr(reading, kind)
                if value is not None:
                    sums[reading.role] = sums.get(reading.role, 0) + value * 1024
            for role, value in sums.items():
                yield {"host": machine.host, "role": role, "kind": kind}, value


def _of_roles(machines: Iterable[Snapshot], what: str) -> Iterable[Sample]:
    unit = 1024 if what == "growth" else 1
    for machine in machines:
        for role, total in by_role(machine.readings).items():
            yield {"host": machine.host, "role": role}, getattr(total, what) * unit


def _allowances(machines: Iterable[Snapshot], what: str) -> Iterable[Sample]:
    unit = 1 if what == "oom_kills" else 1024
    for machine in machines:
        value = getattr(machine.allowance, what)
        if value is not None:
            labels = {"host": machine.host, "source": machine.allowance.source}
            yield labels, value * unit


def _admissions(machines: Iterable[Snapshot], below_percent: int) -> Iterable[Sample]:
    for machine in machines:
        if machine.allowance.limit_kib:
            labels = {"host": machine.host, "source": machine.allowance.source}
            yield labels, room.line_kib(machine.allowance, below_percent) * 1024


def _metric(name: str, kind: str, about: str, samples: Iterable[Sample]) -> list[str]:
    lines = [_sample(name, labels, value) for labels, value in samples]
    told = about.replace("\\", r"\\").replace("\n", r"\n")
    return [f"# HELP {name} {told}.", f"# TYPE {name} {kind}", *lines] if lines else []


def _sample(name: str, labels: Mapping[str, str], value: float) -> str:
    inner = ",".join(f'{key}="{_escaped(label)}"' for key, label in labels.items())
    shown = int(value) if value == int(value) else value
    return f"{name}{{{inner}}} {shown}" if inner else f"{name} {shown}"


def _escaped(label: str) -> str:
    return label.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
