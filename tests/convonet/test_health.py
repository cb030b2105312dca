"""What /healthz says of each part, and what it costs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
import redis as redis_library
from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import AsyncClient, override_settings

from convonet import health, ports
from convonet.health import Findings, Probes, report
from voice import keys

WELL = Findings(broker=True, database=True, mcp=True, workers={"agent": {}, "speech": {}})


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
    assert json.loads(response.content)["broker"] == "ok"


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

    async def counted() -> dict[str, Any]:
        asked.append(1)
        return {}

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
