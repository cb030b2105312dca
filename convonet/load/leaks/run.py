"""One leak test: a product of its own, rounds of calls and turns, a look at it after each."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import redis

from convonet import census
from convonet.load import cgroup, plan, processes
from convonet.load.leaks import looks, verdict
from convonet.load.processes import Driver
from convonet.overhead.product import ROOT, Product, product

# Turns end a moment after their callers were told.
OPEN_SECONDS = 60.0
THINK_SECONDS = 0.02

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaks:
    calls: int = 1000
    """Half by telephone, half from browsers."""
    turns: int = 10_000
    """Typed, in the browsers' calls."""
    rounds: int = 10
    """The first is the warm-up."""
    rest: float = 20.0
    """Seconds between a round and the look at what is left of it."""
    limit_bytes: int = 0
    settings: tuple[tuple[str, str], ...] = ()

    def of_round(self, number: int) -> tuple[int, int, int]:
        """(calls by telephone, calls from browsers, turns): together those of the whole."""

        def part(whole: int) -> int:
            return whole * (number + 1) // self.rounds - whole * number // self.rounds

        phones = self.calls // 2
        return part(phones), part(self.calls - phones), part(self.turns)


class Run:
    """`say` gets a sentence now and then, for a person who waits."""

    def __init__(self, chosen: Leaks, say: Say) -> None:
        self.plan, self._say = chosen, say
        self._calls = self._turns = 0
        self._faults: list[str] = []
        self._driver: Driver
        self._product: Product
        self._asked: Path
        self._under_load: dict[str, dict[str, int]] = {}
        self._ports: dict[int, str] = {}
        self._group: cgroup.Group | None = None

    def measure(self) -> dict[str, Any]:
        """Raises NotMeasured, NoGroup."""
        began = time.monotonic()
        with ExitStack() as stack:
            self._start(stack)
            seen = [self._round(number) for number in range(self.plan.rounds)]
            use = asdict(self._group.use()) if self._group is not None else None
        found = verdict.findings(seen[0], seen[-1])
        return {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "seconds": round(time.monotonic() - began),
            "machine": {"cores": psutil.cpu_count(), "python": platform.python_version()},
            "limit_bytes": self.plan.limit_bytes,
            "cgroup": use,
            "looks": seen,
            "faults": self._faults,
            "findings": [str(one) for one in found],
        }

    def _start(self, stack: ExitStack) -> None:
        var_dir = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="leaks-"))).resolve()
        self._asked = var_dir / "census"
        self._asked.mkdir()
        bench = plan.Plan(
            think=THINK_SECONDS, counts=(100,), limit_bytes=0, settings=self.plan.settings
        )
        _, url = stack.enter_context(processes.providers(bench))
        before: list[str] = []
        if self.plan.limit_bytes:
            self._group = stack.enter_context(cgroup.Group.made(self.plan.limit_bytes))
            before = self._group.enter
        environment = {
            **plan.environment(bench, url, ""),
            census.VARIABLE: str(self._asked),
        }
        self._product = stack.enter_context(product(var_dir, environment, before))
        self._ports = _ports(self._product, url)
        self._driver = stack.enter_context(_calls(self._product.environment))
        self._driver("prepare")
        self._say("The product is up.")

    def _round(self, number: int) -> dict[str, Any]:
        began = time.monotonic()
        phones, browsers, turns = self.plan.of_round(number)
        watch = looks.Watch(self._product.launcher, self._database, self._ports)
        watch.start()
        told = self._driver("round", phones, browsers, turns)
        self._under_load = watch.stop()
        self._calls += told["calls"]
        self._turns += told["turns"]
        self._faults += told["faults"]
        seconds = time.monotonic() - began
        self._until_quiet()
        time.sleep(self.plan.rest)
        look = self._look()
        size = sum(one["pss"] for one in look["memory"].values()) / 1024
        self._say(
            f"{self._calls:,} calls, {self._turns:,} turns ({told['turns'] / seconds:.1f} a second"
            f" in this round): {size:.1f} MB."
        )
        return look

    @property
    def _database(self) -> Path:
        return self._asked.parent / "convonet.sqlite3"

    def _until_quiet(self) -> None:
        deadline = time.monotonic() + OPEN_SECONDS
        while self._driver("open") and time.monotonic() < deadline:
            time.sleep(0.5)

    def _look(self) -> dict[str, Any]:
        launcher, var_dir = self._product.launcher, self._asked.parent
        with redis.Redis.from_url(_broker_url(var_dir)) as client:
            kept = looks.broker(client)
        # What a process answers costs it memory, too, which it has to give back before we look.
        held = looks.held(launcher, self._database, self._ports, self._asked)
        return {
            "calls": self._calls,
            "turns": self._turns,
            "broker": kept,
            "held": held,
            "under_load": self._under_load,
            "memory": looks.memory(launcher),
            "rows": self._driver("rows"),
            "files_bytes": looks.size_of(var_dir),
        }


def _broker_url(var_dir: Path) -> str:
    return str(json.loads((var_dir / "run.json").read_text())["environment"]["REDIS_URL"])


def _ports(running_product: Product, providers_url: str) -> dict[int, str]:
    told = running_product.environment
    named = {"BROKER_PORT": "broker", "MCP_PORT": "tool server", "PORT": "web"}
    ports = {int(told[name]): what for name, what in named.items()}
    ports[urlsplit(providers_url).port or 0] = "services"
    if url := told.get("DATABASE_URL"):
        ports[urlsplit(url).port or 5432] = "database"
    return ports


@contextmanager
def _calls(environment: Mapping[str, str]) -> Iterator[Driver]:
    command = [sys.executable, "-m", "convonet.load.leaks.calls", environment["PORT"]]
    ours = {"DJANGO_SETTINGS_MODULE": "convonet.settings", census.VARIABLE: ""}
    popen = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**environment, **ours},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Driver(popen)
    finally:
        popen.terminate()
        popen.communicate()
