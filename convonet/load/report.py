"""A run's figures as Markdown, for the terminal and for docs/bench.md. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from monitor.roles import ROLES

Figures = Mapping[str, Any]


def markdown(told: Figures) -> str:
    parts = [_head(told), _limit(told), _memory(told), _processor(told), _turns(told), _sound(told)]
    return "\n\n".join(parts) + "\n"


def _head(told: Figures) -> str:
    plan, machine = told["plan"], told["machine"]
    speech = "the product's own" if plan["local"] else "stand-ins"
    group = f"in a memory cgroup of {plan['limit_bytes'] >> 20} MB" if plan["limit_bytes"] else ""
    lines = [
        f"{machine['cores']} cores, Python {machine['python']}, {told['at'][:10]}. The stack"
        f" {group or 'without a memory limit'}; driver and stand-ins beside it, on the same cores.",
        f"Each caller says something every {plan['every']:g} s, for {plan['speak']:g} s in each"
        f" stage; the model takes {plan['think']:g} s an answer and asks for a tool first in"
        f" {plan['tool_percent']} % of the turns; speech by {speech};"
        f" {100 - plan['browser_percent']} % phone calls.",
    ]
    if plan["settings"]:
        lines.append(f"With {', '.join(plan['settings'])} set.")
    return "\n".join(lines)


def _limit(told: Figures) -> str:
    limit = told["limit"]
    if limit["fails"] is None:
        return f"All holds up to {limit['holds']} calls, the most tried."
    reasons = "; ".join(limit["first"])
    return f"All holds up to {limit['holds']} calls. At {limit['fails']} this gives way: {reasons}."


def _memory(told: Figures) -> str:
    idle = told["idle"]
    looks = [("idle, new", idle), ("idle, warm", told["warm"])]
    for stage in told["stages"]:
        looks.append((f"{stage['wanted']} silent", stage["listening"]))
        looks.append((f"{stage['wanted']} talking", stage["speaking"]))
    looks.append(("after hang-up", told["after"]))
    roles = [role for role in ROLES if any(role in look["mb"] for _, look in looks)]
    head = ["calls", *roles, "all", "each call more, web + broker (KB)"]
    rows = [
        (
            *(name, *(_number(look["mb"].get(role)) for role in roles)),
            *(_number(look["total_mb"]), _per_call(look, told["warm"], name)),
        )
        for name, look in looks
    ]
    processes = ", ".join(f"{role} {n}" for role, n in idle["processes"].items() if n > 1)
    caption = f"### Memory\nPSS in MB, median of each window; processes: {processes or 'one each'}."
    table = _table(head, rows)
    groups = [look["cgroup"] for _, look in looks if look["cgroup"]]
    if not groups:
        return f"{caption}\n\n{table}"
    most = max(group["used"] for group in groups) / 2**20
    return (
        f"{caption}\n\n{table}\n\nThe kernel's own account: at most {most:.0f} MB used (page cache"
        f" that it can drop left out), {groups[-1]['peak'] / 2**20:.0f} MB charged at the peak,"
        f" the limit met {groups[-1]['refused']} times, {groups[-1]['oom_kills']} killed."
    )


def _per_call(look: Figures, warm: Figures, name: str) -> str:
    calls = int(name.split()[0]) if name.split()[0].isdigit() else 0
    if not calls:
        return ""
    grown = sum(look["mb"].get(r, 0.0) - warm["mb"].get(r, 0.0) for r in ("web", "broker"))
    return f"{1024 * grown / calls:.0f}"


def _processor(told: Figures) -> str:
    looks = [("idle", told["warm"])]
    for stage in told["stages"]:
        looks.append((f"{stage['wanted']} silent", stage["listening"]))
        looks.append((f"{stage['wanted']} talking", stage["speaking"]))
    known = {role for _, look in looks for role in look["cpu_percent"]}
    roles = [role for role in ROLES if role in known and _worth(looks, role)]
    head = ["calls", *roles, "product", "web per call", "driver", "services", "others"]
    rows: list[tuple[str, ...]] = []
    for name, look in looks:
        shares = look["cpu_percent"]
        product = sum(share for role, share in shares.items() if not role.startswith("("))
        beside = sum(shares.get(who, 0.0) for who in ("(driver)", "(services)", "(bench)"))
        calls = int(name.split()[0]) if name[0].isdigit() else 0
        rows.append(
            (
                *(name, *(_number(shares.get(role)) for role in roles), _number(product)),
                f"{shares.get('web', 0.0) / calls:.2f}" if calls else "",
                *(_number(shares.get(who)) for who in ("(driver)", "(services)")),
                _number(max(0.0, shares["(machine)"] - product - beside)),
            )
        )
    caption = "### Processor\nPercent of one core; others: what else ran on the machine."
    return f"{caption}\n\n{_table(head, rows)}"


def _worth(looks: Iterable[tuple[str, Figures]], role: str) -> bool:
    return any(look["cpu_percent"].get(role, 0.0) >= 0.5 for _, look in looks)


def _turns(told: Figures) -> str:
    head = [
        *("calls", "said", "held", "done", "interrupted", "failed", "open", "missing", "too many"),
        *("begun: median", "p99", "within 300 ms", "overhead: median", "p99"),
        *("answer heard: median", "p99"),
    ]
    rows = []
    for stage in told["stages"]:
        figures = stage["figures"]
        turns, states = figures["turns"], figures["turns"]["states"]
        in_time = figures["started_in_time_percent"]
        rows.append(
            [str(stage["wanted"]), str(figures["said"]), str(figures["held"])]
            + [str(states.get(state, 0)) for state in ("done", "interrupted", "failed")]
            + [str(turns[name]) for name in ("open", "missing", "too_many")]
            + _pair(figures["start_ms"])
            + ["" if in_time is None else f"{in_time:.1f} %"]
            + _pair(figures["overhead_ms"])
            + _pair(figures["answer_ms"])
        )
    caption = (
        "### Turns\nms. Begun: from the end of speech (the web process is sure of it) to a worker"
        " that has the turn. Overhead: from there to the first sound on the socket, without what"
        " recognition, model and voice took. Heard: from the caller's last sound to the first of"
        " the answer or of a filler. Held: the caller still waited or listened when it was time to"
        " speak."
    )
    return f"{caption}\n\n{_table(head, rows)}"


def _sound(told: Figures) -> str:
    head = [
        *("calls", "up", "dropped", "frames heard", "late", "lost (ms)", "twice (ms)"),
        *("callers' frames sent", "late: median (ms)", "p99", "most"),
    ]
    rows = []
    for stage in told["stages"]:
        figures = stage["figures"]
        driver = figures["driver"]
        rows.append(
            [str(stage["wanted"]), str(figures["up"]), str(figures["dropped"])]
            + [str(figures["frames"]), f"{figures['late_percent']:.2f} %"]
            + [str(figures["lost_ms"]), str(figures["doubled_ms"]), str(driver["frames"])]
            + [f"{driver[name]:.1f}" for name in ("median_ms", "p99_ms", "most_ms")]
        )
    calls = told["calls"]
    ends = ", ".join(f"{number} {reason}" for reason, number in calls["reasons"].items())
    caption = (
        "### Sound\nFrames are 20 ms. Late: not there when it was to be heard. The last columns are"
        f" the driver's own lateness. Calls ended: {ends}; the product dropped"
        f" {calls['dropped_chunks']} pieces of callers' sound."
    )
    return f"{caption}\n\n{_table(head, rows)}"


def _pair(spread: Figures | None) -> list[str]:
    return [f"{spread['median']:.0f}", f"{spread['p99']:.0f}"] if spread else ["", ""]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
