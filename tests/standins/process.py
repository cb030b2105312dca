"""The language stand-ins as a process of a test run, and what they say they were asked."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from dataclasses import fields
from typing import Any

from tests.stack import ROOT, wait_until
from tests.standins.script import Visit
from tests.standins.server import environment


class StandIns:
    def __init__(self) -> None:
        self._popen = subprocess.Popen(
            [sys.executable, "-m", "tests.standins"], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert self._popen.stdout is not None
        self.url = self._popen.stdout.readline().strip()
        assert self.url, "the stand-ins did not start"

    @property
    def env(self) -> dict[str, str]:
        return environment(self.url)

    @property
    def visits(self) -> list[Visit]:
        return [Visit(**{f.name: visit[f.name] for f in fields(Visit)}) for visit in self._told()]

    def wait_for(self, outcome: str, *, sent: int = 0, seconds: float = 60) -> Visit:
        """The first visit with that outcome (`open` while it is answered) and so many pieces."""

        def found() -> list[Visit]:
            return [v for v in self.visits if v.outcome == outcome and v.sent >= sent]

        wait_until(lambda: bool(found()), seconds, f"a visit with outcome {outcome}")
        return found()[0]

    def configure(self, **values: Any) -> None:
        """`default`, `scripts`, `delay`: see `tests.standins.script.Desk`."""
        self._control("POST", json.dumps(values).encode())

    def reset(self) -> None:
        self._control("DELETE")

    def stop(self) -> None:
        self._popen.kill()
        self._popen.communicate()

    def _told(self) -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = self._control("GET")["visits"]
        return told

    def _control(self, method: str, body: bytes | None = None) -> dict[str, Any]:
        request = urllib.request.Request(f"{self.url}/control", body, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            told: dict[str, Any] = json.load(answer)
        return told
