"""The two processes beside the product: who calls, and who stands in for services."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from convonet.load.plan import Plan
from convonet.overhead.product import ROOT, NotMeasured

# As far callers and services have processors of their own; only root may.
NICE = -10


class Driver:
    """Carries one command out at a time."""

    def __init__(self, popen: subprocess.Popen[str]) -> None:
        self._popen = popen
        self.pid = popen.pid

    def __call__(self, name: str, *arguments: Any) -> Any:
        """Its answer, once the command is carried out; raises NotMeasured if it is gone."""
        assert self._popen.stdin is not None
        assert self._popen.stdout is not None
        try:
            self._popen.stdin.write(json.dumps([name, *arguments]) + "\n")
            self._popen.stdin.flush()
            return json.loads(self._popen.stdout.readline())
        except (OSError, ValueError):
            raise NotMeasured("The callers could not call any more.") from None


@contextmanager
def driver(
    plan: Plan, port: int, marks: Path, environment: Mapping[str, str] | None, *, peer: bool
) -> Iterator[Driver]:
    """`environment`: of the product, None for a peer."""
    options = {
        "port": port,
        "every": plan.every,
        "browser_percent": plan.browser_percent,
        "marks": str(marks),
        "peer": peer,
    }
    command = ["-m", "convonet.load.driver", json.dumps(options)]
    ours = {"DJANGO_SETTINGS_MODULE": "convonet.settings", "CONVONET_MARKS": ""}
    with _process(command, None if environment is None else {**environment, **ours}) as popen:
        yield Driver(popen)


@contextmanager
def providers(plan: Plan, log: Path | None = None) -> Iterator[tuple[int, str]]:
    """(process id, address); they note in `log` what they were asked."""
    command = ["-m", "convonet.load.providers", "--think", str(plan.think)]
    command += ["--tool-percent", str(plan.tool_percent)]
    command += ["--log", str(log)] if log is not None else []
    with _process(command, None) as popen:
        assert popen.stdout is not None
        yield popen.pid, popen.stdout.readline().strip()


@contextmanager
def _process(
    arguments: list[str], environment: Mapping[str, str] | None
) -> Iterator[subprocess.Popen[str]]:
    popen = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with suppress(OSError):
        # Else whoever is measured would hold up those who measure it, and be blamed for less.
        os.setpriority(os.PRIO_PROCESS, popen.pid, NICE)
    try:
        yield popen
    finally:
        popen.terminate()
        try:
            popen.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            popen.kill()
            popen.communicate()
