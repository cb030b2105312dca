"""A phone caller's end for the driver: a line of the far end, and figures of what came over it."""

from __future__ import annotations

from pathlib import Path

from convonet.far_end import sound
from convonet.far_end.line import Lateness, Line, Speech, Spoken
from convonet.far_end.phone_call import Dialog, PhoneCall
from convonet.far_end.webhooks import Webhooks
from convonet.load.hearing import Hearing
from voice.audio import PHONE


class PhoneStation:
    kind = "phone"

    def __init__(self, webhooks: Webhooks, dialog: Dialog, late: Lateness) -> None:
        self._line = Line(keep=False)
        self._line.late = late
        self._call = PhoneCall(self._line, webhooks, dialog)
        self._media = 0
        self._said: Spoken | None = None
        self.hearing = Hearing()

    @property
    def key(self) -> str:
        """By which its rows are found."""
        return self._call.sid

    @property
    def up(self) -> bool:
        return self._call.stream is not None and self._line.doing == "stream"

    @property
    def streams(self) -> int:
        return self._call.streams

    @property
    def faults(self) -> list[str]:
        return [*self._line.errors, *self._line.told]

    @staticmethod
    def speech(recording: Path) -> Speech:
        return sound.speech_of(recording)

    async def run(self) -> None:
        """Until either side hangs up."""
        await self._call.run(_hold)

    def say(self, speech: Speech) -> None:
        self._said = self._line.start_saying(speech)

    @property
    def ended(self) -> float | None:
        """When the last sound of what was said is made, once that is known."""
        return self._said.ended if self._said is not None and self._said.began else None

    def look(self) -> None:
        """Put what has come into figures."""
        arrivals = self._line.arrivals
        while arrivals:
            arrival = arrivals.popleft()
            if arrival.kind == "media":
                self._media = arrival.size
            elif arrival.kind == "clear":
                self.hearing.clear(arrival.at)
            elif self._media:
                # Each media is followed by a mark that says whose it is and where it ends.
                turn, _, until_ms = arrival.name.split(":")
                ms = PHONE.ms_of(self._media)
                self.hearing.piece(turn, int(until_ms) - ms, ms, arrival.at)
                self._media = 0

    def hang_up(self) -> None:
        self._line.hang_up()


async def _hold(line: Line) -> None:
    """A person whom somebody else has in hand."""
    await line.hung_up.wait()
