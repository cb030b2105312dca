"""The live table of `manage.py memory`, as lines of text. Pure but for the time it is told."""

from __future__ import annotations

from collections.abc import Sequence

from convonet.counters import NAMES
from monitor import words
from monitor.board import State
from monitor.roles import ROLES
from monitor.snapshot import Reading, Snapshot

HEADS = ("PROCESS", "PID", "PSS", "USS", "RSS", "GROWTH", "UP")
WIDTHS = (14, 8, 8, 8, 8, 8, 10)
_BOLD, _DIM, _RED, _PLAIN = "\033[1m", "\033[2m", "\033[31m", "\033[0m"


def lines(
    machines: Sequence[Snapshot], state: State | None, now: float, *, styled: bool
) -> list[str]:
    """`state` is None while the broker does not answer."""
    answer: list[str] = []
    for machine in machines:
        answer += [*_machine(machine, now, styled), ""]
    whole = sum(machine.size for machine in machines)
    calls = "calls unknown" if state is None else f"{state.calls} calls in progress"
    answer.append(_styled(f"{words.megabytes(whole)} MB in all, {calls}", _BOLD, styled))
    if state is None:
        answer.append(_styled("The broker does not answer.", _RED, styled))
    elif any(state.counters.values()):
        answer += ["", *_counts(state)]
    return answer


def _machine(machine: Snapshot, now: float, styled: bool) -> list[str]:
    late = "" if now - machine.at < 2 else f", {words.age(now - machine.at)} ago"
    title = (
        f"{machine.host}: {words.megabytes(machine.size)} MB, {words.allowed(machine.allowance)}"
    )
    rows = [
        _styled(f"{title}{late}", _BOLD, styled),
        _styled(_row(HEADS), _DIM, styled),
    ]
    ordered = sorted(machine.readings, key=lambda one: (ROLES.index(one.role), one.pid))
    rows += [_row(_cells(reading, machine.at)) for reading in ordered]
    if machine.allowance.oom_kills:
        about = words.oom_kills([machine.allowance.source])
        rows.append(f"{machine.allowance.oom_kills:>8,}  {about}")
    return rows


def _cells(reading: Reading, at: float) -> tuple[str, ...]:
    sizes = (reading.pss, reading.uss, reading.rss)
    return (
        reading.role,
        str(reading.pid),
        *map(words.megabytes, sizes),
        words.growth(reading.growth),
        words.age(at - reading.started),
    )


def _counts(state: State) -> list[str]:
    return [
        f"{state.counters[name]:>8,}  {about}"
        for name, about in NAMES.items()
        if state.counters.get(name)
    ]


def _row(cells: Sequence[str]) -> str:
    first, *rest = zip(cells, WIDTHS, strict=True)
    return f"{first[0]:<{first[1]}}" + "".join(f"{cell:>{width}}" for cell, width in rest)


def _styled(text: str, style: str, styled: bool) -> str:
    return f"{style}{text}{_PLAIN}" if styled else text
