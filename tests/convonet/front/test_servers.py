"""Sockets as clients find them, on Daphne and on uvicorn alike."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from typing import IO, Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Frame, Opcode

from convonet.front.frames import MOST_BYTES
from convonet.front.inbox import MOST_WAITING
from convonet.front.intake import AT_ONCE
from tests.stack import ROOT

pytestmark = pytest.mark.service
WAIT = 60
APPLICATION = "tests.convonet.front.application"


class Running:
    """A server on a socket that outlives it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.address = self.listening.getsockname()
        self.start()

    def start(self) -> None:
        descriptor = self.listening.fileno()
        command = [sys.executable, "-m", APPLICATION, self.name, str(descriptor)]
        self.process = subprocess.Popen(
            command, cwd=ROOT, pass_fds=[descriptor], stdout=subprocess.PIPE, text=True
        )
        assert self.said().readline() == "begun\n"

    def said(self) -> IO[str]:
        assert self.process.stdout is not None
        return self.process.stdout

    def stop(self) -> str:
        """What it said since it began."""
        self.process.terminate()
        rest, _ = self.process.communicate(timeout=WAIT)
        return rest

    def open(self, path: str, **options: Any) -> connect:
        host, port = self.address
        return connect(f"ws://{host}:{port}{path}", proxy=None, compression=None, **options)

    async def tell_to_take(self) -> None:
        host, port = self.address
        opened = await asyncio.to_thread(urllib.request.urlopen, f"http://{host}:{port}/")
        opened.close()


@pytest.fixture(scope="module", params=["daphne", "uvicorn"])
def server(request: pytest.FixtureRequest) -> Iterator[Running]:
    running = Running(request.param)
    try:
        yield running
    finally:
        running.stop()
        running.listening.close()


async def answer(opened: ClientConnection) -> str | bytes:
    return await asyncio.wait_for(opened.recv(), WAIT)


async def code(opened: ClientConnection) -> int | None:
    """By which the server closed it; None when it was cut."""
    try:
        async with asyncio.timeout(WAIT):
            while True:
                await opened.recv()
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None


@pytest.mark.parametrize("path", ["/echo", "/asked"])
async def test_messages_of_every_kind_come_back_whole_and_in_order(
    server: Running, path: str
) -> None:
    messages: list[str | bytes] = [
        "plain",
        "Grüße ☎",
        b"\x00\xff" * 640,
        "x" * 70_00,
        bytes(MOST_BYTES),
        "last",
    ]
    async with server.open(path) as opened:
        for message in messages:
            await opened.send(message)
        await opened.send(["in ", "three ", "parts"])
        await asyncio.wait_for(await opened.ping(), WAIT)
        await opened.send("after")
        for message in [*messages, "in three parts", "after"]:
            assert await answer(opened) == message


async def test_a_message_may_come_byte_by_byte(server: Running) -> None:
    async with server.open("/echo") as opened:
        carrier = opened.transport
        for byte in Frame(Opcode.TEXT, b"slowly").serialize(mask=True):
            carrier.write(bytes([byte]))
            await asyncio.sleep(0)
        assert await answer(opened) == "slowly"


@pytest.mark.parametrize("path", ["/echo", "/asked"])
async def test_a_message_that_is_too_long_ends_the_socket(server: Running, path: str) -> None:
    async with server.open(path) as opened:
        await opened.send(bytes(MOST_BYTES + 1))
        # Autobahn cuts the connection.
        assert await code(opened) in (1009, None)


async def test_text_that_is_none_ends_the_socket(server: Running) -> None:
    async with server.open("/echo") as opened:
        opened.transport.write(Frame(Opcode.TEXT, b"\xff\xfe").serialize(mask=True))
        assert await code(opened) in (1007, None)


async def test_a_refusal_before_the_handshake_is_over_is_forbidden(server: Running) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with server.open("/elsewhere"):
            pass
    assert refused.value.response.status_code == 403
    assert "server" not in refused.value.response.headers


async def test_the_first_protocol_offered_is_spoken(server: Running) -> None:
    async with server.open("/echo", subprotocols=["audio.twilio.com", "other"]) as opened:
        assert opened.subprotocol == "audio.twilio.com"
        assert opened.response is not None
        assert "server" not in opened.response.headers


async def test_the_code_of_a_close_is_told(server: Running) -> None:
    async with server.open("/closing") as opened:
        assert await code(opened) == 4408


async def test_what_nobody_takes_waits_outside_and_none_of_it_is_lost(server: Running) -> None:
    number = 2000
    async with server.open("/nobody") as opened:

        async def fill() -> None:
            for _ in range(number):
                await opened.send("x" * 5000)

        filling = asyncio.create_task(fill())
        # The far end's own buffers are full, or it has sent all there is.
        await asyncio.wait({filling}, timeout=0.3)
        await server.tell_to_take()
        assert int(await answer(opened)) <= MOST_WAITING
        await asyncio.wait_for(filling, WAIT)
        await opened.send("how many?")
        assert int(await answer(opened)) == number


async def test_a_polite_caller_is_answered_beside_a_flood(server: Running) -> None:
    one = Frame(Opcode.TEXT, b"and another thing").serialize(mask=True)
    async with server.open("/count") as flooding, server.open("/echo") as polite:

        async def flood() -> None:
            while True:
                flooding.transport.write(one * (4 * AT_ONCE))
                # Nothing tells when it is empty.
                while flooding.transport.get_write_buffer_size():  # noqa: ASYNC110
                    await asyncio.sleep(0)

        flooded = asyncio.create_task(flood())
        for number in range(100):
            await polite.send(str(number))
            assert await answer(polite) == str(number)
        flooded.cancel()
        await asyncio.wait({flooded})
        await flooding.send("how often?")
        assert "inbound_pauses" in str(await answer(flooding))


async def test_a_server_that_ends_lets_what_goes_on_clean_up(server: Running) -> None:
    async with server.open("/lasting") as opened:
        assert await answer(opened) == "here"
        assert await asyncio.to_thread(server.stop) == "cleaned up\n"
        assert server.process.returncode == 0
        assert await code(opened) in (1012, None)
    # Who comes in between waits for the next one.
    waiting = asyncio.create_task(server.open("/echo").__aenter__())
    await asyncio.to_thread(server.start)
    opened = await asyncio.wait_for(waiting, WAIT)
    await opened.send("still there?")
    assert await answer(opened) == "still there?"
    await opened.close()
