"""Several runs of one session in one table: servers, and peers. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from convonet.load.tables import table

Figures = Mapping[str, Any]
HEAD = (
    *("", "calls", "idle, warm (MB)", "a call more, talking (MB)", "processor a call (%)"),
    *("late (%)", "lost (ms)", "begun: p99 (ms)", "overhead: median (ms)", "p99"),
    *("own: median", "p99", "heard: median"),
)


def markdown(runs: Sequence[Figures]) -> str:
    """All that is measured of each: every process for memory and processor."""
    rows = [_row(run, stage) for run in runs for stage in run["stages"]]
    limits = [f"- {run['subject']['told']}: {_limit(run)}" for run in runs if run["stages"]]
    caption = (
        "## Side by side\nAll processes of each, on the same machine in the same session, with the"
        " same driver, stand-ins and turns. Overhead counts from the caller's last sound and the"
        " silence that each is set to wait, own from its decision that the caller is done; both are"
        " without the time in which a stand-in was at work. A processor's percent is of one core."
    )
    return "\n\n".join([caption, table(HEAD, rows), "\n".join(limits)])


def _row(run: Figures, stage: Figures) -> list[str]:
    figures, window, calls = stage["figures"], stage["speaking"], stage["wanted"]
    used = sum(v for role, v in window["cpu_percent"].items() if not role.startswith("("))
    grown = (window["total_mb"] - run["warm"]["total_mb"]) / calls
    start = figures["start_ms"]
    return [
        *(run["subject"]["name"], str(calls), f"{run['warm']['total_mb']:.0f}", f"{grown:.2f}"),
        *(f"{used / calls:.2f}", f"{figures['late_percent']:.2f}", str(figures["lost_ms"])),
        f"{start['p99']:.0f}" if start else "",
        *_pair(figures["whole_overhead_ms"]),
        *_pair(figures["overhead_ms"]),
        _pair(figures["answer_ms"])[0],
    ]


def _limit(run: Figures) -> str:
    found = run["limit"]
    if found["fails"] is None:
        return f"holds at {found['holds']} calls, the most tried."
    return f"holds at {found['holds']} calls; at {found['fails']}: {'; '.join(found['first'])}."


def _pair(spread: Figures | None) -> list[str]:
    return [f"{spread['median']:.0f}", f"{spread['p99']:.0f}"] if spread else ["", ""]
