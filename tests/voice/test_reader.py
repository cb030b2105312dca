"""What arrives of a caller, or stops to arrive."""

from __future__ import annotations

from pathlib import Path

from convonet.recordings import read_wav
from voice.audio import BROWSER
from voice.browser_stream import BrowserWire
from voice.conversation import Conversation
from voice.ears import Deaf
from voice.options import CallOptions
from voice.reader import GONE_SECONDS, Reader
from voice.turns import Begin, HangUp, Recognise

SPEECH = read_wav(Path(__file__).resolve().parents[1] / "audio/00-woman.wav")
MESSAGE = BROWSER.bytes_of(40)


class Line:
    """A reader, its clock, and what the conversation made of what it heard."""

    def __init__(self) -> None:
        self.now, self.commands = 100.0, list[object]()
        self.talk = Conversation(BROWSER, CallOptions())
        self.reader = Reader(
            conversation=self.talk,
            wire=BrowserWire(),
            options=CallOptions(),
            ear=Deaf(),
            flush=lambda: self.commands.extend(self.talk.take()),
            notice=lambda _text: None,
            key=lambda _digit: None,
            hang_up=self._hung_up,
            clock=lambda: self.now,
        )

    def _hung_up(self, end: HangUp) -> None:
        raise AssertionError(end.reason)

    async def send(self, pcm: bytes) -> None:
        messages = [pcm[at : at + MESSAGE] for at in range(0, len(pcm), MESSAGE)]

        async def receive() -> bytes | None:
            self.now += 0.04
            return messages.pop(0) if messages else None

        await self.reader.run(receive)

    def count(self, kind: type[object]) -> int:
        return sum(isinstance(command, kind) for command in self.commands)


async def test_an_utterance_of_which_nothing_more_arrives_is_over() -> None:
    line = Line()
    await line.send(SPEECH[: BROWSER.bytes_of(1000)])
    line.reader.tick(line.now + GONE_SECONDS - 0.1)
    assert line.count(Begin) == 0
    line.reader.tick(line.now + GONE_SECONDS + 0.1)
    assert (line.count(Begin), line.count(Recognise)) == (1, 1)
    line.reader.tick(line.now + GONE_SECONDS + 10)
    assert line.count(Begin) == 1


async def test_a_silent_line_of_which_nothing_arrives_says_nothing() -> None:
    line = Line()
    await line.send(bytes(BROWSER.bytes_of(400)))
    line.reader.tick(line.now + 60)
    assert line.count(Begin) == 0


async def test_what_arrives_late_goes_on_as_speech_of_its_own() -> None:
    line = Line()
    await line.send(SPEECH[: BROWSER.bytes_of(1000)])
    line.now += GONE_SECONDS + 0.1
    line.reader.tick(line.now)
    await line.send(SPEECH + bytes(BROWSER.bytes_of(700)))
    assert line.count(Begin) == 2
