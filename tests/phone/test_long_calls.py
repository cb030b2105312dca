"""Calls of over half an hour: at their true length (`make soak`), and on a clock of their own."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from dataclasses import replace

import pytest
from redis import Redis

from convonet.far_end import wire
from convonet.far_end.line import Line
from phone.media_stream import TwilioWire
from tests.phone import in_process
from tests.phone.calling import CALL_SECONDS, a_word, conduct
from tests.phone.web import Web
from tests.phone.workers import ANSWER, ANSWER_BYTES, Workers, playing
from voice.call import CallSession
from voice.setup import CallSetup

pytestmark = pytest.mark.service

MINUTES = 31
# The web process after the call, over what it held before, in MB: allocator slack, no leak.
SLACK_MB = 4.0
# Python's own caches fill for a while; a leak of one object a frame is ninety thousand.
SLACK_OBJECTS = 2000


@pytest.mark.soak
@pytest.mark.timeout(2400)
async def test_half_an_hour_and_more_at_its_true_length(web: Web, workers: Workers) -> None:
    line = Line(keep=False)
    megabytes: list[float] = []

    async def talk(line: Line) -> None:
        """A minute, a word, and an answer to it."""
        await line.quiet(0.5, CALL_SECONDS)
        for minute in range(MINUTES):
            said = await line.say(a_word())
            assert await line.hears_after(said.ended, 300, CALL_SECONDS), f"in minute {minute}"
            megabytes.append(web.megabytes)
            assert not await line.until(lambda: False, 60)

    call = await conduct(web, line, talk, seconds=2300)
    assert call.seconds > MINUTES * 60
    assert call.streams == 1
    assert line.errors == []
    assert line.count("clear") == 0
    assert max(megabytes) - megabytes[0] < SLACK_MB
    assert web.end_of(call.sid)[1] == "hung up"
    states = web.rows(
        "select t.state, count(*) from voice_turn t join phone_phonecall p"
        " on p.call_id = t.call_id where p.sid = ? group by t.state",
        call.sid,
    )
    assert states == [("done", MINUTES)]
    assert "call broke" not in web.log


class Clock:
    """A call's clock that goes on with the audio, as fast as it is sent."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class QuickCaller:
    """Sends minutes in moments; hears what is said to it at once."""

    def __init__(self, opened: in_process.Opened) -> None:
        self.clock = Clock()
        self.script = in_process.script(opened)
        self.objects = 0
        """Alive in this process after two minutes."""
        self._answers = self._answered = 0
        self._replies = asyncio.Queue[str](maxsize=10_000)
        self._heard = asyncio.Event()
        self._messages = self._speak()

    async def send(self, message: str | bytes) -> None:
        match wire.read(message, self.script.stream_sid):
            case wire.Media(audio=audio):
                self._answered += audio.count(ANSWER)
                self._heard.set()
            case wire.Mark(name=name):
                self._replies.put_nowait(self.script.mark(name))
                self._heard.set()

    async def receive(self) -> str | None:
        if not self._replies.empty():
            return self._replies.get_nowait()
        message = next(self._messages, None)
        if message is None:
            return None
        if not message:
            # What was said is answered in real time, and the call's clock waits.
            await asyncio.wait_for(self._answer(), CALL_SECONDS)
            return self._replies.get_nowait()
        return message

    async def _answer(self) -> None:
        """Until one more reply has been heard whole, each piece of which has its mark."""
        self._answers += ANSWER_BYTES
        while self._answered < self._answers or self._replies.empty():
            self._heard.clear()
            await self._heard.wait()

    def _speak(self) -> Iterator[str]:
        word = a_word().audio.ljust(1400 * 8, wire.SILENCE)
        at_ms = 0
        for minute in range(MINUTES):
            audio = wire.SILENCE * (60_000 - 1400) * 8 + word
            for start in range(0, len(audio), wire.FRAME_BYTES):
                self.clock.now += wire.FRAME_MS / 1000
                yield self.script.media(audio[start : start + wire.FRAME_BYTES], at_ms)
                at_ms += wire.FRAME_MS
            yield ""
            if minute == 1:
                self.objects = len(gc.get_objects())
        yield self.script.stop()


@pytest.mark.django_db(transaction=True)
async def test_half_an_hour_and_more_is_one_call(broker: str, redis: Redis) -> None:
    async with in_process.serving(broker) as services, playing(broker, in_process.Rows()):
        opened = await in_process.open_call()
        caller = QuickCaller(opened)
        setup = CallSetup(
            id=opened.call_id,
            row_exists=True,
            user_id=(await in_process.call_row(opened.call_id)).user_id,
            channel="phone",
            wire=TwilioWire(caller.script.stream_sid),
            screen=False,
        )
        around = replace(services.around(setup.wire.format), clock=caller.clock)
        end = await CallSession(setup, around, caller.send).run(caller.receive)
    assert end.reason == "hung up"
    row = await in_process.call_row(opened.call_id)
    assert row.audio_in_ms == MINUTES * 60_000
    assert row.dropped_chunks == 0
    turns = await in_process.turn_rows(opened.call_id)
    assert [turn.state for turn in turns] == ["done"] * MINUTES
    assert len(gc.get_objects()) - caller.objects < SLACK_OBJECTS
