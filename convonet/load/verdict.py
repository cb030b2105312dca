"""Where the limit is, and what gives way first. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

CORE_PERCENT = 95.0
LATE_PERCENT = 1.0
IN_TIME_PERCENT = 99.0
# The callers' own frames: beyond this the figures say more about the driver than the product.
DRIVER_LATE_MS = 20.0
MACHINE_FREE_PERCENT = 10.0
# Of a core: so much a quiet host takes now and then.
STOLEN_PERCENT = 5.0


def gives_way(stage: Mapping[str, Any], limit_mb: float, cores: int) -> list[str]:
    """What does not hold in this stage, the gravest first; empty when all does."""
    figures, window = stage["figures"], stage["speaking"]
    reasons = [
        *_memory(window, limit_mb),
        *_calls(figures, stage["wanted"]),
        *_time(figures),
        *_processor(window, cores),
        *_driver(figures),
    ]
    return [*reasons, *_stolen(window)] if reasons else []


def limit(stages: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The last stage that held, and the first that did not with its reasons."""
    held = 0
    for stage in stages:
        if stage["gives_way"]:
            return {"holds": held, "fails": stage["wanted"], "first": stage["gives_way"]}
        held = stage["wanted"]
    return {"holds": held, "fails": None, "first": []}


def _memory(window: Mapping[str, Any], limit_mb: float) -> list[str]:
    said = []
    group = window["cgroup"]
    if group is not None and group["oom_kills"]:
        said.append(f"memory: the kernel has killed {group['oom_kills']} times")
    if limit_mb:
        used = max(window["most_mb"], group["used"] / 2**20 if group else 0.0)
        if used > 0.8 * limit_mb:
            said.append(f"memory: {used:.0f} MB, over 80 % of the {limit_mb:.0f} MB allowed")
    return said


def _calls(figures: Mapping[str, Any], wanted: int) -> list[str]:
    said = []
    if figures["up"] < wanted:
        why = f" ({figures['faults'][0]})" if figures["faults"] else ""
        said.append(f"calls: {figures['up']} of {wanted} are up{why}")
    if figures["dropped"]:
        said.append(f"calls: {figures['dropped']} dropped")
    turns = figures["turns"]
    for name, words in (("missing", "were lost"), ("too_many", "were made of nothing said")):
        if turns[name]:
            said.append(f"turns: {turns[name]} {words}")
    if failed := turns["states"].get("failed", 0):
        said.append(f"turns: {failed} failed")
    if turns["open"]:
        said.append(f"turns: {turns['open']} came to no end")
    if figures["doubled_ms"]:
        said.append(f"sound: {figures['doubled_ms']} ms were sent twice")
    return said


def _time(figures: Mapping[str, Any]) -> list[str]:
    said = []
    in_time = figures["started_in_time_percent"]
    if in_time is not None and in_time < IN_TIME_PERCENT:
        said.append(f"turns: {in_time:.1f} % were begun within 300 ms")
    if figures["unanswered"]:
        said.append(f"turns: {figures['unanswered']} got no answer in time")
    if figures["late_percent"] > LATE_PERCENT:
        said.append(f"sound: {figures['late_percent']:.1f} % of the frames were late")
    return said


def _processor(window: Mapping[str, Any], cores: int) -> list[str]:
    shares = window["cpu_percent"]
    said = [
        f"processor: {role} takes {shares[role]:.0f} % of a core"
        for role in ("web", "broker", "mcp")
        if shares.get(role, 0.0) > CORE_PERCENT
    ]
    if shares["(machine)"] > 100 * cores - MACHINE_FREE_PERCENT:
        said.append(f"processor: all {cores} cores are taken ({shares['(machine)']:.0f} %)")
    return said


def _driver(figures: Mapping[str, Any]) -> list[str]:
    late = figures["driver"]["p99_ms"]
    return [f"driver: callers' frames left {late:.0f} ms late (p99)"] * (late > DRIVER_LATE_MS)


def _stolen(window: Mapping[str, Any]) -> list[str]:
    """No reason of its own: what makes the others doubtful."""
    share = window["cpu_percent"].get("(stolen)", 0.0)
    return [f"machine: its host withheld {share:.0f} % of a core"] * (share > STOLEN_PERCENT)
