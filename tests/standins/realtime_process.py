"""The Realtime stand-in as a process of a test run, and what it says of its sockets."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from typing import Any

from tests.stack import ROOT, wait_until
from tests.standins import realtime
from tests.standins.realtime_script import Visit


class RealtimeStandIn:
    def __init__(self) -> None:
        self._popen = subprocess.Popen(
            [sys.executable, "-m", "tests.standins.realtime"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._popen.stdout is not None
        self.url = self._popen.stdout.readline().strip()
        self._desk = self._popen.stdout.readline().strip()
        assert self._desk, "the Realtime stand-in did not start"

    @property
    def env(self) -> dict[str, str]:
        return realtime.environment(self.url)

    @property
    def visits(self) -> list[Visit]:
        """One for each socket, oldest first."""
        return [Visit.of(told) for told in self._control("GET")["visits"]]

    @property
    def refused(self) -> dict[str, int]:
        """How many handshakes were refused, by status."""
        refused: dict[str, int] = self._control("GET")["refused"]
        return refused

    def wait_for(self, seen: Callable[[list[Visit]], Any], what: str, seconds: float = 60) -> Any:
        """The first true value of `seen`."""
        found: list[Any] = []

        def holds() -> bool:
            found[:] = [seen(self.visits)]
            return bool(found[0])

        wait_until(holds, seconds, what)
        return found[0]

    def configure(self, **values: Any) -> None:
        """See `tests.standins.realtime_script.Desk`."""
        self._control("POST", json.dumps(values).encode())

    def cut(self) -> None:
        """Close each open socket without a word."""
        self._control("POST", b'{"do": "cut"}')

    def expire(self) -> None:
        """End each open session for having lasted too long."""
        self._control("POST", b'{"do": "expire"}')

    def reset(self) -> None:
        self._control("DELETE")

    def stop(self) -> None:
        self._popen.kill()
        self._popen.communicate()

    def _control(self, method: str, body: bytes | None = None) -> dict[str, Any]:
        request = urllib.request.Request(self._desk, body, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            told: dict[str, Any] = json.load(answer)
        return told
