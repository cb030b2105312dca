"""Extra callers, one after the other, each of whom says something that makes a tool run away."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

from convonet.load.caller import Station
from convonet.load.plan import MOST_RUNAWAYS

GREETED_SECONDS = 10.0
ANSWER_SECONDS = 40.0
LOOK_SECONDS = 0.1


class Runaways:
    """`make` makes the station of the nth; `speeches` what it may say."""

    def __init__(
        self,
        make: Callable[[int], Station],
        speeches: Callable[[int, Station], Sequence[Any]],
    ) -> None:
        self._make, self._speeches = make, speeches
        self._made = 0
        self._placing: asyncio.Task[None] | None = None
        self._calls: set[asyncio.Task[None]] = set()
        self._told: list[dict[str, Any]] = []

    async def every(self, seconds: float) -> None:
        if self._placing is not None:
            self._placing.cancel()
            self._placing = None
        if seconds:
            self._placing = asyncio.create_task(self._place(seconds))
        elif self._calls:
            await asyncio.wait(self._calls)

    async def _place(self, seconds: float) -> None:
        due = time.monotonic() + seconds / 2
        while True:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            due += seconds
            if len(self._calls) < MOST_RUNAWAYS:
                call = asyncio.create_task(self._call(self._made))
                self._made += 1
                self._calls.add(call)
                call.add_done_callback(self._calls.discard)

    async def _call(self, number: int) -> None:
        station = self._make(number)
        speech = self._speeches(number, station)[0]
        told: dict[str, Any] = {"number": number, "key": station.key}
        up = asyncio.create_task(station.run())
        try:
            # The greeting is heard out, so that it is not talked over.
            told["up"] = await _until(lambda: station.hearing.quiet_since(_now()) < 1e9, up)
            await _until(lambda: station.hearing.quiet_since(_now()) > 0.5, up)
            if not up.done():
                told["began"] = _now()
                station.say(speech)
                await _until(lambda: _answered(station), up, ANSWER_SECONDS)
                told["ended"], told["answered"] = _now(), _answered(station)
        finally:
            self._told.append(told)
            station.hang_up()
            await asyncio.wait({up}, timeout=GREETED_SECONDS)

    def take(self) -> list[dict[str, Any]]:
        """Those that ended since the last look."""
        told, self._told = self._told, []
        return told


def _answered(station: Station) -> bool:
    reply = station.hearing.reply
    ended = station.ended
    return ended is not None and reply is not None and (reply.answered_at or 0.0) > ended


async def _until(
    true: Callable[[], bool], call: asyncio.Task[None], seconds: float = GREETED_SECONDS
) -> bool:
    deadline = _now() + seconds
    while not true() and not call.done() and _now() < deadline:  # noqa: ASYNC110  # what is heard
        await asyncio.sleep(LOOK_SECONDS)
    return true()


def _now() -> float:
    return time.monotonic()
