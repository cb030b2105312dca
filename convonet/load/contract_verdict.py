"""Whether the memory contract's rows hold, by the runs that were made. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from convonet.load.runaway_figures import any_noticed
from convonet.load.tables import table

Run = Mapping[str, Any]
Runs = Mapping[str, Run]
MEMORY_MB = 409
IDLE_MB, IDLE_FLOWER_MB = 300, 380
LISTENING_KB, SPEAKING_KB = 0.2 * 1024, 0.5 * 1024
BACK_PERCENT = 5.0
# Percent of a core a call: listening, speaking.
CPU = {"daphne": (0.8, 1.2), "uvicorn": (0.4, 0.6)}
OVERHEAD_MS = (25.0, 100.0)
IN_TIME_PERCENT = 99.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """`held` is None for what has no bound, or was not measured as the row wants it."""

    row: str
    what: str
    bound: str
    measured: str
    held: bool | None


def verdicts(rows: Sequence[str], runs: Runs) -> list[Verdict]:
    judged = [one for row in rows for one in _JUDGES[row](runs)]
    if any(run.get("hurried") for run in runs.values()):
        return [Verdict(v.row, v.what, v.bound, v.measured, None) for v in judged]
    return judged


def grouped(runs: Runs) -> dict[str, list[Run]]:
    """By what is before the first dash of their names, to be shown side by side."""
    groups: dict[str, list[Run]] = {}
    for name, run in runs.items():
        groups.setdefault(name.partition("-")[0], []).append(run)
    return groups


def markdown(found: Sequence[Verdict]) -> str:
    words = {True: "holds", False: "**does not hold**", None: "not judged"}
    rows = [(v.row, v.what, v.bound, v.measured, words[v.held]) for v in found]
    return table(["row", "what", "bound", "measured", "verdict"], rows) + "\n"


def _at_most(row: str, what: str, bound: float, measured: float, unit: str) -> Verdict:
    held = measured <= bound
    return Verdict(row, what, f"at most {bound:g} {unit}", f"{measured:.4g} {unit}", held)


def _at_least(row: str, what: str, bound: float, measured: float | None) -> Verdict:
    told = "nothing" if measured is None else f"{measured:.2f} %"
    held = measured is not None and measured >= bound
    return Verdict(row, what, f"at least {bound:g} %", told, held)


def _none(row: str, what: str, measured: int) -> Verdict:
    return Verdict(row, what, "0", str(measured), measured == 0)


def _of(runs: Runs, prefix: str) -> Iterator[tuple[str, Run]]:
    """(server, run)"""
    for name, run in runs.items():
        kind, _, server = name.partition("-")
        if kind == prefix and server in CPU:
            yield server, run


def _idle(runs: Runs) -> Iterator[Verdict]:
    for name, bound in (("idle", IDLE_MB), ("idle-flower", IDLE_FLOWER_MB)):
        if run := runs.get(name):
            flower = "with Flower" if name == "idle-flower" else "without Flower"
            yield _at_most("1", f"idle, new, {flower}", bound, run["idle"]["total_mb"], "MB")
            if run["stages"]:
                after = run["after"]["total_mb"]
                yield _at_most("1", f"idle, after calls, {flower}", bound, after, "MB")


def _calls(runs: Runs) -> Iterator[Verdict]:
    for server, run in _of(runs, "calls"):
        yield from _carried("2", server, run)
    for server, run in _of(runs, "limit"):
        yield _limit("2", f"{server}, 512 MB", run)


def _carried(row: str, server: str, run: Run) -> Iterator[Verdict]:
    stage = run["stages"][-1]
    figures, window, group = stage["figures"], stage["speaking"], run["after"]["cgroup"]
    seconds = run["plan"]["speak"]
    name = f"{server}, {stage['wanted']} calls for {seconds:g} s"
    if group is not None:
        yield _none(row, f"{name}: OOM kills", group["oom_kills"])
    yield _none(row, f"{name}: calls dropped", figures["dropped"])
    turns = figures["turns"]
    yield _none(row, f"{name}: turns lost", turns["missing"] + turns["open"])
    yield _none(row, f"{name}: turns failed", turns["states"].get("failed", 0))
    yield _at_least(
        row, f"{name}: replies' frames in time", IN_TIME_PERCENT, 100 - figures["late_percent"]
    )
    taken = figures["taken_in_time_percent"]
    yield _at_least(row, f"{name}: callers' frames in time", IN_TIME_PERCENT, taken)
    started = figures["started_in_time_percent"]
    yield _at_least(row, f"{name}: turns begun within 300 ms", IN_TIME_PERCENT, started)
    yield _at_most(row, f"{name}: memory", MEMORY_MB, most_mb(window), "MB")


def most_mb(window: Mapping[str, Any]) -> float:
    """The larger of all PSS together and of what the kernel charged to the group."""
    group = window["cgroup"]
    return max(float(window["most_mb"]), group["used"] / 2**20 if group else 0.0)


def _limit(row: str, name: str, run: Run) -> Verdict:
    limit = run["limit"]
    told = f"{limit['holds']} calls hold"
    if limit["fails"] is not None:
        told += f"; at {limit['fails']}: {'; '.join(limit['first'])}"
    return Verdict(row, f"limit, {name}", "", told, None)


def _per_call(runs: Runs) -> Iterator[Verdict]:
    for server, run in _of(runs, "calls"):
        stage = run["stages"][-1]
        calls = stage["wanted"]
        for window, bound in (("listening", LISTENING_KB), ("speaking", SPEAKING_KB)):
            grown = web_and_broker(stage[window]) - web_and_broker(run["warm"])
            what = f"{server}, {calls} calls {window}: web and broker a call"
            yield _at_most("3", what, bound, 1024 * grown / calls, "KB")


def web_and_broker(window: Mapping[str, Any]) -> float:
    """MB."""
    return float(sum(window["mb"].get(role, 0.0) for role in ("web", "broker")))


def _back(runs: Runs) -> Iterator[Verdict]:
    for server, run in _of(runs, "calls"):
        warm, after = run["warm"]["total_mb"], run["after"]["total_mb"]
        grown = 100 * (after - warm) / warm
        what = f"{server}: {run['plan']['after']:g} s after the calls, above the warm baseline"
        yield _at_most("4", what, BACK_PERCENT, grown, "%")


def _processor(runs: Runs) -> Iterator[Verdict]:
    for server, run in _of(runs, "calls"):
        stage = run["stages"][-1]
        for window, bound in zip(("listening", "speaking"), CPU[server], strict=True):
            used = stage[window]["cpu_percent"].get("web", 0.0) / stage["wanted"]
            what = f"{server}, {stage['wanted']} calls {window}: web a call"
            yield _at_most("5", what, bound, used, "% of a core")


def _overhead(runs: Runs) -> Iterator[Verdict]:
    for server, run in _of(runs, "turns"):
        stage = run["stages"][-1]
        told = stage["figures"]["whole_overhead_ms"]
        if told is None:
            yield Verdict("6", f"{server}: turn overhead", "", "no turn was answered", False)
            continue
        for name, bound in zip(("median", "p99"), OVERHEAD_MS, strict=True):
            what = f"{server}, {stage['wanted']} calls: turn overhead, {name}"
            yield _at_most("6", what, bound, told[name], "ms")
    for name, run in runs.items():
        if name.startswith("side-"):
            yield _limit("6", name.removeprefix("side-"), run)


def _runaway(runs: Runs) -> Iterator[Verdict]:
    for server, run in _of(runs, "runaway"):
        told = run["stages"][-1]["runaway"]
        yield from _carried("7", f"{server} with {told['number']} runaways", run)
        yield _none("7", f"{server}: other calls that noticed", any_noticed(told))


def _larger(row: str) -> Callable[[Runs], Iterator[Verdict]]:
    def judged(runs: Runs) -> Iterator[Verdict]:
        for name, run in runs.items():
            if name.startswith(f"{row}-"):
                yield _limit(row, name, run)

    return judged


_JUDGES: dict[str, Callable[[Runs], Iterator[Verdict]]] = {
    "1": _idle,
    "2": _calls,
    "3": _per_call,
    "4": _back,
    "5": _processor,
    "6": _overhead,
    "7": _runaway,
    "1G": _larger("1G"),
    "2G": _larger("2G"),
}
