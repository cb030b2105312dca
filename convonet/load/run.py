"""One run: idle, warm, calls in rising number, hang-up; everything started here is ended here."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import psutil

from convonet import __version__
from convonet.load import figures, runaway_figures, verdict
from convonet.load.plan import Plan
from convonet.load.sampling import Sampler
from convonet.load.started import Started, started
from convonet.load.subjects import Subject
from convonet.overhead import legs

WARM_CALLS = 10
# A rest is looked at when it has lasted, over its last seconds.
LOOK_SECONDS = 10.0

Say = Callable[[str], None]


class Run:
    """`say` gets a sentence now and then, for a person who waits."""

    def __init__(self, chosen: Plan, subject: Subject, say: Say) -> None:
        self.plan, self.subject, self._say = chosen, subject, say
        self._up: Started
        self._sampler: Sampler

    def measure(self) -> dict[str, Any]:
        """Raises NotMeasured, NoGroup."""
        began = time.monotonic()
        with started(self.plan, self.subject) as up:
            self._say(f"{self.subject.name} is up ({time.monotonic() - began:.1f} s).")
            self._up = up
            self._sampler = Sampler(up.find, up.helpers, up.group, self.plan.look_seconds)
            self._sampler.start()
            try:
                told = self._measured()
            finally:
                self._sampler.stop()
        self._say("Stopped and cleaned up.")
        return told

    def _measured(self) -> dict[str, Any]:
        cold = self._wait(self.plan.first_idle, "Idle")
        stages, ended, warm, after = [], [], cold, cold
        if self.plan.counts:
            warm = self._warm() if self.plan.warm else cold
            stages = self._stages()
            self._say("Everybody hangs up.")
            ended = self._up.driver("leave")
            after = self._wait(self.plan.after, "After the calls")
        return {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "version": __version__,
            "machine": _machine(),
            "subject": {"name": self.subject.name, "told": self.subject.told, **self._up.told},
            "plan": self._told_plan(),
            "idle": cold,
            "warm": warm,
            "stages": stages,
            "after": after,
            "calls": _ends(ended),
            "limit": verdict.limit(stages),
        }

    def _told_plan(self) -> dict[str, Any]:
        names = ("counts", "browser_percent", "listen", "speak", "every", "think", "tool_percent")
        more = ("local", "limit_bytes", "runaway", "idle", "after")
        told = {name: getattr(self.plan, name) for name in (*names, *more)}
        # Values may be keys.
        return {**told, "settings": [name for name, _ in self.plan.settings]}

    def _wait(self, seconds: float, what: str) -> dict[str, Any]:
        look = min(seconds, LOOK_SECONDS)
        time.sleep(max(0.0, seconds - look))
        since = self._sampler.look().at
        time.sleep(max(0.1, look))
        seen = self._sampler.window(since)
        self._say(f"{what}: {seen['total_mb']:.0f} MB (PSS).")
        return seen

    def _warm(self) -> dict[str, Any]:
        """Every worker's child has done something once; then as idle as before."""
        driver = self._up.driver
        driver("ramp", min(WARM_CALLS, max(self.plan.counts)))
        driver("settle")
        driver("talk")
        time.sleep(self.plan.warm)
        driver("hush")
        driver("leave")
        return self._wait(self.plan.idle, "Warm, idle again")

    def _stages(self) -> list[dict[str, Any]]:
        stages: list[dict[str, Any]] = []
        for count in self.plan.every_count():
            stages.append(self._stage(count))
            if self.plan.until_limit and stages[-1]["gives_way"]:
                break
        return stages

    def _stage(self, count: int) -> dict[str, Any]:
        driver = self._up.driver
        driver("ramp", count)
        up = driver("settle")
        before = driver("take", _now())["counted"]
        listening = self._wait(self.plan.listen, f"{count} calls ({up} up), silent")
        since, looked, began = _now(), self._sampler.look().at, time.monotonic()
        driver("talk")
        if self.plan.runaway:
            driver("runaway", self.plan.runaway)
        time.sleep(self.plan.speak)
        speaking = self._sampler.window(looked)
        driver("runaway", 0)
        driver("hush")
        taken = driver("take", since)
        stage = {"wanted": count, "listening": listening, "speaking": speaking}
        stage |= self._figures(taken, began, before)
        limit_mb = self.plan.limit_bytes / 2**20
        stage["gives_way"] = verdict.gives_way(stage, limit_mb, psutil.cpu_count() or 1)
        self._say(_sentence(stage, self.subject))
        return stage

    def _figures(
        self, taken: dict[str, Any], began: float, before: dict[str, int]
    ) -> dict[str, Any]:
        ways = legs.read(self._up.marks.read_text().splitlines())
        work = figures.works(self._up.log.read_text().splitlines())
        if self.subject.peer:
            # It keeps no rows: its turns are those it marked, and these are of this stage.
            recent = (t for t in taken["turns"] if ways[t["id"]].get("ended", 0) / 1e9 > began)
            taken["turns"] = list(recent)
        told: dict[str, Any] = {
            "figures": figures.of_stage(taken, ways, work, self.subject.silence)
        }
        if self.plan.runaway:
            every = figures.turned(taken["calls"], taken["turns"], ways, work)
            told["runaway"] = runaway_figures.of_stage(taken, every, ways, self.subject.silence)
            counted = {n: v - before.get(n, 0) for n, v in taken["counted"].items()}
            told["runaway"]["counted"] = {name: more for name, more in counted.items() if more}
        return told


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _sentence(stage: dict[str, Any], subject: Subject) -> str:
    told, window = stage["figures"], stage["speaking"]
    start = told["start_ms"] or {"p99": float("nan")}
    held = "; ".join(stage["gives_way"]) or "all holds"
    role = "pipecat" if subject.peer else "web"
    return (
        f"{stage['wanted']} calls, talking: {window['total_mb']:.0f} MB, {role}"
        f" {window['cpu_percent'].get(role, 0.0):.0f} % of a core, {told['said']} said,"
        f" turns begun after {start['p99']:.0f} ms (p99), {told['late_percent']:.2f} % of frames"
        f" late: {held}."
    )


def _ends(calls: list[dict[str, Any]]) -> dict[str, Any]:
    reasons: dict[str, int] = {}
    for call in calls:
        reason = call["end_reason"] or "no end"
        reasons[reason] = reasons.get(reason, 0) + 1
    return {
        "number": len(calls),
        "reasons": reasons,
        "dropped_chunks": sum(call["dropped_chunks"] for call in calls),
    }


def _machine() -> dict[str, Any]:
    return {
        "cores": psutil.cpu_count(),
        "memory_mb": psutil.virtual_memory().total >> 20,
        "python": platform.python_version(),
        "kernel": platform.release(),
    }
