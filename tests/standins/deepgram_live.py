"""A local server that speaks Deepgram's published streaming protocol, well or badly on purpose.

https://developers.deepgram.com/reference/speech-to-text/listen-streaming: a handshake with a token
and the audio's format in the query; binary audio, `Finalize`, `KeepAlive` and `CloseStream` in;
`Results`, `Metadata` and close codes out. Times count the audio received on the socket.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

KEY = "live-key-of-the-tests"
# Every so often the server says what it thinks so far.
INTERIM_SECONDS = 0.4
BYTES_PER_SAMPLE = {"linear16": 2, "mulaw": 1}


@dataclass(slots=True)
class Behaviour:
    """What it hears and how it behaves; may be changed while it runs."""

    words: str = "add buy milk"
    """Heard one after the other, from second `first_at` of the audio on, `pace` apart."""
    first_at: float = 0.3
    pace: float = 0.3
    languages: list[str] = field(default_factory=lambda: ["en"])
    status: int = 101
    """Anything else refuses the handshake."""
    open_delay: float = 0.0
    answer_delay: float = 0.0
    silent: bool = False
    """Takes everything and answers nothing."""
    garbage: bool = False
    """Answers what is no message of the protocol."""
    dies_after: float | None = None
    """Cuts the connection after so much audio on it, in seconds."""
    marks_flush: bool = True
    """Not each `Finalize` is answered as one (`from_finalize`)."""
    forgets: bool = False
    """Shows words, and then ends with none."""
    inactive_seconds: float = 10.0
    """Closes with NET-0001 when it hears nothing for so long."""


@dataclass(slots=True)
class Visit:
    """One socket, as the server saw it."""

    query: dict[str, str]
    authorization: str
    audio: bytearray = field(default_factory=bytearray)
    controls: list[str] = field(default_factory=list)
    largest: int = 0
    """Bytes of the largest audio message."""
    closed: asyncio.Event = field(default_factory=asyncio.Event)


class DeepgramLive:
    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.visits: list[Visit] = []
        self.refusals = 0
        self.url = ""
        self._changed = asyncio.Condition()
        self._sockets: list[ServerConnection] = []
        self._ending = asyncio.Event()

    async def until(self, seen: Callable[[], bool], seconds: float = 60.0) -> None:
        """Until `seen()` is true of what the server saw; raises TimeoutError."""
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(seen)

    async def noted(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def pause(self, seconds: float) -> None:
        """Sleep, but no longer than the server lives."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._ending.wait()

    async def hang_up(self) -> None:
        """Close every socket as for having said nothing for too long."""
        for socket in self._sockets:
            await socket.close(1011, "NET-0001")

    def end(self) -> None:
        self._ending.set()

    # Handshake --------------------------------------------------------------------------------
    async def admit(self, connection: ServerConnection, request: Request) -> Response | None:
        behaviour = self.behaviour
        await self.pause(behaviour.open_delay)
        status = behaviour.status
        parts = urlsplit(request.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if request.headers.get("Authorization") != f"Token {KEY}":
            status = 401
        elif parts.path != "/v1/listen" or query.get("encoding") not in BYTES_PER_SAMPLE:
            status = 400
        if status == 101:
            return None
        self.refusals += 1
        await self.noted()
        code = "INVALID_AUTH" if status == 401 else "Bad Request"
        body = json.dumps({"err_code": code, "err_msg": "Refused.", "request_id": "0"}).encode()
        headers = Headers({"Content-Type": "application/json", "Content-Length": str(len(body))})
        return Response(status, HTTPStatus(status).phrase, headers, body)

    # A socket ---------------------------------------------------------------------------------
    async def serve(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        query = {k: v[0] for k, v in parse_qs(urlsplit(socket.request.path).query).items()}
        visit = Visit(query, socket.request.headers["Authorization"])
        self.visits.append(visit)
        self._sockets.append(socket)
        try:
            await Stream(self, socket, visit).run()
        except ConnectionClosed:
            pass
        finally:
            visit.closed.set()
            await self.noted()


class Stream:
    """The recognition of one socket's audio: positions are seconds of it."""

    def __init__(self, server: DeepgramLive, socket: ServerConnection, visit: Visit) -> None:
        self._server, self._socket, self._visit = server, socket, visit
        rate = int(visit.query["sample_rate"]) * int(visit.query.get("channels", "1"))
        self._bytes_per_second = rate * BYTES_PER_SAMPLE[visit.query["encoding"]]
        self._final_to = 0.0
        self._guessed_to = 0.0

    @property
    def _heard(self) -> float:
        return len(self._visit.audio) / self._bytes_per_second

    async def run(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._server.behaviour.inactive_seconds):
                    message = await self._socket.recv()
            except TimeoutError:
                await self._socket.close(1011, "NET-0001")
                return
            if isinstance(message, bytes):
                await self._audio(message)
            elif await self._control(message):
                return
            await self._server.noted()

    async def _audio(self, audio: bytes) -> None:
        behaviour, visit = self._server.behaviour, self._visit
        visit.audio += audio
        visit.largest = max(visit.largest, len(audio))
        if behaviour.dies_after is not None and self._heard >= behaviour.dies_after:
            self._socket.transport.abort()
        elif self._heard - self._guessed_to >= INTERIM_SECONDS:
            self._guessed_to = self._heard
            await self._say(is_final=False)

    async def _control(self, message: str) -> bool:
        """True says that the client has closed the stream."""
        kind = json.loads(message)["type"]
        self._visit.controls.append(kind)
        if kind == "Finalize":
            await self._server.pause(self._server.behaviour.answer_delay)
            await self._say(is_final=True)
            self._final_to = self._guessed_to = self._heard
        elif kind == "CloseStream":
            await self._tell({"type": "Metadata", "duration": self._heard, "channels": 1})
            await self._socket.close(1000)
            return True
        return False

    async def _say(self, *, is_final: bool) -> None:
        behaviour = self._server.behaviour
        if behaviour.silent:
            return
        if behaviour.garbage:
            await self._socket.send("<html>not what you asked for</html>")
            return
        words = self._words(self._final_to, self._heard)
        if is_final and behaviour.forgets:
            words = []
        alternative = {"transcript": " ".join(words), "confidence": 0.98, "words": []}
        if words and behaviour.languages:
            alternative["languages"] = behaviour.languages
        await self._tell(
            {
                "type": "Results",
                "channel_index": [0, 1],
                "start": round(self._final_to, 3),
                "duration": round(self._heard - self._final_to, 3),
                "is_final": is_final,
                "speech_final": False,
                "from_finalize": is_final and behaviour.marks_flush,
                "channel": {"alternatives": [alternative]},
                "metadata": {"request_id": "0", "model_info": {"name": "stand-in"}},
            }
        )

    def _words(self, start: float, end: float) -> list[str]:
        """Those that lie within this stretch of the audio."""
        behaviour, words = self._server.behaviour, self._server.behaviour.words.split()
        found, number, at = [], 0, behaviour.first_at
        while at < end and number < len(words):
            if at >= start:
                found.append(words[number])
            number, at = number + 1, at + behaviour.pace
        return found

    async def _tell(self, message: dict[str, Any]) -> None:
        if not self._server.behaviour.silent:
            await self._socket.send(json.dumps(message))


@asynccontextmanager
async def deepgram_live(
    behaviour: Behaviour | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[DeepgramLive]:
    """On a free port; `url` is what DEEPGRAM_URL takes."""
    server = DeepgramLive(behaviour or Behaviour())
    options: dict[str, Any] = {"process_request": server.admit, "ssl": tls, "close_timeout": 0.5}
    async with serve(server.serve, "127.0.0.1", 0, **options) as listening:
        port = listening.sockets[0].getsockname()[1]
        server.url = f"https://localhost:{port}" if tls else f"http://127.0.0.1:{port}"
        try:
            yield server
        finally:
            server.end()
