"""Django's pages by one hop: a request is answered as a whole in a thread, and sent from the loop.

Django's own handler hops to a thread of the request's own about twenty times, one for each
middleware; here no thread is held while a slow client sends or reads.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar, cast

import django
from asgiref.sync import sync_to_async
from django.conf import settings
from django.core import signals
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.http import FileResponse, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix

from convonet.web.threads import Busy, Threads

P = ParamSpec("P")
R = TypeVar("R")
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[Any], Awaitable[None]]
Application = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]

AGAIN_SECONDS = 2


class Pages(ASGIHandler):
    """Django, once per process; each `by` is an ASGI application of it."""

    def __init__(self) -> None:
        django.setup(set_prefix=False)
        # Not Django's own `__init__`, which has every middleware hop for itself.
        self.load_middleware(is_async=False)

    def by(self, threads: Threads) -> Application:
        """Answered by these threads."""

        async def application(scope: dict[str, Any], receive: Receive, send: Send) -> None:
            await self._serve(threads, scope, receive, send)

        return application

    async def _serve(
        self, threads: Threads, scope: dict[str, Any], receive: Receive, send: Send
    ) -> None:
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = await body_of(receive, most)
        if body is None:
            return
        if len(body) > most:
            await self.send_response(HttpResponse("Too much.", status=413), send)
            return
        try:
            response = await _on(threads, self._answer)(scope, body)
        except Busy:
            later = {"Retry-After": str(AGAIN_SECONDS)}
            response = HttpResponse("Busy. Please try again.", status=503, headers=later)
        if isinstance(response, StreamingHttpResponse):
            await self._stream(threads, response, receive, send)
        else:
            await self.send_response(response, send)

    def _answer(self, scope: dict[str, Any], body: bytes) -> HttpResponseBase:
        """On a thread. What is not streamed is complete, and done with, when it returns."""
        set_script_prefix(get_script_prefix(scope))
        signals.request_started.send(sender=self.__class__, scope=scope)
        request, refusal = self.create_request(scope, io.BytesIO(body))
        response = self.get_response(request) if request else refusal
        assert response is not None
        response._handler_class = self.__class__  # type: ignore[attr-defined]
        if not response.streaming:
            response.close()
        return response

    async def _stream(
        self, threads: Threads, response: StreamingHttpResponse, receive: Receive, send: Send
    ) -> None:
        """Until all is sent or the client is gone."""
        if isinstance(response, FileResponse):
            response.block_size = self.chunk_size
        if not response.is_async:
            parts = cast(Iterator[bytes], response.streaming_content)
            response.streaming_content = _parts(threads, parts)
        sending = asyncio.create_task(self.send_response(response, send))
        leaving = asyncio.create_task(_gone(receive))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sending.cancel()
            leaving.cancel()
            sent, _ = await asyncio.gather(sending, leaving, return_exceptions=True)
            response.close()
        if isinstance(sent, Exception):
            raise sent


async def body_of(receive: Receive, most: int) -> bytes | None:
    """A request's body, or more than `most` bytes of one that is longer; None: nobody is there."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        if len(body) > most or not message.get("more_body"):
            return bytes(body)


async def _parts(threads: Threads, parts: Iterator[bytes]) -> AsyncIterator[bytes]:
    """One after the other; of a plain iterator Django would first make a list of all."""
    one = _on(threads, lambda: next(parts, None))
    while (part := await one()) is not None:
        yield part


def _on(threads: Threads, function: Callable[P, R]) -> Callable[P, Awaitable[R]]:
    # By asgiref and not by the loop: what is asynchronous in there comes back to our loop so.
    executor = cast(ThreadPoolExecutor, threads)
    return sync_to_async(function, thread_sensitive=False, executor=executor)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
