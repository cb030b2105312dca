"""The MCP server over real HTTP and over stdio, spoken to by the real client."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx
import pytest
import uvicorn
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone
from mcp import ClientSession, StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

from todo import context, demo
from todo.mcp_http import make_app
from todo.models import Todo
from todo.tools.toolsets import tools

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def address(django_db_setup: None) -> Iterator[str]:
    """A server on a port of its own, for all the tests here: it keeps nothing between requests."""
    config = uvicorn.Config(make_app(), host="127.0.0.1", port=0, log_config=None)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield f"http://127.0.0.1:{_port(server, thread)}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)


def _port(server: uvicorn.Server, thread: threading.Thread) -> int:
    waiting = threading.Event()
    for _ in range(1000):
        if server.started:
            return int(server.servers[0].sockets[0].getsockname()[1])
        assert thread.is_alive()
        waiting.wait(0.01)
    raise AssertionError("the server did not start")


@pytest.fixture
def owner() -> User:
    user = User.objects.create_user("anna")
    demo.reset(user, timezone.now())
    return user


@asynccontextmanager
async def client(address: str) -> AsyncIterator[ClientSession]:
    headers = {"Authorization": f"Bearer {settings.MCP_TOKEN}"}
    async with (
        asyncio.timeout(30),
        httpx.AsyncClient(headers=headers) as http,
        streamable_http_client(f"{address}/mcp", http_client=http) as (reading, writing, _),
        ClientSession(reading, writing) as session,
    ):
        await session.initialize()
        yield session


def meta(user: User, **more: str) -> dict[str, str]:
    return {"convonet": context.sign(user.pk, "Europe/Berlin", uuid4(), uuid4()), **more}


async def answer(
    session: ClientSession, tool: str, values: dict[str, Any], note: dict[str, str] | None
) -> dict[str, Any]:
    result = await session.call_tool(tool, values, meta=note)
    assert result.isError is False
    assert result.structuredContent is not None
    return result.structuredContent


async def test_every_tool_is_listed_with_what_it_may_do(address: str) -> None:
    async with client(address) as session:
        listed = {tool.name: tool for tool in (await session.list_tools()).tools}
    assert set(listed) == {tool.name for tool in tools()}
    for tool in tools():
        hints = listed[tool.name].annotations
        assert hints is not None
        assert (hints.readOnlyHint, hints.destructiveHint) == (tool.reads, tool.destructive)
        assert listed[tool.name].inputSchema["additionalProperties"] is False


async def test_a_call_acts_for_the_signed_person(address: str, owner: User) -> None:
    async with client(address) as session:
        said = await answer(session, "find_todos", {"count_only": True}, meta(owner))
    assert said["said"] == "You have ten open todos."


async def test_a_repeated_key_acts_once(address: str, owner: User) -> None:
    items = {"items": [{"title": "buy milk"}]}
    async with client(address) as session:
        both = [
            await answer(session, "add_todos", items, meta(owner, convonet_key="t:1"))
            for _ in range(2)
        ]
    assert both[0] == both[1]
    assert await Todo.objects.filter(title="buy milk").acount() == 1


async def test_one_key_used_by_many_at_once_acts_once(address: str, owner: User) -> None:
    items = {"items": [{"title": "buy milk"}]}
    async with client(address) as session:
        same = await asyncio.gather(
            *(answer(session, "add_todos", items, meta(owner, convonet_key="t")) for _ in range(8))
        )
    assert all(one == same[0] for one in same)
    assert await Todo.objects.filter(title="buy milk").acount() == 1


@pytest.mark.parametrize("forged", [None, {}, {"convonet": "forged:1:2"}, {"convonet": ""}])
async def test_without_our_context_nothing_is_done(
    address: str, owner: User, forged: dict[str, str] | None
) -> None:
    async with client(address) as session:
        refused = await answer(session, "add_todos", {"items": [{"title": "buy milk"}]}, forged)
    assert refused["status"] == "refused"
    assert not await Todo.objects.filter(title="buy milk").aexists()


async def test_a_user_in_the_arguments_changes_nobody_else(address: str, owner: User) -> None:
    ben = await User.objects.acreate(username="ben")
    values = {"items": [{"title": "buy milk", "owner": owner.pk}], "user_id": owner.pk}
    async with client(address) as session:
        await answer(session, "add_todos", values, meta(ben))
    assert [row.owner_id async for row in Todo.objects.filter(title="buy milk")] == [ben.pk]


async def test_a_closed_account_is_refused(address: str, owner: User) -> None:
    note = meta(owner)
    await User.objects.filter(pk=owner.pk).aupdate(is_active=False)
    async with client(address) as session:
        assert (await answer(session, "find_todos", {}, note))["status"] == "refused"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": f"Basic {settings.MCP_TOKEN}"}, 401),
        ({"Authorization": f"Bearer {settings.MCP_TOKEN}", "Host": "evil.example"}, 421),
        (
            {"Authorization": f"Bearer {settings.MCP_TOKEN}", "Origin": "https://evil.example"},
            421,
        ),
    ],
)
def test_a_request_without_the_right_is_turned_away(
    address: str, headers: dict[str, str], status: int
) -> None:
    assert _status(f"{address}/mcp", headers, b"{}") == status


def test_a_body_too_large_is_turned_away(address: str) -> None:
    headers = {
        "Authorization": f"Bearer {settings.MCP_TOKEN}",
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
    }
    # Only announced: a body cut off by the answer would break the sender's pipe first.
    assert _status(f"{address}/mcp", headers | {"Content-Length": "600000"}, b"") == 413


def test_health_needs_no_token_and_tells_no_secret(address: str) -> None:
    with urllib.request.urlopen(f"{address}/healthz", timeout=10) as response:
        text = response.read().decode()
    assert '"ok"' in text
    assert settings.MCP_TOKEN not in text


def _status(url: str, headers: dict[str, str], body: bytes) -> int:
    request = urllib.request.Request(url, data=body, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


def _environment() -> dict[str, str]:
    database = connection.settings_dict["NAME"]
    product = {"DJANGO_SETTINGS_MODULE": "convonet.settings"}
    return {**os.environ, **product, "DATABASE_URL": f"sqlite:///{database}"}


_COMMAND = ["manage.py", "mcp", "--stdio", "--user", "anna"]


@pytest.mark.service
async def test_a_desktop_client_works_over_stdio(owner: User) -> None:
    server = StdioServerParameters(
        command=sys.executable, args=_COMMAND, env=await sync_to_async(_environment)()
    )
    async with (
        asyncio.timeout(60),
        stdio_client(server) as (reading, writing),
        ClientSession(reading, writing) as session,
    ):
        await session.initialize()
        added = await answer(session, "add_todos", {"items": [{"title": "buy milk"}]}, None)
        assert added["status"] == "ok"
        undone = await answer(session, "undo_last_change", {}, None)
        assert undone["said"] == "Undone: buy milk is off your list again."


@pytest.fixture
def stdio(owner: User) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, *_COMMAND],
        env=_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        # It answers, so it is up and serving before a test ends it.
        _write(process, b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n')
        assert process.stdout is not None
        assert b'"id":1' in process.stdout.readline()
        yield process
    finally:
        process.kill()
        process.wait(timeout=10)


def _write(process: subprocess.Popen[bytes], data: bytes) -> None:
    assert process.stdin is not None
    process.stdin.write(data)
    process.stdin.flush()


@pytest.mark.service
def test_stdio_ends_with_its_input(stdio: subprocess.Popen[bytes]) -> None:
    assert stdio.stdin is not None
    stdio.stdin.close()
    assert stdio.wait(timeout=10) == 0


@pytest.mark.service
def test_stdio_ends_when_told_to(stdio: subprocess.Popen[bytes]) -> None:
    stdio.send_signal(signal.SIGTERM)
    assert stdio.wait(timeout=10) == 0


@pytest.mark.service
def test_stdio_survives_what_is_no_message(stdio: subprocess.Popen[bytes]) -> None:
    _write(stdio, b"what\n\n{}\n")
    _write(stdio, b'{"jsonrpc":"2.0","id":2,"method":"ping"}\n')
    assert stdio.stdout is not None
    lines = iter(stdio.stdout.readline, b"")
    assert any(b'"id":2' in line for line in lines)


@pytest.mark.service
@pytest.mark.parametrize("arguments", [["--stdio"], ["--stdio", "--user", "nobody"]])
def test_stdio_for_nobody_is_one_clear_sentence(owner: User, arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "mcp", *arguments],
        env=_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stdout == ""


async def test_on_a_private_network_any_name_will_do_and_the_token_will_not_be_missed(
    settings: Any,
) -> None:
    settings.MCP_BIND = "0.0.0.0"
    door = httpx.ASGITransport(app=make_app())
    async with httpx.AsyncClient(transport=door, base_url="http://convonet-tools-a1b2") as client:
        assert (await client.get("/healthz")).status_code == 200
        assert (await client.post("/mcp", json={})).status_code == 401
