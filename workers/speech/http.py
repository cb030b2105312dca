"""Speech services over HTTP: one pooled client for each process, and one name for each failure.

Below the adapters `openai`, `deepgram` and `elevenlabs`. A service waits for us only as long as a
caller would; what it says of a failure is never repeated, since it may quote the caller's words.
"""

from __future__ import annotations

import json
import os
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from threading import Lock
from time import monotonic
from typing import Any

# Otherwise imported by the first client, so in every child.
import httpcore  # noqa: F401
import httpx

from convonet import env
from workers.speech.failures import ServiceError

# A caller who waits longer for a word has hung up.
CONNECT_SECONDS = 3.0
WAIT_SECONDS = 6.0
# Of one whole answer: a long sentence is made in far less.
WHOLE_SECONDS = 20.0
# A transcript of half an hour is 30 KB.
MOST_JSON_BYTES = 4 << 20
_AUTH = frozenset((401, 402, 403))
_TIMEOUT = frozenset((408, 504))

# As many as there may be lanes: who waited for another's answer would be late for no reason.
_LIMITS = httpx.Limits(max_connections=64, max_keepalive_connections=4, keepalive_expiry=60)

_client: httpx.Client | None = None
_pid = 0
_making = Lock()


@dataclass(frozen=True, slots=True)
class Service:
    """Where a speech service is, and what lets us in."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    wait_seconds: float = WAIT_SECONDS
    """For the answer to begin, and then for each further part of it."""
    whole_seconds: float = WHOLE_SECONDS

    @classmethod
    def at(cls, url: str, **headers: str) -> Service:
        """With `SPEECH_TIMEOUT_SECONDS` as the host set it."""
        wait = env.seconds("SPEECH_TIMEOUT_SECONDS", WAIT_SECONDS, least=0.1, most=30.0)
        return cls(url.rstrip("/"), headers, wait, max(WHOLE_SECONDS, wait))

    def ask(self, path: str, **content: Any) -> Any:
        """POST and return the JSON answer; `content` as for `httpx.Client.build_request`."""
        with self.answer(path, **content) as answer:
            body = bytearray()
            for part in answer.parts():
                body += part
                if len(body) > MOST_JSON_BYTES:
                    raise ServiceError("speech_garbage")
        try:
            return json.loads(body)
        except ValueError as wrong:
            raise ServiceError("speech_garbage") from wrong

    @contextmanager
    def answer(self, path: str, **content: Any) -> Iterator[Answer]:
        """POST and stream the answer, which is a good one; raises SpeechError, also within."""
        timeout = httpx.Timeout(self.wait_seconds, connect=min(CONNECT_SECONDS, self.wait_seconds))
        deadline = monotonic() + self.whole_seconds
        with _named():
            headers = {**self.headers, **content.pop("headers", {})}
            request = client().build_request(
                "POST", self.url + path, headers=headers, timeout=timeout, **content
            )
            response = _sent(request)
            try:
                if not response.is_success:
                    raise ServiceError(
                        _code_of(response.status_code), retry_after=_retry_after(response)
                    )
                yield Answer(response, deadline)
            finally:
                response.close()


@dataclass(frozen=True, slots=True)
class Answer:
    response: httpx.Response
    deadline: float

    @property
    def kind(self) -> str:
        """Its media type, lower case; empty when it does not say."""
        told = str(self.response.headers.get("content-type", ""))
        return told.partition(";")[0].strip().lower()

    def parts(self) -> Iterator[bytes]:
        """Its bytes as they come."""
        for part in self.response.iter_bytes():
            if monotonic() > self.deadline:
                raise ServiceError("speech_timeout")
            yield part


@cache
def trusted() -> ssl.SSLContext:
    """Whose certificates are believed: 0.7 MB, read once, by the parent before it forks."""
    return httpx.create_ssl_context()


def client() -> httpx.Client:
    """The client of this process: sockets must not be shared across a fork."""
    global _client, _pid
    with _making:
        if _client is None or _pid != os.getpid():
            # Proxies of the environment are honoured, .netrc with others' passwords is not read.
            _client = httpx.Client(limits=_LIMITS, follow_redirects=False, verify=trusted())
            _pid = os.getpid()
        return _client


def close() -> None:
    """The process ends."""
    global _client
    if _client is not None and _pid == os.getpid():
        _client.close()
    _client = None


def _sent(request: httpx.Request) -> httpx.Response:
    """Twice if need be: a connection kept from before may be dead without our knowing."""
    try:
        return client().send(request, stream=True)
    except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
        return client().send(request, stream=True)


@contextmanager
def _named() -> Iterator[None]:
    try:
        yield
    except httpx.TimeoutException as wrong:
        raise ServiceError("speech_timeout") from wrong
    except (httpx.RemoteProtocolError, httpx.ReadError) as wrong:
        raise ServiceError("speech_half") from wrong
    except httpx.DecodingError as wrong:
        raise ServiceError("speech_garbage") from wrong
    except (httpx.HTTPError, httpx.InvalidURL) as wrong:
        raise ServiceError("speech_unreached") from wrong


def _code_of(status: int) -> str:
    if status in _AUTH:
        return "speech_auth"
    if status == 429:
        return "speech_rate"
    if status in _TIMEOUT:
        return "speech_timeout"
    if status >= 500:
        return "speech_server"
    # A redirect too: no speech service sends any, and a key is not to follow one.
    return "speech_refused" if status >= 400 else "speech_garbage"


def _retry_after(response: httpx.Response) -> float:
    """Seconds; a date, which no speech service sends, counts as nothing."""
    try:
        return max(0.0, float(response.headers.get("retry-after", "0")))
    except ValueError:
        return 0.0
