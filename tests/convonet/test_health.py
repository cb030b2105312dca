"""What /healthz says of each part, and what it costs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import redis as redis_library
from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import AsyncClient, override_settings

from convonet import health, ports
from convonet.allowance import Allowance
from convonet.health import Findings, Probes, report
from tests.phone.in_process import serving
from voice import keys, room
from voice.admission import Switchboard
from voice.places import Count

WORKERS: dict[str, Any] = {"agent": {}, "speech": {}}
WELL = Findings(True, True, True, WORKERS, Count(calls=3, waiting=0, free=7))


@pytest.fixture(autouse=True)
def fresh_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_probes", Probes())


@pytest.fixture
def broker_settings(broker: str) -> Iterator[None]:
    with override_settings(REDIS_URL=broker):
        yield


def test_all_well_is_ok_with_the_calls_in_progress() -> None:
    body = report(WELL, 3)
    assert (body["status"], body["reasons"], body["calls"]) == ("ok", [], 3)
    assert body["workers"] == {"agent": "ok", "speech": "ok"}


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (
            Count(calls=10, waiting=0, free=0),
            "All 10 lines are taken, and new callers are told so.",
        ),
        (Count(calls=9, waiting=1, free=1), "All 10 lines are taken, and new callers are told so."),
        (
            Count(calls=4, waiting=0, free=0),
            "Memory is 83 % full, and new callers are told that all lines are busy.",
        ),
    ],
)
def test_a_full_service_says_so_and_is_well(
    lines: Count, sentence: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MAX_CALLS = 10
    seen = Allowance("cgroup v2", 1000, 830, 0)
    monkeypatch.setattr(room.here(), "seen", lambda: seen)
    body = report(replace(WELL, lines=lines), 2)
    assert (body["status"], body["reasons"]) == ("full", [sentence])
    assert body["lines"]["most"] == 10


def test_what_is_wrong_comes_before_what_is_full() -> None:
    found = replace(WELL, mcp=False, lines=Count(calls=1000, waiting=0, free=0))
    body = report(found, 0)
    assert body["status"] == "unavailable"
    assert len(body["reasons"]) == 2


def test_where_nothing_computes_speech_no_worker_for_it_is_missed(settings: Any) -> None:
    settings.SPEECH_WORKER = False
    body = report(replace(WELL, workers={"agent": {}}), 0)
    assert (body["status"], body["workers"]) == ("ok", {"agent": "ok"})


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (Findings(True, False, True, WELL.workers), "The database does not answer."),
        (Findings(True, True, False, WELL.workers), "The todo tool server does not answer."),
        (Findings(True, True, True, {"agent": {}}), "No speech worker has reported."),
        (Findings(True, True, True, {"speech": {}}), "No agent worker has reported."),
    ],
)
def test_missing_part_is_the_reason(found: Findings, reason: str) -> None:
    body = report(found, 0)
    assert body["status"] == "unavailable"
    assert body["reasons"] == [reason]


def test_without_a_broker_nothing_is_claimed_about_workers() -> None:
    body = report(Findings(False, True, True), 0)
    assert body["reasons"] == ["The broker does not answer."]
    assert body["workers"] == {"agent": "down", "speech": "down"}


@pytest.mark.django_db(transaction=True)
async def test_service_without_its_parts_answers_503_with_sentences_and_no_secret() -> None:
    dead = f"redis://:geheim@127.0.0.1:{ports.any_free()}/0"
    with override_settings(REDIS_URL=dead, MCP_URL=f"http://127.0.0.1:{ports.any_free()}/mcp"):
        response = await AsyncClient().get("/healthz")
    assert response.status_code == 503
    body = json.loads(response.content)
    assert body["reasons"] == [
        "The broker does not answer.",
        "The todo tool server does not answer.",
    ]
    assert b"geheim" not in response.content


async def serve(answer: bytes) -> tuple[asyncio.Server, str]:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    return server, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/mcp"


@pytest.mark.django_db(transaction=True)
async def test_service_with_all_its_parts_answers_200(
    broker_settings: None, redis: redis_library.Redis
) -> None:
    for role in health.ROLES:
        redis.set(keys.heartbeat(role), json.dumps({"pid": 1}), ex=60)
    server, url = await serve(b"HTTP/1.1 200 OK\r\n\r\n{}")
    async with server:
        with override_settings(MCP_URL=url):
            response = await AsyncClient().get("/healthz")
    assert response.status_code == 200, response.content
    body = json.loads(response.content)
    assert body["broker"] == "ok"
    assert body["lines"] | {"free": 0} == {"calls": 0, "most": 150, "waiting": 0, "free": 0}


@pytest.mark.django_db(transaction=True)
async def test_a_full_service_answers_200_so_that_nobody_starts_it_anew(
    broker_settings: None, redis: redis_library.Redis, settings: Any
) -> None:
    settings.MAX_CALLS, settings.ADMIT_BELOW_PERCENT = 1, 100
    for role in health.ROLES:
        redis.set(keys.heartbeat(role), json.dumps({"pid": 1}), ex=60)
    client = redis_library.asyncio.Redis.from_url(settings.REDIS_URL)
    server, url = await serve(b"HTTP/1.1 200 OK\r\n\r\n{}")
    async with server, client, Switchboard(client).admitted("user:1"):
        with override_settings(MCP_URL=url):
            response = await AsyncClient().get("/healthz")
    body = json.loads(response.content)
    assert (response.status_code, body["status"], body["calls"]) == (200, "full", 1)


async def test_the_broker_is_asked_by_the_way_that_calls_take(
    broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That another connection is made and answered says nothing of theirs."""
    async with serving(broker) as joined:
        assert await health._ask_broker() is not None

        async def lost(*_: object, **__: object) -> None:
            raise redis_library.ConnectionError

        monkeypatch.setattr(joined.redis, "eval", lost)
        assert await health._ask_broker() is None


async def test_tool_server_that_answers_with_an_error_is_down() -> None:
    server, url = await serve(b"HTTP/1.1 500 Oh\r\n\r\n")
    async with server:
        with override_settings(MCP_URL=url):
            assert await health._within(health._ask_mcp()) is False


async def test_tool_server_that_never_answers_is_down_after_a_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(health, "PROBE_SECONDS", 0.05)

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/mcp"
        with override_settings(MCP_URL=url):
            assert await health._within(health._ask_mcp()) is False


@pytest.mark.django_db(transaction=True)
async def test_flood_of_questions_asks_the_parts_once(
    broker_settings: None, redis: redis_library.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    async def counted() -> None:
        asked.append(1)

    monkeypatch.setattr(health, "_ask_broker", counted)
    # However long a slow machine takes for them all.
    monkeypatch.setattr(health, "FRESH_SECONDS", 600.0)
    await asyncio.gather(*(AsyncClient().get("/healthz") for _ in range(50)))
    assert len(asked) == 1


@pytest.mark.django_db(transaction=True)
async def test_lost_database_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object) -> None:
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(BaseDatabaseWrapper, "cursor", refuse)
    response = await AsyncClient().get("/healthz")
    assert json.loads(response.content)["database"] == "down"
    assert b"closed the connection" not in response.content
