"""The media socket: who gets in, what a broken one leaves, and what the next one takes up."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from convonet.far_end.line import Line, Speech
from convonet.far_end.media_stream import MediaStream
from convonet.far_end.sound import speech_of
from convonet.far_end.webhooks import signature
from phone import after, calls, sockets, tokens
from phone.models import PhoneCall
from tests.phone import in_process
from tests.phone.calling import heard
from tests.phone.in_process import Opened
from tests.phone.workers import MS, Spoken, Workers, playing
from tests.stack import ROOT
from voice import admission
from voice.models import Turn
from voice.wiring import Services

pytestmark = [pytest.mark.service, pytest.mark.django_db(transaction=True)]
WAIT = 60
WHOLE = speech_of(ROOT / "tests/audio/03-man.wav")
HALF_SECOND = slice(WHOLE.from_ms * MS, (WHOLE.from_ms + 500) * MS)
SPEECH = Speech(WHOLE.audio[HALF_SECOND], 0, 500)
ANSWER = bytes(range(256)) * 25
"""0.8 s that sound like nothing else."""


@pytest.fixture
async def services(broker: str) -> AsyncIterator[Services]:
    async with in_process.serving(broker) as joined:
        yield joined


class Knock:
    """A socket as somebody opens it who is perhaps not Twilio."""

    def __init__(self, **scope: Any) -> None:
        self.sent: list[dict[str, Any]] = []
        self._in: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._in.put_nowait({"type": "websocket.connect"})
        given = {"type": "websocket", "path": "/twilio/media", "headers": [], "subprotocols": []}
        self._task = asyncio.create_task(
            sockets.media_socket({**given, **scope}, self._in.get, self._send)
        )

    def say(self, message: str) -> None:
        self._in.put_nowait({"type": "websocket.receive", "text": message})

    async def code(self) -> int:
        await asyncio.wait_for(self._task, WAIT)
        return int(self.sent[-1]["code"])

    async def _send(self, event: dict[str, Any]) -> None:
        self.sent.append(event)


async def knock(opened: Opened, *, token: str | None = None, sid: str = "") -> int:
    """The close code of a stream with this token."""
    script = in_process.script(Opened(opened.call_id, sid or opened.sid, ""))
    door = Knock()
    door.say(script.start({} if token is None else {"token": token}))
    return await door.code()


@sync_to_async
def next_token(opened: Opened, saying: str = "") -> Opened:
    phone = PhoneCall.objects.get(sid=opened.sid)
    number = calls.next_stream(phone, saying)
    return Opened(opened.call_id, opened.sid, tokens.issue(opened.call_id, opened.sid, number))


# Who gets in ------------------------------------------------------------------------------------
async def test_a_stream_without_a_good_token_is_refused_and_leaves_no_trace(
    services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    opened, other = await in_process.open_call(), await in_process.open_call()
    before = await in_process.call_row(opened.call_id)
    assert await knock(opened) == 4401
    assert await knock(opened, token="") == 4401
    assert await knock(opened, token="forged:1abc:xyz") == 4401
    assert await knock(opened, token=other.token) == 4401
    assert await knock(other, token=opened.token) == 4401
    assert admission.calls_in_progress() == 0
    after_all = await in_process.call_row(opened.call_id)
    assert (after_all.served_by, after_all.ended_at) == (before.served_by, None)
    assert opened.token not in caplog.text
    assert other.token not in caplog.text


async def test_a_token_is_good_for_one_stream(services: Services, workers: Workers) -> None:
    opened, line = await in_process.open_call(), Line()
    carrying = asyncio.create_task(in_process.carry(line, opened))
    assert await line.quiet(0.3, WAIT)
    assert await knock(opened, token=opened.token) == 4401
    line.hang_up()
    assert await carrying == 1000
    assert await knock(opened, token=opened.token) == 4401


async def test_the_token_of_an_earlier_stream_is_void(services: Services) -> None:
    first = await in_process.open_call()
    await next_token(first)
    assert await knock(first, token=first.token) == 4401


async def test_a_call_that_is_over_gets_no_stream(services: Services) -> None:
    opened = await in_process.open_call()
    await sync_to_async(calls.told_status)({"CallSid": opened.sid, "CallStatus": "completed"})
    assert await knock(opened, token=opened.token) == 4401


async def test_a_socket_that_does_not_start_is_closed(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "START_SECONDS", 0.05)
    silent, chatty = Knock(), Knock()
    for _ in range(sockets.MESSAGES_BEFORE_START):
        chatty.say('{"event": "connected"}')
    assert [await silent.code(), await chatty.code()] == [4401, 4401]


async def test_a_stream_that_is_not_mu_law_is_refused(services: Services) -> None:
    opened = await in_process.open_call()
    start = json.loads(in_process.script(opened).start({"token": opened.token}))
    start["start"]["mediaFormat"]["encoding"] = "audio/x-l16"
    door = Knock()
    door.say(json.dumps(start))
    assert await door.code() == 4400


async def test_the_first_subprotocol_offered_is_taken(services: Services) -> None:
    offering, plain = Knock(subprotocols=["audio.twilio.com", "other"]), Knock()
    for door in (offering, plain):
        for _ in range(sockets.MESSAGES_BEFORE_START):
            door.say("{}")
        await door.code()
    assert offering.sent[0] == {"type": "websocket.accept", "subprotocol": "audio.twilio.com"}
    assert plain.sent[0] == {"type": "websocket.accept", "subprotocol": None}


async def test_idle_sockets_do_not_keep_twilio_out(
    services: Services, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.PUBLIC_URL, settings.TWILIO_AUTH_TOKEN = "https://t.example.org", "token"
    monkeypatch.setattr(sockets, "MOST_UNPROVEN", 3)
    idle = [Knock() for _ in range(3)]
    await asyncio.sleep(0)
    assert await Knock().code() == 4503
    proof = signature("token", "wss://t.example.org/twilio/media", {})
    signed = Knock(headers=[(b"x-twilio-signature", proof.encode())])
    for door in (signed, *idle):
        for _ in range(sockets.MESSAGES_BEFORE_START):
            door.say("{}")
        assert await door.code() == 4401
    assert not sockets._unproven


async def test_a_stream_for_which_there_is_no_place_is_closed_and_said_to_be(
    services: Services, settings: Any
) -> None:
    settings.MAX_CALLS = 1
    opened = await in_process.open_call()
    with admission.counted("somebody"):
        assert await knock(opened, token=opened.token) == 4503
    assert (await in_process.call_row(opened.call_id)).end_reason == after.NO_ROOM


async def test_a_broker_that_is_gone_closes_the_stream_and_the_call_can_go_on(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = await in_process.open_call()

    async def lost(*_: object, **__: object) -> None:
        raise ConnectionError

    monkeypatch.setattr(services.redis, "set", lost)
    assert await knock(opened, token=opened.token) == 4503
    assert (await in_process.call_row(opened.call_id)).ended_at is None


# What a broken one leaves -----------------------------------------------------------------------
class Held(in_process.Rows):
    """Of workers that answer no turn before they are let."""

    def __init__(self) -> None:
        self.let = asyncio.Event()

        self.taken: set[str] = set()

    async def call_of(self, turn_id: str) -> str:
        if turn_id in self.taken:
            # As workers do: a turn that is queued twice is answered once.
            raise asyncio.CancelledError
        self.taken.add(turn_id)
        await asyncio.wait_for(self.let.wait(), WAIT)
        return await super().call_of(turn_id)


@pytest.fixture
def held() -> Held:
    return Held()


@pytest.fixture
async def workers(broker: str, held: Held) -> AsyncIterator[Workers]:
    async with playing(broker, held) as played:
        played.answers = lambda _turn_id: [Spoken("All right.", ANSWER)]
        yield played


async def speak_and_break(opened: Opened, workers: Workers) -> None:
    """Say something, and have the connection break when a worker has been asked."""
    line = Line()
    stream = MediaStream(line, in_process.script(opened), parameters={"token": opened.token})
    socket = in_process.LocalSocket(stream.hear, stream.ended)
    carrying = asyncio.create_task(stream.carry(socket))
    assert await line.quiet(0.3, WAIT)
    await line.say(SPEECH)
    assert await line.until(lambda: bool(workers.turns), WAIT)
    stream.drop()
    await asyncio.wait_for(carrying, WAIT)
    await socket.over()


async def go_on(opened: Opened) -> Line:
    """The stream that follows, until the answer has been heard and some quiet after it."""
    line = Line()
    carrying = asyncio.create_task(in_process.carry(line, opened))
    assert await line.until(lambda: ANSWER in heard(line), WAIT), len(heard(line))
    assert await line.quiet(0.3, WAIT)
    line.hang_up()
    await carrying
    return line


async def one_turn(opened: Opened) -> Turn:
    (turn,) = await in_process.turn_rows(opened.call_id)
    return turn


async def test_a_broken_stream_leaves_its_call_open_and_its_turn_under_way(
    services: Services, workers: Workers
) -> None:
    opened = await in_process.open_call()
    await speak_and_break(opened, workers)
    call = await in_process.call_row(opened.call_id)
    assert (call.ended_at, call.served_by) == (None, "")
    assert call.audio_in_ms > 0
    assert admission.calls_in_progress() == 0
    assert (await one_turn(opened)).state == Turn.State.WAITING


@pytest.mark.parametrize("answered", ["meanwhile", "afterwards"])
async def test_what_nobody_heard_is_heard_once_on_the_next_stream(
    services: Services, workers: Workers, held: Held, answered: str
) -> None:
    opened = await in_process.open_call()
    await speak_and_break(opened, workers)
    if answered == "meanwhile":
        held.let.set()
        await asyncio.wait_for(workers.made.wait(), WAIT)
    following = await next_token(opened, after.SORRY)
    going_on = asyncio.create_task(go_on(following))
    await asyncio.sleep(0)
    held.let.set()
    line = await going_on
    assert heard(line).count(ANSWER) == 1
    # The sentence that says what happened comes first.
    assert heard(line).index(b"\x77" * 200 * MS) < heard(line).index(ANSWER)
    turn = await one_turn(opened)
    assert (turn.state, turn.heard) == (Turn.State.DONE, "All right.")


async def test_an_answer_that_was_ended_with_the_call_is_heard_when_it_goes_on(
    services: Services, workers: Workers, held: Held
) -> None:
    """The web process was dead for so long that another one has closed the row."""
    opened = await in_process.open_call()
    await speak_and_break(opened, workers)
    held.let.set()
    await asyncio.wait_for(workers.made.wait(), WAIT)
    await sync_to_async(calls.end)(opened.call_id, "web process ended")
    assert (await one_turn(opened)).state == Turn.State.INTERRUPTED
    line = await go_on(await next_token(opened))
    assert heard(line).count(ANSWER) == 1
    assert (await one_turn(opened)).state == Turn.State.DONE
    assert (await in_process.call_row(opened.call_id)).end_reason == "hung up"


async def test_a_second_stream_ends_the_first_that_does_not_know_it_is_dead(
    services: Services, workers: Workers, held: Held
) -> None:
    opened, first, second = await in_process.open_call(), Line(), Line()
    held.let.set()
    old = asyncio.create_task(in_process.carry(first, opened))
    assert await first.quiet(0.3, WAIT)
    new = asyncio.create_task(in_process.carry(second, await next_token(opened)))
    await asyncio.wait_for(old, WAIT)
    assert await second.quiet(0.3, WAIT)
    await second.say(SPEECH)
    assert await second.until(lambda: ANSWER in heard(second), WAIT)
    assert admission.calls_in_progress() == 1
    second.hang_up()
    await new
    call = await in_process.call_row(opened.call_id)
    assert (call.end_reason, call.ended_at is not None) == ("hung up", True)
    assert not sockets._carried
