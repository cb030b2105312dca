"""The stand-in of Twilio's REST API as a process of a test run, and what it says of its calls.

`python -m tests.standins.twilio_process` prints its address and the variables that make the
product ask it; GET /control tells, POST configures, DELETE begins anew.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from convonet.far_end import names
from tests.stack import ROOT, wait_until


def environment(url: str) -> dict[str, str]:
    return {
        "TWILIO_ACCOUNT_SID": names.ACCOUNT,
        "TWILIO_AUTH_TOKEN": names.AUTH_TOKEN,
        "TWILIO_NUMBER": names.CALLED,
        "TWILIO_API_URL": url,
    }


class TwilioProcess:
    """As `tests.standins.process.StandIns`, for the telephone."""

    def __init__(self) -> None:
        self._popen = subprocess.Popen(
            [sys.executable, "-m", "tests.standins.twilio_process"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._popen.stdout is not None
        self.url = self._popen.stdout.readline().strip()
        assert self.url, "the stand-in did not start"

    @property
    def env(self) -> dict[str, str]:
        return environment(self.url)

    @property
    def calls(self) -> list[dict[str, Any]]:
        """See `tests.standins.twilio_calls.PlacedCall.told`."""
        told: list[dict[str, Any]] = self._control("GET")["calls"]
        return told

    @property
    def asked(self) -> list[dict[str, Any]]:
        """Every request: method, path, parameters."""
        told: list[dict[str, Any]] = self._control("GET")["asked"]
        return told

    @property
    def number(self) -> dict[str, Any]:
        """The account's number as it is configured now."""
        told: dict[str, Any] = self._control("GET")["number"]
        return told

    def wait_for_call(
        self, true: Callable[[dict[str, Any]], bool], what: str, seconds: float = 60
    ) -> dict[str, Any]:
        """The first call of which that is true."""

        def found() -> list[dict[str, Any]]:
            return [call for call in self.calls if true(call)]

        wait_until(lambda: bool(found()), seconds, what)
        return found()[0]

    def configure(self, **values: Any) -> None:
        """`callees`: by number or `*`, the fields of `far_end.outbound.Callee` and `steps` (see
        `far_end.script`); `people`: whom `<Dial>` reaches; `route`: [public URL, local URL];
        `pace`; `fails`: one of `twilio_rest.FAILURES`."""
        self._control("POST", json.dumps(values).encode())

    def reset(self) -> None:
        """Calls are ended, and everything is as it was at the start."""
        self._control("DELETE")

    def stop(self) -> None:
        self._popen.kill()
        self._popen.communicate()

    def _control(self, method: str, body: bytes | None = None) -> dict[str, Any]:
        request = urllib.request.Request(f"{self.url}/control", body, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            told: dict[str, Any] = json.load(answer)
        return told


async def _run() -> None:
    from tests.standins.twilio_rest import start

    _, listening, url = await start()
    lines = [url, *(f"export {name}={value}" for name, value in environment(url).items())]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
    async with listening:
        await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(_run())
