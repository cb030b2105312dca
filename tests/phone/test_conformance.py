"""Streams as the published protocol has them, and as it does not: nothing breaks, nothing leaks."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import pytest
from asgiref.sync import sync_to_async
from redis import Redis

from convonet.far_end import names, wire
from convonet.far_end.line import Line
from convonet.far_end.media_stream import Gap, MediaStream
from convonet.far_end.phone_call import PhoneCall
from convonet.far_end.webhooks import Webhooks
from phone import calls, sockets
from tests.phone import in_process
from tests.phone.calling import CALL_SECONDS, a_word, conduct, dialog, number, open_known
from tests.phone.in_process import LocalSocket, Opened
from tests.phone.misbehaviour import CASES, Case, Message
from tests.phone.web import Web
from tests.phone.workers import ANSWER, MS, Spoken, Workers, playing
from tests.stack import wait_until
from voice import admission, keys
from voice.options import PlayoutOptions
from voice.wiring import Services

pytestmark = pytest.mark.service
in_rows = pytest.mark.django_db(transaction=True)

LONG = [Spoken("A long answer.", ANSWER * 20_000 * MS)]


# What a process holds for its calls ---------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Held:
    calls: int
    carried: int
    unproven: int
    streams: frozenset[str]
    tickers: int
    watchers: int
    tasks: Counter[str]

    @classmethod
    def by(cls, services: Services) -> Held:
        hub = services.hub
        names = Counter(
            getattr(task.get_coro(), "__qualname__", "") for task in asyncio.all_tasks()
        )
        # Ends by itself, up to five seconds after the last call.
        del names["Switchboard._renew"]
        return cls(
            admission.calls_in_progress(),
            len(sockets._carried),
            len(sockets._unproven),
            frozenset(hub._receivers) | frozenset(hub._reading.positions()) | frozenset(hub._once),
            len(hub._tickers),
            len(hub._watchers),
            names,
        )


async def returns_to(before: Held, services: Services) -> None:
    """Within moments, as what is held is let go by several."""
    await shortly(lambda: Held.by(services) == before, lambda: f"{Held.by(services)} != {before}")


async def shortly(true: Callable[[], bool], what: Callable[[], str]) -> None:
    """Until it is true, of things that tell nobody."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + CALL_SECONDS
    while not true():
        assert loop.time() < deadline, what()
        await asyncio.sleep(0.01)


@pytest.fixture
async def services(broker: str, redis: Redis) -> AsyncIterator[Services]:
    """Of a process that has had a call already, so that what is made once has been made."""
    # What is sent here within a moment would take a telephone seconds.
    unhurried = {"messages_per_second": 1000, "playout": PlayoutOptions(stalled_seconds=1.0)}
    async with (
        in_process.serving(broker, **unhurried) as joined,
        playing(broker, in_process.Rows()) as workers,
    ):
        await well_behaved(await in_process.open_call())
        (fillers,) = joined.fillers.values()
        await shortly(lambda: fillers.pick(0) is not None, lambda: "no fillers")
        # What tidies up after them would end during a test, and be missed.
        await shortly(
            lambda: "Fillers._load" not in Held.by(joined).tasks, lambda: "fillers still load"
        )
        workers.answers = lambda turn_id: LONG
        yield joined


# Calls --------------------------------------------------------------------------------------
async def well_behaved(opened: Opened) -> None:
    """A call that is greeted, and hangs up."""
    line = Line()
    carrying = asyncio.create_task(in_process.carry(line, opened))
    assert await line.until(lambda: line.count("media") > 0, CALL_SECONDS), line.errors
    line.hang_up()
    assert await carrying == 1000
    assert line.errors == []
    await told_of_its_end(opened)


async def misbehaved(opened: Opened, case: Case, *, stops: bool) -> int:
    """The close code of a stream that did what the case says."""
    script = in_process.script(opened)
    socket = LocalSocket(lambda message: None, lambda: None)
    messages: list[Message] = [wire.CONNECTED, *case.before(script)]
    messages += [script.start({"token": opened.token}), *case.after(script)]
    for message in messages:
        socket.send(message)
    if stops:
        socket.send(script.stop())
    socket.drop()
    code = await socket.over()
    await told_of_its_end(opened)
    return code


@sync_to_async
def told_of_its_end(opened: Opened) -> None:
    """Twilio's status callback."""
    calls.told_status({"CallSid": opened.sid, "CallStatus": "completed", "CallDuration": "3"})


def close_code(case: Case) -> int:
    if not case.refused:
        return 1000
    return 4400 if case.name == "another sound format" else 4401


@in_rows
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
async def test_a_stream_that_breaks_the_protocol_breaks_and_keeps_nothing(
    services: Services, redis: Redis, case: Case, caplog: pytest.LogCaptureFixture
) -> None:
    before = Held.by(services)
    for stops in (True, False):
        opened = await in_process.open_call()
        assert await misbehaved(opened, case, stops=stops) == close_code(case)
        await returns_to(before, services)
        row = await in_process.call_row(opened.call_id)
        assert row.ended_at is not None
        assert row.end_reason == ("hung up" if stops and not case.refused else "completed")
    opened = await in_process.open_call()
    await well_behaved(opened)
    await returns_to(before, services)
    assert [key for key in redis.scan_iter() if redis.ttl(key) == -1] == []
    # What was told to a call that was hung up goes with it, and does not wait for its lifetime.
    stream = keys.call_stream(opened.call_id)
    await shortly(lambda: not redis.exists(stream), lambda: "what it was told is left")
    assert errors(caplog) == []


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if record.levelno >= logging.ERROR]


