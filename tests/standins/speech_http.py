"""What the stand-ins of speech services share: a server on a free port that fails when it is told.

Each service is a class of its own that checks requests as the real one does and answers in its
format, errors included. Sound is real: it is made by the local voice and heard by the local ears.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from voice.audio import AudioFormat

KEY = "key-of-the-tests"
# Longer than any client under test waits; what waits here is released with the server.
PATIENCE_SECONDS = 60.0
STATUSES = {"401": 401, "429": 429, "500": 500}
FAILURES = (*STATUSES, "timeout", "half", "garbage")
PAGE = b"<!DOCTYPE html><html><body>Bad gateway</body></html>"

Hear = Callable[[bytes, AudioFormat], str]
Say = Callable[[str, AudioFormat], bytes]


@dataclass(slots=True)
class Asked:
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Refused(Exception):
    """The request is not one that the service takes."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status, self.why = status, why


@dataclass(slots=True)
class Sound:
    audio: bytes
    kind: str


@dataclass
class StandIn:
    """One service. `fails` and the rest may be changed while it runs."""

    hear: Hear
    say: Say
    fails: str = ""
    """One of FAILURES."""
    language: str = "en"
    """What it detects."""
    hold: threading.Event | None = None
    """Sound pauses after its first part until this is set."""
    drops: bool = False
    """Closes the connection behind each answer without saying so."""
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    url: str = ""
    closing: threading.Event = field(default_factory=threading.Event)

    key_header: ClassVar[tuple[str, str]]

    def answer(self, asked: Asked) -> Sound | Any:
        """Sound, or what becomes JSON; raises Refused."""
        raise NotImplementedError

    def error(self, status: int, why: str) -> Any:
        """The body of a failure."""
        raise NotImplementedError

    def answered(self, asked: Asked) -> Sound | Any:
        self.asked.append(asked)
        name, value = self.key_header
        if asked.headers.get(name) != value or self.fails == "401":
            raise Refused(401, "The key is not valid.")
        if self.fails in STATUSES:
            raise Refused(STATUSES[self.fails], "Not now.")
        return self.answer(asked)


@contextmanager
def serving(service: StandIn) -> Iterator[StandIn]:
    """On a free port; `url` says where."""

    class Handler(_Handler):
        standin = service

    with _Server(("127.0.0.1", 0), Handler) as server:
        service.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield service
        finally:
            service.closing.set()
            server.shutdown()
            thread.join(10)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are what some tests are about."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    standin: StandIn

    def setup(self) -> None:
        super().setup()
        self.standin.connections += 1

    def log_message(self, *_: Any) -> None:
        """The tests say what went wrong."""

    def do_POST(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        with suppress(ConnectionError):
            self._reply(Asked(parts.path, query, headers, body))
        if self.standin.drops:
            self.close_connection = True

    def _reply(self, asked: Asked) -> None:
        service = self.standin
        try:
            answer = service.answered(asked)
        except Refused as refused:
            headers = {"Retry-After": "7"} if refused.status == 429 else {}
            error = service.error(refused.status, refused.why)
            self._whole(refused.status, "application/json", json.dumps(error).encode(), headers)
            return
        if service.fails == "timeout":
            service.closing.wait(PATIENCE_SECONDS)
            self.close_connection = True
        elif service.fails == "garbage":
            self._whole(200, "text/html; charset=utf-8", PAGE)
        elif isinstance(answer, Sound):
            self._stream(answer)
        else:
            self._whole(200, "application/json", json.dumps(answer).encode())

    def _whole(
        self, status: int, kind: str, body: bytes, headers: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        half = self.standin.fails == "half"
        self.wfile.write(body[: len(body) // 2] if half else body)
        if half:
            self.close_connection = True

    def _stream(self, sound: Sound) -> None:
        """Parts of odd sizes, as networks cut them."""
        self.send_response(200)
        self.send_header("Content-Type", sound.kind)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        size = 9_601
        for start in range(0, len(sound.audio), size):
            if start and self.standin.fails == "half":
                self.close_connection = True
                return
            if start and self.standin.hold is not None:
                self.standin.hold.wait(PATIENCE_SECONDS)
            part = sound.audio[start : start + size]
            self.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")


def text_of(value: Any, most: int, status: int) -> str:
    """What is to be said; raises Refused."""
    if not isinstance(value, str) or not 0 < len(value) <= most:
        raise Refused(status, "The text is missing or too long.")
    return value
