"""What arrives of a caller, or stops to arrive."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

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
        self.ends: list[int] = []
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
        self.ends.append(end.code)

    async def send(self, pcm: bytes) -> None:
        messages = [pcm[at : at + MESSAGE] for at in range(0, len(pcm), MESSAGE)]

        async def receive() -> bytes | None:
            self.now += 0.04
            return messages.pop(0) if messages else None

        await self.reader.run(receive)
        assert self.ends == []

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


class Handing:
    """A socket that hands its messages over."""

    def __init__(self, willing: bool = True) -> None:
        self._willing = willing
        self.take: Callable[[str | bytes | None], None] = lambda _message: None
        self.asked = 0

    async def __call__(self) -> None:
        self.asked += 1

    def hand_to(self, take: Callable[[str | bytes | None], None]) -> bool:
        self.take = take
        return self._willing


async def reading(line: Line, socket: Handing) -> asyncio.Task[None]:
    running = asyncio.create_task(line.reader.run(socket))
    await asyncio.sleep(0)
    return running


async def test_audio_that_is_handed_over_is_heard_before_the_handing_is_over() -> None:
    line, socket = Line(), Handing()
    running = await reading(line, socket)
    audio = SPEECH[: BROWSER.bytes_of(2000)] + bytes(BROWSER.bytes_of(700))
    for at in range(0, len(audio), MESSAGE):
        line.now += 0.04
        socket.take(audio[at : at + MESSAGE].ljust(MESSAGE, b"\0"))
    assert line.count(Begin) == 1
    assert not running.done()
    socket.take(None)
    await asyncio.wait_for(running, 60)
    assert (line.ends, socket.asked) == ([], 0)


async def test_what_breaks_the_protocol_ends_the_call_and_the_rest_is_not_heard() -> None:
    line, socket = Line(), Handing()
    running = await reading(line, socket)
    for message in (b"odd", b"odd", "{}", None):
        socket.take(message)
    await asyncio.wait_for(running, 60)
    assert line.ends == [4400]


async def test_a_fault_of_ours_ends_the_reading_and_not_the_servers() -> None:
    line, socket = Line(), Handing()
    running = await reading(line, socket)
    line.reader.audio = None  # type: ignore[assignment]
    socket.take(bytes(MESSAGE))
    with pytest.raises(AttributeError):
        await asyncio.wait_for(running, 60)


async def test_a_socket_that_cannot_hand_over_is_asked() -> None:
    line, socket = Line(), Handing(willing=False)
    await asyncio.wait_for(line.reader.run(socket), 60)
    assert socket.asked == 1
