"""The leak test's figures as Markdown. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from convonet.load.leaks import verdict

Told = Mapping[str, Any]
MOST_TYPES = 8


def markdown(told: Told) -> str:
    parts = [_head(told), _memory(told), _held(told), _broker(told), _rows(told), _types(told)]
    return "\n\n".join([*parts, _verdict(told)]) + "\n"


def _head(told: Told) -> str:
    warm, end, machine = told["looks"][0], told["looks"][-1], told["machine"]
    group = told["cgroup"]
    limit = f", in a cgroup of {told['limit_bytes'] >> 20} MB" if told["limit_bytes"] else ""
    kills = f", {group['oom_kills']} killed by the kernel" if group else ""
    return (
        f"{end['calls']:,} short calls and {end['turns']:,} turns in {told['seconds'] / 60:.0f}"
        f" minutes{limit}{kills}; warm after the first {warm['calls']:,} and {warm['turns']:,}."
        f" {machine['cores']} cores, Python {machine['python']}, {told['at']}."
    )


def _memory(told: Told) -> str:
    looks = told["looks"]
    roles = list(looks[-1]["memory"])
    head = ["after turns", *roles, "all"]
    rows = []
    for look in looks:
        sizes = [look["memory"].get(role, {}).get("pss", 0) / 1024 for role in roles]
        rows.append([f"{look['turns']:,}", *(f"{s:.1f}" for s in sizes), f"{sum(sizes):.1f}"])
    first, last = looks[0]["memory"], looks[-1]["memory"]
    change = ["change", *(_percent(first.get(r, {}), last[r]) for r in roles)]
    totals = [{"pss": sum(one["pss"] for one in look.values())} for look in (first, last)]
    rows.append([*change, _percent(*totals)])
    points = [
        (look["turns"] / 1000, sum(one["pss"] for one in look["memory"].values()))
        for look in looks[len(looks) // 2 :]
    ]
    trend = verdict.slope(points)
    return (
        f"### Memory\nPSS in MB. Over the second half it goes up by {trend:.0f} KiB per 1,000"
        f" turns.\n\n{_table(head, rows)}"
    )


def _held(told: Told) -> str:
    warm, end = told["looks"][0]["held"], told["looks"][-1]["held"]
    most = told["looks"][-1].get("under_load", {})
    head = ("process", "descriptors", "threads", "objects", "blocks", "connections")
    rows = []
    for role, held in end.items():
        before = warm.get(role, {})
        peers = sorted({*before.get("peers", {}), *held["peers"]})
        loaded = most.get(role, {})
        connections = ", ".join(
            f"{peer} {before.get('peers', {}).get(peer, 0)} → {held['peers'].get(peer, 0)}"
            f" ({loaded.get(peer, 0)})"
            for peer in sorted({*peers, *loaded} - {"descriptors"})
        )
        cells = [_pair(before.get(n), held.get(n)) for n in ("fds", "threads", "objects", "blocks")]
        rows.append([f"{role} ({len(held['pids'])})", *cells, connections])
    caption = "### Held\nWarm → at the end, of all of a role; in brackets the most during calls."
    return f"{caption}\n\n{_table(head, rows)}"


def _broker(told: Told) -> str:
    warm, end = told["looks"][0]["broker"], told["looks"][-1]["broker"]
    lasting = ", ".join(sorted(end["lasting"])) or "none"
    return (
        f"### Broker\nKeys without a lifetime {sum(warm['lasting'].values())} →"
        f" {sum(end['lasting'].values())} ({lasting}); data"
        f" {warm['used_bytes'] / 2**20:.2f} → {end['used_bytes'] / 2**20:.2f} MB once"
        f" {sum(end['passing'].values()):,} keys with a lifetime had expired."
    )


def _rows(told: Told) -> str:
    warm, end = told["looks"][0], told["looks"][-1]
    done = max(1, end["turns"] + end["calls"] - warm["turns"] - warm["calls"])
    rows = [
        (table, f"{warm['rows'].get(table, 0):,}", f"{number:,}", _each(warm, number, table, done))
        for table, number in sorted(end["rows"].items())
        if number != warm["rows"].get(table, 0)
    ]
    head = ("table", "warm", "at the end", "for each call and turn")
    return f"### Rows\nThose that were added.\n\n{_table(head, rows)}"


def _each(warm: Told, number: int, table: str, done: int) -> str:
    return f"{(number - warm['rows'].get(table, 0)) / done:.2f}"


def _types(told: Told) -> str:
    warm, end = told["looks"][0]["held"], told["looks"][-1]["held"]
    grown = [
        (number - warm.get(role, {}).get("types", {}).get(name, 0), role, name)
        for role, held in end.items()
        for name, number in held.get("types", {}).items()
    ]
    most = sorted(grown, reverse=True)[:MOST_TYPES]
    rows = [(role, f"`{name}`", f"{more:+,}") for more, role, name in most if more > 0]
    return f"### Objects that grew most\n\n{_table(('process', 'type', 'more'), rows)}"


def _verdict(told: Told) -> str:
    faults = [f"- not well: {fault}" for fault in told["faults"]]
    grew = [f"- {one}" for one in told["findings"]]
    said = "**Something is left of what is over.**" if grew else "**Nothing is left.**"
    return "\n".join([f"### Verdict\n{said}", *grew, *faults])


def _percent(before: Told, after: Told) -> str:
    if not before.get("pss"):
        return "new"
    return f"{100 * (after['pss'] / before['pss'] - 1):+.1f} %"


def _pair(before: int | None, after: int | None) -> str:
    if after is None:
        return ""
    return f"{before or 0:,} → {after:,}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
