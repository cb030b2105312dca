"""A phone caller's end for the driver: the far end's call, with the driver's own stream in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from convonet.far_end import names, sound, wire
from convonet.far_end.line import Lateness, Line, Speech
from convonet.far_end.phone_call import Dialog, PhoneCall
from convonet.far_end.socket import NotOpened
from convonet.far_end.twiml import Verb
from convonet.far_end.webhooks import Webhooks
from convonet.load.beat import Beat
from convonet.load.hearing import Hearing
from convonet.load.stream import Said, Stream, fields_of


class PhoneStation:
    kind = "phone"

    def __init__(
        self, webhooks: Webhooks, dialog: Dialog, beat: Beat, late: Lateness, taken: Lateness
    ) -> None:
        self._line = Line(keep=False)
        self._call = _Call(self._line, webhooks, dialog, self._stream_of)
        self._beat, self._late, self._taken = beat, late, taken
        self._stream: Stream | None = None
        self._said: Said | None = None
        self.hearing = Hearing()
        self.streams = 0

    @property
    def key(self) -> str:
        """By which its rows are found."""
        return self._call.sid

    @property
    def up(self) -> bool:
        return self._stream is not None and self._line.doing == "stream"

    @property
    def faults(self) -> list[str]:
        streams = self._stream.faults if self._stream is not None else []
        return [*self._line.errors, *self._line.told, *streams]

    @staticmethod
    def speech(recording: Path) -> Speech:
        return sound.speech_of(recording)

    async def run(self) -> None:
        """Until either side hangs up."""
        await self._call.run(_hold)

    def say(self, speech: Speech) -> None:
        if self._stream is not None:
            self._said = self._stream.say(speech)

    @property
    def ended(self) -> float | None:
        """When the last sound of what was said is made, once that is known."""
        return self._said.ended if self._said is not None else None

    def hang_up(self) -> None:
        self._line.hang_up()

    def _stream_of(self) -> Stream:
        self.streams += 1
        self._stream = Stream(self._beat, self._late, self._taken, self.hearing.heard)
        self._stream.on_clear = self.hearing.clear
        return self._stream


class _Call(PhoneCall):
    """Carries each stream by one that `make` makes."""

    def __init__(
        self, line: Line, webhooks: Webhooks, dialog: Dialog, make: Callable[[], Stream]
    ) -> None:
        super().__init__(line, webhooks, dialog)
        self._make = make

    async def _stream(self, noun: Verb) -> None:
        stream, sid = self._make(), names.sid("MZ")
        script = wire.Script(sid, self.sid, self._webhooks.account.sid)
        self.line.do("stream")
        url, headers = self._webhooks.socket(noun.attributes.get("url", ""))
        try:
            await stream.run(url, headers, script, fields_of(noun))
        except NotOpened as error:
            self.line.error(f"stream: 31920, {error}")


async def _hold(line: Line) -> None:
    """A person whom somebody else has in hand."""
    await line.hung_up.wait()
