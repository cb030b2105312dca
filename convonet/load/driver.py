"""`python -m convonet.load.driver`: calls the product that this environment names, as it is told.

Commands are JSON lines on stdin, each answered by one on stdout: `ramp` (calls in progress from
now on), `settle`, `talk`, `hush`, `take` (what became of the calls since the last `take`), `leave`.
A process of its own, so that what drives is not measured.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import django

from convonet.far_end import names
from convonet.load import plan
from convonet.load.lateness import Late

ROOT = Path(__file__).resolve().parent.parent.parent
# Questions without a pause in them, which would make two turns of one.
RECORDINGS = tuple(f"{n}-{who}" for n in ("01", "10", "17", "27") for who in ("man", "woman"))
# Calls begin this far apart: a burst is another test than a load.
RAMP_SECONDS = 0.2
SETTLE_SECONDS = 20.0
HUSH_SECONDS = 15.0


class Driver:
    def __init__(self, options: dict[str, Any]) -> None:
        from convonet.far_end.phone_call import Dialog
        from convonet.far_end.webhooks import Account, Route, Webhooks
        from convonet.load.caller import Caller

        self._options = options
        self._port = options["port"]
        self.late = Late()
        self.callers: list[Caller] = []
        route = Route(plan.PUBLIC_URL, f"http://127.0.0.1:{self._port}")
        self._webhooks = Webhooks(Account(names.ACCOUNT, names.AUTH_TOKEN), route)
        self._dialog: Callable[..., Dialog] = Dialog
        self._caller = Caller
        self._users: dict[str, int] = {}
        self._made = 0
        self._cpu = time.process_time()

    async def serve(self) -> None:
        """One command at a time, until stdin ends."""
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
        while line := await reader.readline():
            name, *arguments = json.loads(line)
            answer = await getattr(self, f"do_{name}")(*arguments)
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()
        await self.do_leave()

    async def do_ramp(self, count: int) -> int:
        """So many calls in progress; answers how many came up."""
        began = time.monotonic()
        wanted = max(0, count - len(self.callers))
        await self._make_users(wanted)
        for number in range(wanted):
            self.callers.append(self._new_caller())
            self.callers[-1].call()
            due = began + (number + 1) * RAMP_SECONDS
            await asyncio.sleep(max(0.0, due - time.monotonic()))
        return len(self.callers)

    async def do_settle(self) -> int:
        """Until everybody was greeted and it is quiet; answers how many calls are up."""
        await _until(lambda: all(c.settled and c.quiet for c in self.callers), SETTLE_SECONDS)
        return sum(caller.station.up for caller in self.callers)

    async def do_talk(self) -> None:
        now = time.monotonic()
        for caller in self.callers:
            caller.talk.begin(now)

    async def do_hush(self) -> None:
        """Nobody says anything more; returns when the answers were heard, or should have been."""
        from convonet.load import rows

        for caller in self.callers:
            caller.talk.stop()
        await _until(lambda: all(caller.quiet for caller in self.callers), HUSH_SECONDS)
        for _ in range(int(HUSH_SECONDS)):
            if not await asyncio.to_thread(lambda: rows.open_turns()):
                break
            await asyncio.sleep(1)

    async def do_take(self, since: str) -> dict[str, Any]:
        from convonet.load import rows

        told = {
            "late": self.late.told(),
            "cpu_seconds": time.process_time() - self._cpu,
            "calls": [caller.take() for caller in self.callers],
            "turns": await asyncio.to_thread(rows.turns, datetime.fromisoformat(since)),
        }
        # The database is not what the callers wait for.
        self.late.clear()
        self._cpu = time.process_time()
        return told

    async def do_leave(self) -> list[dict[str, Any]]:
        """Everybody hangs up; answers the rows of all calls so far."""
        from convonet.load import rows

        await asyncio.gather(*(caller.leave() for caller in self.callers))
        self.callers.clear()
        return await asyncio.to_thread(rows.calls)

    async def _make_users(self, wanted: int) -> None:
        from convonet.load import rows

        numbers = range(self._made, self._made + wanted)
        percent = self._options["browser_percent"]
        browsers = [f"bench-{n}" for n in numbers if plan.is_browser(n, percent)]
        self._users |= await asyncio.to_thread(rows.prepare, browsers)

    def _new_caller(self) -> Any:
        from convonet.load.browser_station import BrowserStation
        from convonet.load.phone_station import PhoneStation
        from convonet.load.talk import Talk

        number, self._made = self._made, self._made + 1
        name = f"bench-{number}"
        station: Any
        if name in self._users:
            user = self._users[name]
            station = BrowserStation(name, lambda: self._browser_url(user), self.late)
        else:
            base = plan.PUBLIC_URL
            # A number of its own for each: what is counted by number is not theirs together.
            dialog = self._dialog(
                voice_url=f"{base}/twilio/voice",
                status_url=f"{base}/twilio/status",
                caller=f"+1500555{1000 + number}",
            )
            station = PhoneStation(self._webhooks, dialog, self.late)
        every = self._options["every"]
        # Spread evenly whatever their number, and the same in each run.
        talk = Talk(every, every * ((number * 0.618034) % 1))
        voices = random.Random(number).sample(RECORDINGS, len(RECORDINGS))  # noqa: S311
        speeches = [station.speech(ROOT / "tests" / "audio" / f"{n}.wav") for n in voices]
        return self._caller(station, talk, speeches)

    def _browser_url(self, user: int) -> str:
        from voice import tickets

        return f"ws://127.0.0.1:{self._port}/ws/call?ticket={tickets.issue(user)}"


async def _until(true: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:  # noqa: ASYNC110  # what callers see
        await asyncio.sleep(0.1)


def main() -> None:
    django.setup()
    asyncio.run(Driver(json.loads(sys.argv[1])).serve())


if __name__ == "__main__":
    main()
