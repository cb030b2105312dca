"""One run: idle, warm, calls in rising number, hang-up; everything started here is ended here."""

from __future__ import annotations

import platform
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from convonet import __version__
from convonet.load import cgroup, figures, plan, processes, verdict
from convonet.load.plan import Plan
from convonet.load.sampling import Sampler
from convonet.overhead import legs
from convonet.overhead.product import product

WARM_CALLS = 4

Say = Callable[[str], None]


class Run:
    """`say` gets a sentence now and then, for a person who waits."""

    def __init__(self, chosen: Plan, say: Say) -> None:
        self.plan, self._say = chosen, say
        self._marks = Path()
        self._driver: processes.Driver
        self._sampler: Sampler

    def measure(self) -> dict[str, Any]:
        """Raises NotMeasured, NoGroup."""
        with ExitStack() as stack:
            self._start(stack)
            told = self._measured()
        self._say("Stopped and cleaned up.")
        return told

    def _start(self, stack: ExitStack) -> None:
        var_dir = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-"))).resolve()
        self._marks = var_dir / "marks"
        self._marks.touch()
        helper, url = stack.enter_context(processes.providers(self.plan))
        group = None
        if self.plan.limit_bytes:
            group = stack.enter_context(cgroup.Group.made(self.plan.limit_bytes))
        began = time.monotonic()
        environment = plan.environment(self.plan, url, str(self._marks))
        before = group.enter if group is not None else []
        running = stack.enter_context(product(var_dir, environment, before))
        self._say(f"The product is up ({time.monotonic() - began:.1f} s).")
        self._driver = stack.enter_context(processes.driver(self.plan, running.environment))
        helpers = {"(driver)": self._driver.pid, "(services)": helper}
        self._sampler = Sampler(running.launcher, helpers, group)
        self._sampler.start()
        stack.callback(self._sampler.stop)

    def _measured(self) -> dict[str, Any]:
        cold = self._wait(self.plan.idle, "Idle")
        warm = self._warm() if self.plan.warm else cold
        stages = [self._stage(count) for count in self.plan.counts]
        self._say("Everybody hangs up.")
        ended = self._driver("leave")
        after = self._wait(self.plan.after, "After the calls")
        return {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "version": __version__,
            "machine": _machine(),
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
        told = {name: getattr(self.plan, name) for name in (*names, "local", "limit_bytes")}
        # Values may be keys.
        return {**told, "settings": [name for name, _ in self.plan.settings]}

    def _wait(self, seconds: float, what: str) -> dict[str, Any]:
        since = self._sampler.look().at
        time.sleep(max(0.1, seconds))
        seen = self._sampler.window(since)
        self._say(f"{what}: {seen['total_mb']:.0f} MB (PSS).")
        return seen

    def _warm(self) -> dict[str, Any]:
        """Every worker's child has done something once; then as idle as before."""
        calls = min(WARM_CALLS, max(self.plan.counts))
        self._driver("ramp", calls)
        self._driver("settle")
        self._driver("talk")
        time.sleep(self.plan.warm)
        self._driver("hush")
        self._driver("leave")
        return self._wait(self.plan.idle, "Warm, idle again")

    def _stage(self, count: int) -> dict[str, Any]:
        self._driver("ramp", count)
        up = self._driver("settle")
        self._driver("take", _now())
        listening = self._wait(self.plan.listen, f"{count} calls ({up} up), silent")
        since, began = _now(), self._sampler.look().at
        self._driver("talk")
        time.sleep(self.plan.speak)
        speaking = self._sampler.window(began)
        self._driver("hush")
        taken = self._driver("take", since)
        ways = legs.read(self._marks.read_text().splitlines())
        stage: dict[str, Any] = {
            "wanted": count,
            "listening": listening,
            "speaking": speaking,
            "figures": figures.of_stage(taken, ways, self.plan.think),
        }
        limit_mb = self.plan.limit_bytes / 2**20
        stage["gives_way"] = verdict.gives_way(stage, limit_mb, psutil.cpu_count() or 1)
        self._say(_sentence(stage))
        return stage


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _sentence(stage: dict[str, Any]) -> str:
    told, window = stage["figures"], stage["speaking"]
    start = told["start_ms"] or {"p99": float("nan")}
    held = "; ".join(stage["gives_way"]) or "all holds"
    return (
        f"{stage['wanted']} calls, talking: {window['total_mb']:.0f} MB, web"
        f" {window['cpu_percent'].get('web', 0.0):.0f} % of a core, {told['said']} said,"
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
