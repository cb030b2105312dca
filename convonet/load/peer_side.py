"""A peer as the driver calls it: a media stream to its one address, as Twilio would open it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from convonet.far_end import names, sound, wire
from convonet.far_end.line import Lateness, Speech
from convonet.far_end.socket import NotOpened
from convonet.load.beat import Beat
from convonet.load.hearing import Hearing
from convonet.load.lateness import Late
from convonet.load.stream import Said, Stream
from convonet.overhead.legs import read


class PeerStation:
    kind = "phone"

    def __init__(self, url: str, beat: Beat, late: Lateness, taken: Lateness) -> None:
        self.key, self._url = names.sid("CA"), url
        self.hearing = Hearing()
        self._stream = Stream(beat, late, taken, self.hearing.heard)
        self._stream.marked = False
        self._said: Said | None = None
        self.up = False
        self.streams = 1
        self._faults: list[str] = []

    @property
    def faults(self) -> list[str]:
        return [*self._faults, *self._stream.faults]

    @staticmethod
    def speech(recording: Path) -> Speech:
        return sound.speech_of(recording)

    async def run(self) -> None:
        script = wire.Script(names.sid("MZ"), self.key, names.ACCOUNT)
        self.up = True
        try:
            await self._stream.run(self._url, {}, script, {})
        except NotOpened as error:
            self._faults.append(str(error))
        finally:
            self.up = False

    def say(self, speech: Speech) -> None:
        self._said = self._stream.say(speech)

    @property
    def ended(self) -> float | None:
        return self._said.ended if self._said is not None else None

    def hang_up(self) -> None:
        self._stream.hang_up()


class PeerSide:
    """`marks`: where the peer notes when it took a caller to be done."""

    def __init__(self, port: int, marks: Path) -> None:
        self._url, self._marks = f"ws://127.0.0.1:{port}/ws", marks

    def prepare(self, first: int, number: int) -> None:
        """A peer knows nobody."""

    def station(self, number: int, beat: Beat, late: Late, taken: Late) -> PeerStation:
        return PeerStation(self._url, beat, late, taken)

    def runaway(self, number: int, beat: Beat) -> PeerStation:
        raise NotImplementedError("peers are measured without tools")

    def turns(self, since: str) -> list[dict[str, Any]]:
        """All so far; `figures` takes those of its stage."""
        ways = read(self._marks.read_text().splitlines())
        return [
            {
                **{"id": turn, "key": turn.partition(":")[0], "state": "done", "error": ""},
                **{"attempts": 1, "tools": 0, "token": turn.partition(":")[0]},
            }
            for turn in ways
        ]

    def open_turns(self) -> int:
        return 0

    def calls(self) -> list[dict[str, Any]]:
        return []

    def counted(self) -> dict[str, int]:
        return {}
