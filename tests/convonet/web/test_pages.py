"""Requests by threads: how many of them and of their connections, streams, and what is refused."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.db import connection, connections
from django.db.backends.signals import connection_created
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import path

from convonet import database
from convonet.web.pages import Pages
from convonet.web.threads import Threads

PATIENCE = 60
threads_seen: set[int] = set()
connections_seen: list[Any] = []
loops_seen: list[Any] = []
gate = threading.Event()
parts_made: list[int] = []


def plain(request: HttpRequest) -> HttpResponse:
    threads_seen.add(threading.get_ident())
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    if connection.connection not in connections_seen:
        connections_seen.append(connection.connection)
    return HttpResponse(request.body + b" " + request.GET.get("a", "").encode())


def is_open(opened: Any) -> bool:
    try:
        opened.total_changes  # noqa: B018
    except sqlite3.ProgrammingError:
        return False
    return True


def slow(_request: HttpRequest) -> HttpResponse:
    assert gate.wait(PATIENCE)
    return HttpResponse("slow")


def _thread() -> int:
    return threading.get_ident()


async def back(_request: HttpRequest) -> HttpResponse:
    loops_seen.append(asyncio.get_running_loop())
    return HttpResponse(str(await sync_to_async(_thread)()))


def broken(_request: HttpRequest) -> HttpResponse:
    raise RuntimeError("as it happens")


def streamed(_request: HttpRequest) -> HttpResponseBase:
    def parts() -> Iterator[bytes]:
        for number in range(200):
            parts_made.append(threading.get_ident())
            yield b"%d " % number

    return StreamingHttpResponse(parts())


async def flowing(_request: HttpRequest) -> HttpResponseBase:
    async def parts() -> AsyncIterator[bytes]:
        yield b"one "
        yield b"two"

    return StreamingHttpResponse(parts())


urlpatterns = [
    path(f"{view.__name__}/", view) for view in (plain, slow, back, broken, streamed, flowing)
]


@pytest.fixture(autouse=True)
def our_pages(settings: Any) -> Iterator[None]:
    settings.ROOT_URLCONF = __name__
    settings.ALLOWED_HOSTS = ["here"]
    # Sessions and people are not what this is about.
    settings.MIDDLEWARE = ["django.middleware.security.SecurityMiddleware"]
    for seen in (threads_seen, connections_seen, loops_seen, parts_made):
        seen.clear()
    gate.clear()
    yield
    gate.set()


@pytest.fixture
def kept_connections() -> Iterator[None]:
    database.keep_all()
    yield
    connection_created.disconnect(database._keep)


def ask(application: Any, where: str, body: bytes = b"") -> Any:
    name, _, query = where.partition("?")
    scope = {
        "type": "http",
        "method": "POST" if body else "GET",
        "path": f"/{name}/",
        "query_string": query.encode(),
        "headers": [(b"host", b"here"), (b"content-length", str(len(body)).encode())],
    }
    return ApplicationCommunicator(application, scope)  # type: ignore[no-untyped-call]


async def answer(asked: Any, *bodies: bytes) -> tuple[int, bytes]:
    for index, body in enumerate(bodies or (b"",)):
        more = index < len(bodies) - 1
        await asked.send_input({"type": "http.request", "body": body, "more_body": more})
    start = await asked.receive_output(PATIENCE)
    content = b""
    while True:
        message = await asked.receive_output(PATIENCE)
        content += message.get("body", b"")
        if not message.get("more_body"):
            return start["status"], content


@pytest.mark.django_db(transaction=True)
async def test_a_burst_takes_a_few_threads_and_connections_and_leaves_none(
    kept_connections: None,
) -> None:
    ended = threading.Semaphore(0)
    pool = Threads(
        "page", 2, waiting=100, idle_seconds=0.5, parting=connections.close_all, ended=ended.release
    )
    application = Pages().by(pool)
    answers = await asyncio.gather(
        *(answer(ask(application, f"plain?a={n}", b"hello"), b"hel", b"lo") for n in range(60))
    )
    assert answers == [(200, b"hello %d" % n) for n in range(60)]
    # A thread that had nothing to do for a moment may have ended and come back.
    assert 1 <= len(connections_seen) <= 10
    async with asyncio.timeout(PATIENCE):
        while any(map(is_open, connections_seen)):
            await asyncio.to_thread(ended.acquire, timeout=1)
    assert pool.threads == 0


async def test_an_asynchronous_page_runs_on_the_loop_and_its_thread_work_on_its_thread() -> None:
    application = Pages().by(Threads("page", 1, waiting=10))
    status, thread = await answer(ask(application, "back"))
    assert status == 200
    assert int(thread) != threading.get_ident()
    assert loops_seen == [asyncio.get_running_loop()]


async def test_one_too_many_is_told_to_come_again() -> None:
    application = Pages().by(Threads("page", 1, waiting=1))
    asked = [ask(application, "slow") for _ in range(2)]
    tasks = [asyncio.create_task(answer(one)) for one in asked]
    refused = None
    while refused is None:
        one = ask(application, "slow")
        task = asyncio.create_task(answer(one))
        done, _ = await asyncio.wait({task}, timeout=0.2)
        refused = task.result() if done else None
        tasks += [] if done else [task]
    assert refused == (503, b"Busy. Please try again.")
    gate.set()
    assert set(await asyncio.gather(*tasks)) <= {(200, b"slow"), (503, b"Busy. Please try again.")}


async def test_a_plain_stream_is_made_part_by_part_on_threads() -> None:
    application = Pages().by(Threads("page", 1, waiting=10))
    status, content = await answer(ask(application, "streamed"))
    assert (status, content) == (200, b"".join(b"%d " % n for n in range(200)))
    assert threading.get_ident() not in parts_made


async def test_an_asynchronous_stream_is_passed_on() -> None:
    application = Pages().by(Threads("page", 1, waiting=10))
    assert await answer(ask(application, "flowing")) == (200, b"one two")


async def test_nothing_more_is_made_for_who_is_gone() -> None:
    held = asyncio.Event()
    application = Pages().by(Threads("page", 1, waiting=10))

    async def stuck(scope: Any, receive: Any, send: Any) -> None:
        async def send_one(message: Any) -> None:
            await send(message)
            if message.get("body"):
                await held.wait()

        await application(scope, receive, send_one)

    asked = ask(stuck, "streamed")
    await asked.send_input({"type": "http.request", "body": b"", "more_body": False})
    await asked.receive_output(PATIENCE)
    assert (await asked.receive_output(PATIENCE))["body"] == b"0 "
    await asked.send_input({"type": "http.disconnect"})
    await asked.wait(PATIENCE)
    assert len(parts_made) <= 2


async def test_who_is_gone_before_they_have_asked_is_not_answered() -> None:
    asked = ask(Pages().by(Threads("page", 1, waiting=10)), "plain")
    await asked.send_input({"type": "http.request", "body": b"a", "more_body": True})
    await asked.send_input({"type": "http.disconnect"})
    await asked.wait(PATIENCE)
    assert await asked.receive_nothing()
    assert not threads_seen


async def test_more_than_a_page_may_be_sent_is_refused_unread(settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
    asked = ask(Pages().by(Threads("page", 1, waiting=10)), "plain", b"x" * 11)
    assert await answer(asked, b"x" * 11) == (413, b"Too much.")
    assert not threads_seen


async def test_a_broken_page_is_an_answer_too() -> None:
    asked = ask(Pages().by(Threads("page", 1, waiting=10)), "broken")
    status, content = await answer(asked)
    assert status == 500
    assert b"as it happens" not in content
