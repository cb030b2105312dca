"""The simulated telephone against a small server of its own: does it conduct calls as Twilio?"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from convonet.far_end.line import Line, Speech
from convonet.far_end.media_stream import Gap
from convonet.far_end.people import Person
from convonet.far_end.phone_call import Dialog, PhoneCall
from convonet.far_end.webhooks import Webhooks
from tests.standins.http import Reply, Request, listen

Attend = Callable[["Talk"], Awaitable[None]]
WAIT = 60


@dataclass
class Talk:
    """The server's end of one stream."""

    socket: ServerConnection
    sid: str = ""
    start: dict[str, Any] = field(default_factory=dict)
    got: list[dict[str, Any]] = field(default_factory=list)

    async def send(self, event: str, **body: Any) -> None:
        await self.socket.send(json.dumps({"event": event, "streamSid": self.sid, **body}))

    async def play(self, audio: bytes, mark: str) -> None:
        await self.send("media", media={"payload": base64.b64encode(audio).decode()})
        await self.send("mark", mark={"name": mark})

    async def next(self, event: str) -> dict[str, Any]:
        async with asyncio.timeout(WAIT):
            while True:
                self.got.append(json.loads(await self.socket.recv()))
                if self.got[-1]["event"] == event:
                    return self.got[-1]

    async def rest(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                self.got.append(json.loads(await self.socket.recv()))


class Server:
    """Answers each path with its documents one after the other, the last for ever."""

    def __init__(self) -> None:
        self.documents: dict[str, list[str]] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.attend: Attend = Talk.rest
        self.talks: list[Talk] = []
        self.url = self.stream = ""

    async def answer(self, request: Request, reply: Reply) -> None:
        form = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
        self.asked.append((request.path, form))
        documents = self.documents.get(request.path)
        if documents is None:
            reply.whole(500, b"no", "text/plain")
            return
        text = documents.pop(0) if len(documents) > 1 else documents[0]
        reply.whole(200, text.replace("STREAM", self.stream).encode(), "text/xml")

    async def talk(self, socket: ServerConnection) -> None:
        talk = Talk(socket)
        self.talks.append(talk)
        connected = json.loads(await socket.recv())
        assert connected == {"event": "connected", "protocol": "Call", "version": "1.0.0"}
        talk.start = json.loads(await socket.recv())["start"]
        talk.sid = talk.start["streamSid"]
        await self.attend(talk)

    def parameters(self, path: str) -> dict[str, str]:
        """Of the last request to a path."""
        return [form for asked, form in self.asked if asked == path][-1]


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    running = Server()
    listening = await listen(running.answer, 0)
    async with listening, serve(running.talk, "127.0.0.1", 0) as sockets:
        running.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        running.stream = f"ws://127.0.0.1:{next(iter(sockets.sockets)).getsockname()[1]}/media"
        yield running


async def conduct(
    server: Server,
    person: Callable[[Line], Awaitable[None]],
    line: Line | None = None,
    **options: Any,
) -> PhoneCall:
    """A whole call at no pace."""
    dialog = Dialog(voice_url=f"{server.url}/voice", status_url=f"{server.url}/status")
    server.documents.setdefault("/status", ["<Response/>"])
    async with Webhooks() as webhooks:
        call = PhoneCall(line or Line(), webhooks, dialog, pace=0.0, **options)
        await asyncio.wait_for(call.run(person), WAIT)
    return call


async def stay(line: Line) -> None:
    """Listens until the other side ends the call."""
    await line.until(lambda: False, WAIT)


STREAM = (
    '<Response><Connect><Stream url="STREAM"><Parameter name="token" value="t"/></Stream>'
    "</Connect><Redirect>/next</Redirect></Response>"
)
HANG_UP = "<Response><Say>Goodbye.</Say><Hangup/></Response>"


async def test_a_call_goes_on_behind_a_stream_whose_socket_the_server_closes(
    server: Server,
) -> None:
    async def close(talk: Talk) -> None:
        await talk.next("media")

    server.attend = close
    server.documents = {"/voice": [STREAM], "/next": [STREAM, HANG_UP]}
    call = await conduct(server, stay)
    assert [path for path, _ in server.asked] == ["/voice", "/next", "/next", "/status"]
    assert [talk.start["customParameters"] for talk in server.talks] == [{"token": "t"}] * 2
    assert {talk.start["callSid"] for talk in server.talks} == {call.sid}
    assert len({talk.sid for talk in server.talks}) == 2
    assert (call.line.told, call.line.errors) == (["Goodbye."], [])
    assert server.parameters("/voice")["CallStatus"] == "ringing"
    assert server.parameters("/next")["CallStatus"] == "in-progress"
    status = server.parameters("/status")
    assert (status["CallStatus"], status["CallbackSource"]) == (
        "completed",
        "call-progress-events",
    )
    assert "CallDuration" in status


async def test_a_caller_who_hangs_up_ends_the_stream_with_stop(server: Server) -> None:
    async def greet(talk: Talk) -> None:
        await talk.play(bytes(800), "hello")
        await talk.rest()

    async def listen_and_leave(line: Line) -> None:
        await line.quiet(0.05, WAIT)

    server.attend = greet
    server.documents = {"/voice": [STREAM]}
    await conduct(server, listen_and_leave)
    events = [message["event"] for message in server.talks[0].got]
    assert events[-1] == "stop"
    assert events.count("mark") == 1
    assert [path for path, _ in server.asked] == ["/voice", "/status"]


async def test_marks_come_back_in_order_and_a_clear_returns_the_rest(server: Server) -> None:
    async def talk_on(talk: Talk) -> None:
        await talk.play(bytes(400), "first")
        assert (await talk.next("mark"))["mark"]["name"] == "first"
        await talk.play(bytes(80_000), "second")
        await talk.play(bytes(80_000), "third")
        await talk.send("clear")
        assert (await talk.next("mark"))["mark"]["name"] == "second"
        assert (await talk.next("mark"))["mark"]["name"] == "third"

    server.attend = talk_on
    server.documents = {"/voice": [STREAM], "/next": [HANG_UP]}
    line = (await conduct(server, stay)).line
    assert sum(len(span.audio) for span in line.ear.spans) < 80_000
    assert (line.ear.marks_out, line.count("clear")) == (0, 1)
    assert line.ear.most_ahead_ms >= 19_000


async def test_what_the_caller_says_and_presses_arrives_frame_by_frame(server: Server) -> None:
    async def hear(talk: Talk) -> None:
        while (await talk.next("dtmf"))["dtmf"]["digit"] != "2":
            pass

    async def talk_and_press(line: Line) -> None:
        spoken = await line.say(Speech(bytes(range(1, 201)) * 4, 0, 100))
        assert spoken.ended > spoken.voiced > 0
        line.press("12")
        await stay(line)

    server.attend = hear
    server.documents = {"/voice": [STREAM], "/next": [HANG_UP]}
    await conduct(server, talk_and_press)
    got = server.talks[0].got
    media = [m["media"] for m in got if m["event"] == "media"]
    sound = b"".join(base64.b64decode(m["payload"]) for m in media)
    assert bytes(range(1, 201)) * 4 in sound
    assert [m["chunk"] for m in media] == [str(n) for n in range(1, len(media) + 1)]
    assert [int(m["timestamp"]) for m in media] == [20 * n for n in range(len(media))]
    assert [int(m["sequenceNumber"]) for m in got] == list(range(2, len(got) + 2))


async def test_packets_get_lost_and_others_come_all_at_once(server: Server) -> None:
    async def hear(talk: Talk) -> None:
        while int((await talk.next("media"))["media"]["timestamp"]) < 300:
            pass

    server.attend = hear
    server.documents = {"/voice": [STREAM], "/next": [HANG_UP]}
    await conduct(server, stay, gaps=[Gap(40, 60, lost=True), Gap(160, 60)])
    times = [int(m["media"]["timestamp"]) for m in server.talks[0].got if m["event"] == "media"]
    assert times[:4] == [0, 20, 100, 120]
    assert 160 in times
    assert times == sorted(times)


DIAL = (
    '<Response><Dial action="/dialled" timeout="20"><Number url="/whisper">+15550002222</Number>'
    "</Dial></Response>"
)
WHISPER = (
    '<Response><Gather numDigits="1" action="/taken"><Say>A caller for you.</Say></Gather>'
    "<Hangup/></Response>"
)


@pytest.mark.parametrize(
    ("somebody", "status", "bridged"),
    [
        (Person(), "completed", "true"),
        (Person(keys=""), "completed", "false"),
        (Person("busy"), "busy", "false"),
        (Person("no-answer"), "no-answer", "false"),
        (Person(rings_seconds=25), "no-answer", "false"),
        (None, "failed", "false"),
    ],
)
async def test_a_dialled_person_takes_the_call_or_not(
    server: Server, somebody: Person | None, status: str, bridged: str
) -> None:
    server.documents = {
        "/voice": [DIAL],
        "/whisper": [WHISPER],
        "/taken": ["<Response/>"],
        "/dialled": [HANG_UP],
    }
    people = {"+15550002222": somebody} if somebody else {}
    call = await conduct(server, stay, people=people)
    told = server.parameters("/dialled")
    assert (told["DialCallStatus"], told["DialBridged"]) == (status, bridged)
    assert told["CallSid"] == call.sid
    assert call.line.told == ["Goodbye."]
    if somebody and somebody.outcome == "answers" and somebody.rings_seconds < 20:
        whisper = server.parameters("/whisper")
        assert (whisper["ParentCallSid"], whisper["To"]) == (call.sid, "+15550002222")
        assert somebody.told == ["A caller for you."]
        assert somebody.joined == (bridged == "true")


async def test_keys_are_gathered_from_the_caller(server: Server) -> None:
    server.documents = {
        "/voice": ['<Response><Gather action="/menu" numDigits="2"/></Response>'],
        "/menu": [HANG_UP],
    }

    async def press(line: Line) -> None:
        line.press("42", every=0)
        await stay(line)

    await conduct(server, press)
    assert server.parameters("/menu")["Digits"] == "42"


async def test_a_server_without_an_answer_is_apologised_for(server: Server) -> None:
    call = await conduct(server, stay)
    assert call.line.told == ["We're sorry, an application error has occurred. Goodbye."]
    assert "answered 500" in call.line.errors[0]


async def test_a_stream_that_does_not_open_leaves_the_call_to_the_next_verb(
    server: Server,
) -> None:
    document = '<Response><Connect><Stream url="ws://127.0.0.1:9/media"/></Connect><Say>So.</Say></Response>'
    server.documents = {"/voice": [document]}
    call = await conduct(server, stay)
    assert call.line.told == ["So."]
    assert "31920" in call.line.errors[0]


async def test_a_call_that_is_sent_in_circles_ends(server: Server) -> None:
    server.documents = {"/voice": ["<Response><Redirect>/voice</Redirect></Response>"]}
    call = await conduct(server, stay)
    assert "documents were fetched" in call.line.errors[0]


async def test_what_breaks_in_a_persons_script_is_told(server: Server) -> None:
    async def clumsy(line: Line) -> None:
        await line.quiet(0, 0)
        raise AssertionError("nothing was heard")

    server.documents = {"/voice": [STREAM]}
    with pytest.raises(AssertionError, match="nothing was heard"):
        await conduct(server, clumsy)
