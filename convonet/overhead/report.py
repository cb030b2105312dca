"""The figures of a measurement as a table for the terminal and for the docs. Pure."""

from __future__ import annotations

from typing import Any


def table(figures: dict[str, Any]) -> str:
    """Markdown; milliseconds."""
    late, driver = figures["driver"]["late_ms"], figures["driver"]
    lines = [
        f"{figures['turns']} turns of {figures['calls']} calls in {figures['seconds']:.0f} s, "
        f"{figures['unanswered']} not answered. Callers' frames were {late['median']:.1f} ms late "
        f"(median; p99 {late['p99']:.1f}) and took {driver['cpu_seconds']:.1f} s of processor.",
        "",
        "| ms from the line before until | median | p90 | p99 | most |",
        "|---|---|---|---|---|",
    ]
    for leg in figures["legs"]:
        times = " | ".join(f"{leg[name]:.1f}" for name in ("median", "p90", "p99", "most"))
        lines.append(f"| {leg['to']} | {times} |")
    used = figures["cpu_ms_per_turn"]
    lines += ["", "| process | ms of processor per turn |", "|---|---|"]
    lines += [f"| {name} | {used[name]:.1f} |" for name in sorted(used)]
    lines.append(f"| all | {sum(used.values()):.1f} |")
    return "\n".join(lines) + "\n"
