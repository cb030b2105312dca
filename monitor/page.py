"""What the operators' page about memory shows, as words."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.utils import timezone

from convonet import configured
from convonet.counters import NAMES
from monitor import client, graph, history, words
from monitor.board import State
from monitor.graph import Limits
from monitor.history import PERIODS, History, Period
from monitor.roles import ROLES
from monitor.snapshot import Ending, Snapshot, by_role
from voice import room
from voice.uses_told import count

WHY = {"recycled": "replaced", "killed": "killed", "died": "ended by itself"}
MOST_ENDINGS = 12
# What is as it should be.
ORDINARY = ("services_opened", "services_evicted", "services_closed")
# Told even when they never happened: that is what an operator wants to read.
ALWAYS = ("audio_dropped", "events_lost", "memory_errors", "children_recycled")


@dataclass(frozen=True, slots=True)
class RoleRow:
    role: str
    number: int
    """Of its colour."""
    processes: int
    size: str
    growth: str
    grown: bool
    share: int
    """Of all roles together, in percent."""


def of(period_name: str, host: str) -> dict[str, Any]:
    """The template's context; names that are not known stand for the first period and all."""
    period = next((one for one in PERIODS if one.name == period_name), PERIODS[0])
    state = client.state()
    machines = state.snapshots if state else []
    hosts = [one.host for one in machines]
    host = host if host in hosts else ""
    shown = [one for one in machines if not host or one.host == host]
    now = timezone.localtime()
    past = history.of(period, now, host)
    return {
        "title": "Memory",
        "periods": [{"name": one.name, "chosen": one is period} for one in PERIODS],
        "over": period.name,
        "host": host,
        "hosts": hosts if len(hosts) > 1 else [],
        "broker_answers": state is not None,
        "summary": _summary(shown, state) if shown and state else "",
        "machines": [_machine(one) for one in shown],
        "graph": graph.draw(past, _format(period), _limits(shown)) if past.known else None,
        "most": words.megabytes(past.most),
        "roles": _roles(shown),
        "processes": [row for one in shown for row in _processes(one, len(hosts) > 1)],
        "counts": _counts(past, state, [name for name in NAMES if name not in ORDINARY]),
        "ordinary": _counts(past, state, ORDINARY),
        "oom_kills": past.oom_kills,
        "oom_kills_of": words.oom_kills({one.allowance.source for one in shown}),
        "profile": configured.profile_told(),
        "endings": [_ending(one) for one in (state.endings if state else [])[:MOST_ENDINGS]],
    }


def _limits(shown: Sequence[Snapshot]) -> Limits | None:
    """Of the one machine that has any; those of several mean nothing together."""
    known = [one.allowance for one in shown if one.allowance.limit_kib]
    if len(known) != 1:
        return None
    admission = room.line_kib(known[0], settings.ADMIT_BELOW_PERCENT)
    return Limits(known[0].limit_kib or 0, admission)


def _format(period: Period) -> str:
    return "%H:%M" if period.over.days < 1 else "%a %H:%M"


def _summary(shown: Sequence[Snapshot], state: State) -> str:
    processes = sum(len(one.readings) for one in shown)
    size = words.megabytes(sum(one.size for one in shown))
    told = count(processes, "process", "processes")
    return f"{size} MB in {told}, {count(state.calls, 'call')} in progress"


def _machine(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "host": snapshot.host,
        "allowance": words.allowed(snapshot.allowance),
        "looked": f"{words.age(time.time() - snapshot.at)} ago",
        "cost": f"{snapshot.cpu_ms:.0f} ms of processor time" if snapshot.cpu_ms else "",
    }


def _roles(shown: Sequence[Snapshot]) -> list[RoleRow]:
    readings = [reading for one in shown for reading in one.readings]
    whole = sum(reading.size for reading in readings) or 1
    return [
        RoleRow(
            role,
            ROLES.index(role),
            total.processes,
            words.megabytes(total.size),
            words.growth(total.growth if total.settled else None),
            total.growth > 0,
            round(100 * total.size / whole),
        )
        for role, total in by_role(readings).items()
    ]


def _processes(snapshot: Snapshot, several: bool) -> list[dict[str, str]]:
    order = {role: place for place, role in enumerate(ROLES)}
    rows = sorted(snapshot.readings, key=lambda one: (order.get(one.role, 99), one.pid))
    return [
        {
            "name": f"{one.role} {one.pid}",
            "host": snapshot.host if several else "",
            "pss": words.megabytes(one.pss),
            "uss": words.megabytes(one.uss),
            "rss": words.megabytes(one.rss),
            "growth": words.growth(one.growth),
            "up": words.age(snapshot.at - one.started),
        }
        for one in rows
    ]


def _counts(past: History, state: State | None, names: Iterable[str]) -> list[dict[str, Any]]:
    """Those that have ever happened, and those that are always told."""
    totals = state.counters if state else {}
    return [
        {"about": NAMES[name], "within": past.counted.get(name, 0), "total": totals.get(name, 0)}
        for name in names
        if totals.get(name) or name in ALWAYS
    ]


def _ending(ending: Ending) -> dict[str, Any]:
    return {
        "at": datetime.fromtimestamp(ending.at, UTC),
        "who": f"{ending.role} child {ending.pid} on {ending.host}",
        "why": WHY.get(ending.why, ending.why),
        "detail": ending.detail,
        "bad": ending.why != "recycled",
    }
