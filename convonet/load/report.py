"""Runs' figures as Markdown, for the terminal and for docs/. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from convonet.load import report_turns, side_by_side
from convonet.load.tables import table
from monitor.roles import ROLES

Figures = Mapping[str, Any]
Looks = Sequence[tuple[str, Figures]]


def markdown(runs: Sequence[Figures]) -> str:
    """Several runs are put side by side first."""
    parts = [side_by_side.markdown(runs)] if len(runs) > 1 else []
    parts += [_one(told) for told in runs]
    return "\n\n".join(parts) + "\n"


def headed(title: str, runs: Sequence[Figures]) -> str:
    """The same below a heading of its own."""
    return f"## {title}\n\n" + re.sub("^#", "##", markdown(runs), flags=re.MULTILINE)


def _one(told: Figures) -> str:
    parts = [_head(told), limit(told), _memory(told), _processor(told)]
    if told["stages"]:
        parts += [report_turns.turns(told), report_turns.sound(told)]
    if told["plan"]["runaway"]:
        parts.append(report_turns.runaways(told))
    return "\n\n".join(parts)


def _head(told: Figures) -> str:
    plan, machine, subject = told["plan"], told["machine"], told["subject"]
    speech = "the product's own" if plan["local"] else "stand-ins"
    group = "Without a memory limit"
    if plan["limit_bytes"]:
        group = f"In a memory cgroup of {plan['limit_bytes'] >> 20} MB"
    lines = [
        f"## {subject['told'][0].upper()}{subject['told'][1:]}",
        f"{machine['cores']} cores, Python {machine['python']}, {told['at'][:10]}."
        f" {group}; driver and stand-ins beside it, on the same cores.",
        f"Each caller says something every {plan['every']:g} s, for {plan['speak']:g} s in each"
        f" stage; the model takes {plan['think']:g} s an answer and asks for a tool first in"
        f" {plan['tool_percent']} % of the turns; speech by {speech};"
        f" {100 - plan['browser_percent']} % phone calls.",
    ]
    if versions := subject.get("versions"):
        told_versions = ", ".join(f"{name} {version}" for name, version in versions.items())
        lines.append(f"{told_versions}; no tools, all calls in one process.")
    if subject.get("profile"):
        lines.append(subject["profile"])
    if plan["settings"]:
        lines.append(f"With {', '.join(plan['settings'])} set.")
    return "\n".join(lines)


def limit(told: Figures) -> str:
    found = told["limit"]
    if found["fails"] is None:
        return f"All holds up to {found['holds']} calls, the most tried."
    reasons = "; ".join(found["first"])
    return f"All holds up to {found['holds']} calls. At {found['fails']} this gives way: {reasons}."


def looks_of(told: Figures) -> list[tuple[str, Figures]]:
    looks = [("idle, new", told["idle"])]
    if told["stages"]:
        looks.append(("idle, warm", told["warm"]))
    for stage in told["stages"]:
        looks.append((f"{stage['wanted']} silent", stage["listening"]))
        looks.append((f"{stage['wanted']} talking", stage["speaking"]))
    return [*looks, ("after hang-up", told["after"])] if told["stages"] else looks


def roles_of(looks: Looks, field: str) -> list[str]:
    """In the order of people's interest, then whoever is none of the product's."""
    known = {role for _, look in looks for role in look[field] if not role.startswith("(")}
    return [*(role for role in ROLES if role in known), *sorted(known.difference(ROLES))]


def _memory(told: Figures) -> str:
    looks = looks_of(told)
    roles = roles_of(looks, "mb")
    head = ["calls", *roles, "all", "most", "each call more (KB): web + broker", "all"]
    rows = [
        (
            *(name, *(_number(look["mb"].get(role)) for role in roles)),
            *(_number(look["total_mb"]), _number(look["most_mb"])),
            *_per_call(look, told["warm"], name),
        )
        for name, look in looks
    ]
    processes = ", ".join(f"{role} {n}" for role, n in told["warm"]["processes"].items() if n > 1)
    caption = f"### Memory\nPSS in MB, median of each window; processes: {processes or 'one each'}."
    groups = [look["cgroup"] for _, look in looks if look["cgroup"]]
    if not groups:
        return f"{caption}\n\n{table(head, rows)}"
    most = max(group["used"] for group in groups) / 2**20
    return (
        f"{caption}\n\n{table(head, rows)}\n\nThe kernel's own account: at most {most:.0f} MB used"
        f" (page cache that it can drop left out), {groups[-1]['peak'] / 2**20:.0f} MB charged at"
        f" the peak, the limit met {groups[-1]['refused']} times, {groups[-1]['oom_kills']} killed."
    )


def _per_call(look: Figures, warm: Figures, name: str) -> tuple[str, str]:
    calls = calls_of(name)
    if not calls:
        return "", ""
    grown = sum(look["mb"].get(r, 0.0) - warm["mb"].get(r, 0.0) for r in ("web", "broker"))
    every = look["total_mb"] - warm["total_mb"]
    return f"{1024 * grown / calls:.0f}", f"{1024 * every / calls:.0f}"


def calls_of(name: str) -> int:
    """Of a look's name; 0 for one without calls."""
    first = name.split()[0]
    return int(first) if first.isdigit() else 0


def _processor(told: Figures) -> str:
    looks = looks_of(told)
    known = roles_of(looks, "cpu_percent")
    roles = [role for role in known if _worth(looks, role)]
    head = ["calls", *roles, "product", "web per call", "all per call", "driver", "services"]
    rows: list[tuple[str, ...]] = []
    for name, look in looks:
        shares = look["cpu_percent"]
        every = product_percent(look)
        beside = sum(shares.get(who, 0.0) for who in ("(driver)", "(services)", "(bench)"))
        calls = calls_of(name)
        rows.append(
            (
                *(name, *(_number(shares.get(role)) for role in roles), _number(every)),
                f"{shares.get('web', 0.0) / calls:.2f}" if calls else "",
                f"{every / calls:.2f}" if calls else "",
                *(_number(shares.get(who)) for who in ("(driver)", "(services)")),
                _number(max(0.0, shares["(machine)"] - every - beside)),
                _number(shares.get("(stolen)")),
            )
        )
    caption = (
        "### Processor\nPercent of one core; others: what else ran on the machine; stolen: what its"
        " host withheld, where it is a virtual one."
    )
    return f"{caption}\n\n{table([*head, 'others', 'stolen'], rows)}"


def product_percent(look: Figures) -> float:
    """Of one core: all that is measured, without what is beside it."""
    shares = look["cpu_percent"]
    return float(sum(share for role, share in shares.items() if not role.startswith("(")))


def _worth(looks: Iterable[tuple[str, Figures]], role: str) -> bool:
    return any(look["cpu_percent"].get(role, 0.0) >= 0.5 for _, look in looks)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"
