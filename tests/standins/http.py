"""A small HTTP/1.1 server for stand-ins: cheap enough to measure against, and able to misbehave.

No framework: one would end a broken answer properly, and take longer than what is measured.
"""

from __future__ import annotations

import asyncio
import json
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit

EVENTS = "text/event-stream; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    """Names in small letters."""
    body: bytes


class Reply:
    """The answer to one request; nothing waits, as what is sent here fits any socket's buffer."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._streaming = False
        self.begun = False

    def whole(
        self, status: int, body: bytes, content_type: str, headers: dict[str, str] | None = None
    ) -> None:
        lines = {"content-type": content_type, "content-length": str(len(body)), **(headers or {})}
        self._transport.write(_head(status, lines) + body)
        self.begun = True

    def json(self, status: int, value: Any, headers: dict[str, str] | None = None) -> None:
        self.whole(status, json.dumps(value).encode(), "application/json", headers)

    def stream(self, headers: dict[str, str] | None = None) -> None:
        """Begin an answer of events, in chunks."""
        lines = {"content-type": EVENTS, "transfer-encoding": "chunked", **(headers or {})}
        self._transport.write(_head(200, lines))
        self.begun = self._streaming = True

    def send(self, data: bytes) -> None:
        if data:
            self._transport.write(b"%x\r\n%b\r\n" % (len(data), data))

    def end(self) -> None:
        """Complete the answer; the connection stays open for the next request."""
        if self._streaming:
            self._transport.write(b"0\r\n\r\n")
            self._streaming = False

    def break_off(self) -> None:
        """Close the connection behind what was sent, with the answer incomplete."""
        self._transport.close()


Handler = Callable[[Request, Reply], Awaitable[None]]


class Connection(asyncio.Protocol):
    def __init__(self, handle: Handler) -> None:
        self._handle = handle
        self._buffer = bytearray()
        self._task: asyncio.Task[None] | None = None
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._advance()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._task is not None:
            self._task.cancel()

    def _advance(self) -> None:
        if self._task is None and (request := _take(self._buffer)) is not None:
            self._task = asyncio.get_running_loop().create_task(self._answer(request))

    async def _answer(self, request: Request) -> None:
        reply = Reply(self._transport)
        try:
            await self._handle(request, reply)
            reply.end()
        except Exception:
            traceback.print_exc()
            if not reply.begun:
                reply.json(500, {"error": "the stand-in broke"})
            reply.break_off()
        finally:
            self._task = None
        if not self._transport.is_closing():
            self._advance()


def _take(buffer: bytearray) -> Request | None:
    """The first request, taken out of the buffer; None while it is incomplete."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return None
    first, *lines = buffer[:end].decode("latin-1").split("\r\n")
    headers = {
        name.lower(): value.strip() for name, _, value in (li.partition(":") for li in lines)
    }
    size = end + 4 + int(headers.get("content-length", 0))
    if len(buffer) < size:
        return None
    body = bytes(buffer[end + 4 : size])
    del buffer[:size]
    method, target, _ = first.split(" ")
    parts = urlsplit(target)
    return Request(method, parts.path, dict(parse_qsl(parts.query)), headers, body)


def _head(status: int, headers: dict[str, str]) -> bytes:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Overloaded"
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} {phrase}\r\n{lines}\r\n".encode("latin-1")


async def listen(handle: Handler, port: int) -> asyncio.Server:
    """On the loopback; port 0 takes a free one."""
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: Connection(handle), "127.0.0.1", port)
