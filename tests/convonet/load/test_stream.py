"""A caller's stream by the bench's own short way: what a server gets, and what it is answered."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from convonet.far_end import wire
from convonet.far_end.line import Speech
from convonet.load import loudness
from convonet.load.beat import Beat
from convonet.load.fast_socket import FastSocket
from convonet.load.lateness import Late
from convonet.load.stream import Stream
from voice import g711

Handler = Callable[[ServerConnection], Awaitable[None]]
PATIENCE_SECONDS = 60.0


@asynccontextmanager
async def served(handler: Handler) -> AsyncIterator[str]:
    async with serve(handler, "127.0.0.1", 0, compression=None) as server:
        host, port = next(iter(server.sockets)).getsockname()[:2]
        yield f"ws://{host}:{port}/"


class Heard:
    def __init__(self) -> None:
        self.pieces: list[tuple[str, int | None, int, int]] = []

    def __call__(self, turn: str, at_ms: int | None, ms: int, loudness: int, now: float) -> None:
        self.pieces.append((turn, at_ms, ms, loudness))


async def conversation(
    script: Handler, *, marked: bool = True, speech: Speech | None = None
) -> tuple[Stream, Heard, Late, Late]:
    """The stream of a caller who holds the line until the server has done its part."""
    heard, late, taken = Heard(), Late(), Late()
    stream = Stream(Beat(), late, taken, heard)
    stream.marked = marked
    if speech is not None:
        stream.say(speech)
    async with served(script) as url, asyncio.timeout(PATIENCE_SECONDS):
        lines = wire.Script("MZ1", "CA1", "AC1")
        await stream.run(url, {}, lines, {"token": "t"})
    return stream, heard, late, taken


async def messages(socket: ServerConnection, event: str, number: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    async for message in socket:
        said = json.loads(message)
        if said["event"] == event:
            found.append(said)
        if len(found) == number:
            break
    return found


def media(audio: bytes) -> str:
    payload = base64.b64encode(audio).decode()
    return json.dumps({"event": "media", "streamSid": "MZ1", "media": {"payload": payload}})


def mark(name: str) -> str:
    return json.dumps({"event": "mark", "streamSid": "MZ1", "mark": {"name": name}})


async def test_it_begins_as_twilio_does_and_sends_what_is_said_frame_by_frame() -> None:
    audio = bytes(range(1, 161)) + bytes(range(60, 140))
    got: list[dict[str, Any]] = []

    async def server(socket: ServerConnection) -> None:
        got.append(json.loads(await socket.recv()))
        got.append(json.loads(await socket.recv()))
        got.extend(await messages(socket, "media", 3))

    _, _, late, _ = await conversation(server, speech=Speech(audio, 0, 30))
    connected, start, *frames = got
    assert connected["event"] == "connected"
    assert start["start"]["customParameters"] == {"token": "t"}
    assert [frame["sequenceNumber"] for frame in (start, *frames)] == ["1", "2", "3", "4"]
    assert [frame["media"]["timestamp"] for frame in frames] == ["0", "20", "40"]
    payloads = [base64.b64decode(frame["media"]["payload"]) for frame in frames]
    assert payloads[0] == audio[:160]
    assert payloads[1] == audio[160:].ljust(160, wire.SILENCE)
    assert payloads[2] == wire.SILENCE * 160
    assert late.frames >= 3


async def test_what_is_heard_is_named_by_the_mark_behind_it_which_comes_back() -> None:
    returned: list[str] = []
    tone = g711.encode((4000).to_bytes(2, "little") * 160)

    async def server(socket: ServerConnection) -> None:
        await socket.send(media(tone))
        await socket.send(mark("turn-1:0:120"))
        (said,) = await messages(socket, "mark", 1)
        returned.append(said["mark"]["name"])

    stream, heard, _, _ = await conversation(server)
    assert returned == ["turn-1:0:120"]
    assert heard.pieces == [("turn-1", 100, 20, loudness.LOUD)]
    assert stream.faults == []


async def test_clear_gives_back_every_mark_that_was_out() -> None:
    returned: list[str] = []
    cleared: list[float] = []

    async def server(socket: ServerConnection) -> None:
        for number in (1, 2):
            await socket.send(media(wire.SILENCE * 80_000))
            await socket.send(mark(f"turn-{number}:0:10000"))
        await socket.send(json.dumps({"event": "clear", "streamSid": "MZ1"}))
        returned.extend(said["mark"]["name"] for said in await messages(socket, "mark", 2))

    stream = Stream(Beat(), Late(), Late(), Heard())
    stream.on_clear = cleared.append
    async with served(server) as url, asyncio.timeout(PATIENCE_SECONDS):
        await stream.run(url, {}, wire.Script("MZ1", "CA1", "AC1"), {})
    assert returned == ["turn-1:0:10000", "turn-2:0:10000"]
    assert len(cleared) == 1


async def test_a_server_without_marks_is_heard_as_its_sound_comes() -> None:
    async def server(socket: ServerConnection) -> None:
        await socket.send(media(wire.SILENCE * 160))
        await messages(socket, "media", 1)

    _, heard, _, _ = await conversation(server, marked=False)
    assert heard.pieces == [("", None, 20, loudness.SILENT)]


async def test_what_is_no_message_of_the_protocol_is_a_fault() -> None:
    async def server(socket: ServerConnection) -> None:
        await socket.send('{"event": "dance"}')
        await socket.send("no JSON")
        await messages(socket, "media", 2)

    stream, _, _, _ = await conversation(server)
    assert stream.faults == ["event dance", "JSONDecodeError in a message"]


async def test_the_pong_behind_the_fiftieth_frame_tells_how_long_the_server_took() -> None:
    async def server(socket: ServerConnection) -> None:
        await messages(socket, "media", 52)

    _, _, _, taken = await conversation(server)
    assert taken.frames == 1


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
@pytest.mark.parametrize("text", [True, False])
async def test_a_message_of_any_length_arrives_whole(size: int, text: bool) -> None:
    echoed: asyncio.Queue[str | bytes] = asyncio.Queue()
    over = asyncio.Event()

    async def echo(socket: ServerConnection) -> None:
        await socket.send(await socket.recv())
        await socket.wait_closed()

    async with served(echo) as url, asyncio.timeout(PATIENCE_SECONDS):
        socket = await FastSocket.opened_at(url, {}, echoed.put_nowait, over.set, lambda _: None)
        sent = bytes(65 + n % 26 for n in range(size))
        socket.send_frame(sent, text=text)
        answer = await echoed.get()
        socket.close()
        await over.wait()
    assert answer == (sent.decode() if text else sent)
