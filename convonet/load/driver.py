"""`python -m convonet.load.driver`: calls the product that this environment names, as it is told.

Commands are JSON lines on stdin, each answered by one on stdout: `ramp` (calls in progress from
now on), `settle`, `talk`, `hush`, `take` (what became of the calls since the last `take`),
`runaway` (an extra caller every so many seconds from now on), `leave`.
A process of its own, so that what drives is not measured.
"""

from __future__ import annotations

import asyncio
import gc
import json
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from convonet.load.beat import Beat
from convonet.load.caller import STEP_SECONDS, Caller, Station
from convonet.load.lateness import Late
from convonet.load.runaways import Runaways
from convonet.load.talk import Talk

ROOT = Path(__file__).resolve().parent.parent.parent
# Questions without a pause in them, which would make two turns of one.
RECORDINGS = tuple(f"{n}-{who}" for n in ("01", "10", "17", "27") for who in ("man", "woman"))
# Calls begin this far apart: a burst is another test than a load.
RAMP_SECONDS = 0.2
SETTLE_SECONDS = 20.0
# An answer that is still to come belongs to what was measured, not to what is measured next.
HUSH_SECONDS = 45.0


class Side(Protocol):
    """What is called: how it is reached, and what it says of the calls afterwards."""

    def prepare(self, first: int, number: int) -> None:
        """Before so many calls more."""

    def station(self, number: int, beat: Beat, late: Late, taken: Late) -> Station: ...
    def runaway(self, number: int, beat: Beat) -> Station: ...
    def turns(self, since: str) -> list[dict[str, Any]]: ...
    def open_turns(self) -> int: ...
    def calls(self) -> list[dict[str, Any]]: ...
    def counted(self) -> dict[str, int]: ...


class Driver:
    def __init__(self, side: Side, every: float) -> None:
        self._side, self._every = side, every
        self.late, self.taken, self._beat = Late(), Late(), Beat()
        self.callers: list[Caller] = []
        self._runaways = Runaways(lambda number: side.runaway(number, self._beat), self._speeches)
        self._made = 0
        self._cpu = time.process_time()

    async def serve(self) -> None:
        """One command at a time, until stdin ends."""
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
        looking = asyncio.create_task(self._look())
        try:
            while line := await reader.readline():
                name, *arguments = json.loads(line)
                answer = await getattr(self, f"do_{name}")(*arguments)
                sys.stdout.write(json.dumps(answer) + "\n")
                sys.stdout.flush()
            await self.do_leave()
        finally:
            looking.cancel()

    async def _look(self) -> None:
        while True:
            for caller in self.callers:
                caller.step()
            await asyncio.sleep(STEP_SECONDS)

    async def do_ramp(self, count: int) -> int:
        """So many calls in progress; answers how many there are."""
        began = time.monotonic()
        wanted = max(0, count - len(self.callers))
        await asyncio.to_thread(self._side.prepare, self._made, wanted)
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
        for caller in self.callers:
            caller.talk.stop()
        deadline = time.monotonic() + HUSH_SECONDS
        await _until(lambda: all(caller.quiet for caller in self.callers), HUSH_SECONDS)
        open_turns = self._side.open_turns
        while await asyncio.to_thread(open_turns) and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(1)

    async def do_take(self, since: str) -> dict[str, Any]:
        told = {
            "late": self.late.told(),
            "taken": self.taken.told(),
            "cpu_seconds": time.process_time() - self._cpu,
            "calls": [caller.take() for caller in self.callers],
            "runaways": self._runaways.take(),
            "turns": await asyncio.to_thread(self._side.turns, since),
            "counted": await asyncio.to_thread(self._side.counted),
        }
        # The database is not what the callers wait for.
        self.late.clear()
        self.taken.clear()
        self._cpu = time.process_time()
        return told

    async def do_runaway(self, every: float) -> None:
        """0 ends it, and waits for those that are under way."""
        await self._runaways.every(every)

    async def do_leave(self) -> list[dict[str, Any]]:
        """Everybody hangs up; answers the rows of all calls so far."""
        await self._runaways.every(0)
        await asyncio.gather(*(caller.leave() for caller in self.callers))
        self.callers.clear()
        return await asyncio.to_thread(self._side.calls)

    def _new_caller(self) -> Caller:
        number, self._made = self._made, self._made + 1
        station = self._side.station(number, self._beat, self.late, self.taken)
        # Spread evenly whatever their number, and the same in each run.
        talk = Talk(self._every, self._every * ((number * 0.618034) % 1))
        return Caller(station, talk, self._speeches(number, station))

    def _speeches(self, number: int, station: Station) -> list[Any]:
        voices = random.Random(number).sample(RECORDINGS, len(RECORDINGS))  # noqa: S311
        return [station.speech(ROOT / "tests" / "audio" / f"{n}.wav") for n in voices]


async def _until(true: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:  # noqa: ASYNC110  # what callers see
        await asyncio.sleep(0.1)


def main() -> None:
    options = json.loads(sys.argv[1])
    side: Side
    if options["peer"]:
        from convonet.load.peer_side import PeerSide

        side = PeerSide(options["port"], Path(options["marks"]))
    else:
        import django

        django.setup()
        from convonet.load.product_side import ProductSide

        side = ProductSide(options["port"], options["browser_percent"])
    # What is loaded by now stays: looking through it for garbage would hold up all callers.
    gc.freeze()
    asyncio.run(Driver(side, options["every"]).serve())


if __name__ == "__main__":
    main()