class Replied:
    """A stream whose caller has said a word at once, and hears the answer."""

    def __init__(self, opened: Opened, *, marks: bool = True) -> None:
        self.script, self._marks = in_process.script(opened), marks
        self.heard = asyncio.Event()
        self.socket = LocalSocket(self._hear, lambda: None)
        self.socket.send(wire.CONNECTED)
        self.socket.send(self.script.start({"token": opened.token}))
        audio = a_word().audio.ljust(1400 * MS, wire.SILENCE)
        for at in range(0, len(audio), wire.FRAME_BYTES):
            self.socket.send(self.script.media(audio[at : at + wire.FRAME_BYTES], at // MS))

    def _hear(self, message: str | bytes) -> None:
        match wire.read(message, self.script.stream_sid):
            case wire.Media(audio=audio) if ANSWER in audio:
                self.heard.set()
            case wire.Mark(name=name) if self._marks:
                self.socket.send(self.script.mark(name))


@in_rows
@pytest.mark.parametrize(
    ("ending", "reason"),
    [("stop", "hung up"), ("close", "completed"), ("drop", "completed")],
)
async def test_a_stream_that_ends_in_mid_reply_leaves_a_turn_that_was_interrupted(
    services: Services, ending: str, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    before = Held.by(services)
    opened = await in_process.open_call()
    stream = Replied(opened)
    await asyncio.wait_for(stream.heard.wait(), CALL_SECONDS)
    if ending == "stop":
        stream.socket.send(stream.script.stop())
    elif ending == "close":
        stream.socket.close()
    else:
        stream.socket.drop()
    assert await stream.socket.over() == 1000
    await told_of_its_end(opened)
    await returns_to(before, services)
    assert (await in_process.call_row(opened.call_id)).end_reason == reason
    (turn,) = await in_process.turn_rows(opened.call_id)
    assert turn.state == "interrupted"
    assert LONG[0].text.startswith(turn.heard)
    assert errors(caplog) == []


@in_rows
async def test_a_telephone_that_returns_no_mark_is_given_up_with_little_sent(
    services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    before = Held.by(services)
    opened = await in_process.open_call()
    stream = Replied(opened, marks=False)
    assert await stream.socket.over() == 4408
    await told_of_its_end(opened)
    await returns_to(before, services)
    assert (await in_process.call_row(opened.call_id)).end_reason == "not reading"
    assert errors(caplog) == []


# Over real sockets --------------------------------------------------------------------------
async def break_off(web: Web, order: int, case: Case) -> None:
    """A stream that misbehaves and then is gone, with or without a word."""
    async with Webhooks(web.account) as webhooks:
        call = PhoneCall(Line(), webhooks, dialog(web, number(order)))
        await open_known(web, webhooks, call)

        async def person(line: Line) -> None:
            assert await line.until(lambda: line.count("media") > 0, CALL_SECONDS)
            stream = call.stream
            assert isinstance(stream, MediaStream)
            # A message more than these in a moment is a flood, which is refused.
            for message in case.after(wire.Script(stream.stream_sid, call.sid, names.ACCOUNT))[:60]:
                stream.send(message)
            if order % 2:
                stream.drop()
                assert await line.until(lambda: call.streams == 2, CALL_SECONDS)
                assert await line.until(lambda: line.doing == "stream", CALL_SECONDS)

        await asyncio.wait_for(call.run(person), CALL_SECONDS)


async def test_streams_that_break_off_leave_the_web_process_as_it_was(
    web: Web, workers: Workers
) -> None:
    await conduct(web, Line(), greeted)
    wait_until(lambda: web.calls == 0, CALL_SECONDS, "no call is counted any more")
    files = web.process.num_fds()
    cases = [case for case in CASES if not case.refused]
    for batch in (cases[:8], cases[8:]):
        async with asyncio.TaskGroup() as tasks:
            for order, case in enumerate(batch):
                tasks.create_task(break_off(web, order, case))
    await conduct(web, Line(), greeted, gaps=[Gap(20, 60, lost=True), Gap(100, 60)])
    await asyncio.to_thread(
        wait_until, lambda: web.calls == 0, CALL_SECONDS, "no call is counted any more"
    )
    # More connections to the broker were made at once, and are kept.
    assert web.process.num_fds() - files < len(cases)
    assert "call broke" not in web.log
    assert "Traceback" not in web.log
    open_rows = "select count(*) from voice_call where ended_at is null"
    assert web.rows(open_rows) == [(0,)]


async def greeted(line: Line) -> None:
    assert await line.until(lambda: line.count("media") > 0, CALL_SECONDS)
    await line.quiet(0.1, CALL_SECONDS)
