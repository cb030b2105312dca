"""One caller: a station, and somebody who talks into it by the clock."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from convonet.far_end.line import Speech
from convonet.load.hearing import Hearing
from convonet.load.talk import Talk

# All callers are looked after so often, by one timer.
STEP_SECONDS = 0.05


class Station(Protocol):
    """Either channel's end of a call."""

    kind: str
    hearing: Hearing

    @property
    def key(self) -> str: ...
    @property
    def up(self) -> bool: ...
    @property
    def streams(self) -> int: ...
    @property
    def ended(self) -> float | None: ...
    @property
    def faults(self) -> list[str]: ...
    def speech(self, recording: Path) -> Speech: ...
    async def run(self) -> None: ...
    def say(self, speech: Speech) -> None: ...
    def hang_up(self) -> None: ...


class Caller:
    """`dropped` counts ends that the caller did not want, and streams that broke."""

    def __init__(self, station: Station, talk: Talk, speeches: Sequence[Speech]) -> None:
        self.station, self.talk, self._speeches = station, talk, speeches
        self._spoken = 0
        self._asked = False
        self._leaving = False
        self._was_up = False
        self._streams = 1
        self.dropped = 0
        self._faults: list[str] = []
        self._task: asyncio.Task[None] | None = None

    @property
    def settled(self) -> bool:
        """Has been greeted and hears nothing, or is not in a call."""
        if self._task is None or self._task.done():
            return True
        # A browser's caller begins; on the phone the product does.
        greeted = self.station.kind == "browser" or self.station.hearing.reply is not None
        return self.station.up and greeted

    @property
    def quiet(self) -> bool:
        return self.station.hearing.quiet_since(time.monotonic()) > 1 and not self.talk.waiting

    def call(self) -> None:
        self._task = asyncio.create_task(self._live())

    async def leave(self) -> None:
        self._leaving = True
        self.station.hang_up()
        if self._task is not None:
            await asyncio.wait({self._task})

    async def _live(self) -> None:
        try:
            await self.station.run()
        except Exception as error:  # of one caller; the others go on
            self._faults.append(repr(error))
        self.step()
        if not self._leaving:
            self.dropped += 1

    def step(self) -> None:
        """Look what has come, and say something if it is time to."""
        station, now = self.station, time.monotonic()
        if station.streams > self._streams:
            # The same call on a new stream: the one before broke.
            self.dropped += station.streams - self._streams
            self._streams = station.streams
        if self._asked and station.ended is not None:
            self.talk.spoken(station.ended)
            self._asked = False
        if station.up and not self._asked and self.talk.tick(now, station.hearing):
            station.hearing.said += 1
            station.say(self._speeches[self._spoken % len(self._speeches)])
            self._spoken, self._asked = self._spoken + 1, True

    def take(self) -> dict[str, Any]:
        """What became of it since the last look."""
        told, heard = self.talk.take(), self.station.hearing.take()
        dropped, self.dropped = self.dropped, 0
        return {
            "key": self.station.key,
            "kind": self.station.kind,
            "up": self.station.up,
            "dropped": dropped,
            "faults": [*self._faults, *self.station.faults][:5],
            "said": told.said,
            "held": told.held,
            "unanswered": told.unanswered,
            "spoken": told.spoken,
            "answers": [
                [ended, reply.turn, reply.first_at, reply.answered_at]
                for ended, reply in told.answers
            ],
            "frames": heard.frames,
            "gaps": [[gap.turn, gap.at, gap.frames] for gap in heard.gaps],
            "lost_ms": heard.lost_ms,
            "doubled_ms": heard.doubled_ms,
        }
