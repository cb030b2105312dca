"""What uvicorn's sockets do about a far end that neither reads nor answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState
from websockets.client import ClientProtocol
from websockets.uri import parse_uri

from convonet.front import on_uvicorn
from convonet.front.on_uvicorn import Socket

WAIT = 60


class Transport:
    """Takes whatever is written, and says nothing."""

    def __init__(self) -> None:
        self.aborted = asyncio.Event()
        self.closing = False

    def write(self, data: bytes) -> None: ...
    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...

    def close(self) -> None:
        self.closing = True

    def abort(self) -> None:
        self.closing = True
        self.aborted.set()

    def is_closing(self) -> bool:
        return self.closing

    def get_extra_info(self, _name: str, default: Any = None) -> Any:
        return default


@asynccontextmanager
async def opened(**options: Any) -> AsyncIterator[tuple[Socket, Transport]]:
    """An accepted socket whose application does as the test says."""
    over = asyncio.Event()

    async def application(_scope: Any, receive: Any, _send: Any) -> None:
        await receive()
        await over.wait()

    config = uvicorn.Config(application, ws=Socket, log_config=None, lifespan="off", **options)
    config.load()
    socket, transport = Socket(config, ServerState(), {}), Transport()
    socket.connection_made(transport)  # type: ignore[arg-type]  # has what is used of one
    asking = ClientProtocol(parse_uri("ws://localhost/"))
    asking.send_request(asking.connect())
    socket.data_received(b"".join(asking.data_to_send()))
    await asyncio.sleep(0)
    await socket.send({"type": "websocket.accept"})
    yield socket, transport
    over.set()
    async with asyncio.timeout(WAIT):
        await asyncio.gather(*socket.tasks)
    socket.connection_lost(None)


async def test_a_far_end_that_does_not_answer_a_close_is_cut_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(on_uvicorn, "CLOSING_SECONDS", 0)
    async with opened() as (socket, transport):
        await socket.send({"type": "websocket.close", "code": 1000})
        await asyncio.wait_for(transport.aborted.wait(), WAIT)


async def test_a_far_end_that_does_not_answer_a_ping_is_cut_off() -> None:
    async with opened(ws_ping_interval=0.001, ws_ping_timeout=0.001) as (_, transport):
        await asyncio.wait_for(transport.aborted.wait(), WAIT)


async def test_a_goodbye_does_not_wait_for_a_far_end_that_reads_nothing() -> None:
    async with opened() as (socket, _):
        socket.pause_writing()
        saying = asyncio.create_task(socket.send({"type": "websocket.send", "text": "one more"}))
        await asyncio.sleep(0)
        assert not saying.done()
        await asyncio.wait_for(socket.send({"type": "websocket.close", "code": 4408}), WAIT)
        await asyncio.wait({saying}, timeout=WAIT)
        # What is said after a goodbye finds nobody, as on a lost connection.
        for message in ("websocket.send", "websocket.close"):
            with pytest.raises(OSError):  # noqa: PT011  # ClientDisconnected says nothing more
                await socket.send({"type": message, "text": "x"})
        assert isinstance(saying.exception(), OSError)
