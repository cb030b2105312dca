"""What callers said and heard, as Markdown: turns, sound, and what runaways did to them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convonet.load.tables import table

Figures = Mapping[str, Any]
TURNS = (
    "### Turns\nms. End of speech: the caller's last sound, and the silence after which whoever is"
    " called is set to take them to be done. Decided: from there until it did. Begun: until the"
    " model was asked. Overhead: from there to the first sound of the answer at the caller, without"
    " the time in which recognition, model or voice was at work for this turn; own: the same from"
    " its decision on. Heard: from the last sound to the first, be it a word to wait. Held: the"
    " caller still waited or listened when it was time to speak."
)


def turns(told: Figures) -> str:
    head = [
        *("calls", "said", "held", "done", "interrupted", "failed", "open", "missing", "too many"),
        *("decided: median", "p99", "begun: median", "p99", "within 300 ms"),
        *("overhead: median", "p99", "own: median", "p99", "heard: median", "p99"),
    ]
    rows = []
    for stage in told["stages"]:
        figures = stage["figures"]
        every, states = figures["turns"], figures["turns"]["states"]
        rows.append(
            [str(stage["wanted"]), str(figures["said"]), str(figures["held"])]
            + [str(states.get(state, 0)) for state in ("done", "interrupted", "failed")]
            + [str(every[name]) for name in ("open", "missing", "too_many")]
            + [*_pair(figures["decided_ms"]), *_pair(figures["start_ms"])]
            + [percent(figures["started_in_time_percent"])]
            + [*_pair(figures["whole_overhead_ms"]), *_pair(figures["overhead_ms"])]
            + _pair(figures["answer_ms"])
        )
    return f"{TURNS}\n\n{table(head, rows)}"


def sound(told: Figures) -> str:
    head = [
        *("calls", "up", "dropped", "frames heard", "late", "lost (ms)", "twice (ms)"),
        *("callers' frames sent", "taken within 20 ms", "p99 (ms)"),
        *("left late: median (ms)", "p99", "most"),
    ]
    rows = []
    for stage in told["stages"]:
        figures = stage["figures"]
        driver, taken = figures["driver"], figures["taken"]
        rows.append(
            [str(stage["wanted"]), str(figures["up"]), str(figures["dropped"])]
            + [str(figures["frames"]), f"{figures['late_percent']:.2f} %"]
            + [str(figures["lost_ms"]), str(figures["doubled_ms"]), str(driver["frames"])]
            + [percent(figures["taken_in_time_percent"]), f"{taken['p99_ms']:.1f}"]
            + [f"{driver[name]:.1f}" for name in ("median_ms", "p99_ms", "most_ms")]
        )
    calls = told["calls"]
    ends = ", ".join(f"{number} {reason}" for reason, number in calls["reasons"].items())
    caption = (
        "### Sound\nFrames are 20 ms. Late: not there when it was to be heard. Taken: until the"
        " server had read it, by a ping behind every fiftieth frame. The last columns are the"
        " driver's own lateness."
    )
    if ends:
        caption += (
            f" Calls ended: {ends}; the product dropped {calls['dropped_chunks']} pieces of"
            " callers' sound."
        )
    return f"{caption}\n\n{table(head, rows)}"


def runaways(told: Figures) -> str:
    head = [
        *("calls", "runaways", "others that noticed", "late frames meanwhile"),
        *("begun meanwhile: median", "p99", "within 300 ms", "besides: median", "p99"),
        *("at a ceiling", "recycled", "killed", "died", "OOM kills"),
    ]
    rows = []
    for stage in told["stages"]:
        found, counted = stage["runaway"], stage["runaway"]["counted"]
        noticed = {what: n for what, n in found["noticed"].items() if n}
        group = stage["speaking"]["cgroup"]
        rows.append(
            [str(stage["wanted"]), _kinds(found)]
            + [", ".join(f"{n} {what}" for what, n in noticed.items()) or "none"]
            + [str(found["late_frames_within"]), *_pair(found["start_ms_within"])]
            + [percent(found["in_time_percent_within"]), *_pair(found["start_ms_beside"])]
            + [str(counted.get(name, 0)) for name in COUNTED]
            + [str(group["oom_kills"]) if group else ""]
        )
    caption = (
        "### Runaways\nAn extra caller every so often has a tool called that allocates without end,"
        " answers with 16 MB, or never returns, in turn. Meanwhile: within 15 s of that."
    )
    return f"{caption}\n\n{table(head, rows)}"


COUNTED = ("memory_errors", "children_recycled", "children_killed", "children_died")


def _kinds(found: Figures) -> str:
    told = [
        f"{kind.removeprefix('runaway_')}: {one['calls']}, {one['answered']} answered,"
        f" {one['refused']} refused"
        for kind, one in found["kinds"].items()
        if one["calls"]
    ]
    return "; ".join(told) or "none"


def percent(value: float | None) -> str:
    return "" if value is None else f"{value:.1f} %"


def _pair(spread: Figures | None) -> list[str]:
    return [f"{spread['median']:.0f}", f"{spread['p99']:.0f}"] if spread else ["", ""]
