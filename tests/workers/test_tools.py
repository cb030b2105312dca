"""Many turns of a child call tools over one session."""

from __future__ import annotations

import asyncio
import json
from time import monotonic
from typing import Any

import httpx
import pytest

from workers import rehearsal
from workers.errors import ToolError
from workers.tools import TodoServer


class Server:
    """Answers by no network; the tool `slow` never does."""

    def __init__(self) -> None:
        self.sessions = 0
        self.silent = False

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        asked: dict[str, Any] = json.loads(request.content) if request.content else {}
        method = asked.get("method")
        self.sessions += method == "initialize"
        named_slow = method == "tools/call" and asked["params"]["name"] == "slow"
        if named_slow or (self.silent and method in ("ping", "tools/call")):
            self.silent = self.silent and method != "ping"
            await asyncio.Event().wait()
        if method == "ping":
            answer = {"jsonrpc": "2.0", "id": asked["id"], "result": {}}
            return httpx.Response(200, json=answer)
        return rehearsal.respond(request)


async def opened(server: Server) -> TodoServer:
    transport = httpx.MockTransport(server)
    client = TodoServer("http://tools/mcp", "", try_seconds=0.05, transport=transport)
    client.open()
    await client.tools(monotonic() + 60)
    return client


async def call(client: TodoServer, name: str, seconds: float = 60.0) -> dict[str, Any]:
    return await client.call(name, {}, context="", key="turn:0", deadline=monotonic() + seconds)


async def test_a_slow_tool_of_one_turn_leaves_the_session_to_the_others() -> None:
    server = Server()
    client = await opened(server)
    slow = asyncio.create_task(call(client, "slow"))
    while not slow.done():
        assert (await call(client, "quick"))["status"] == "ok"
        await asyncio.sleep(0.01)
    with pytest.raises(ToolError) as caught:
        await slow
    assert caught.value.code == "tool_unknown"
    assert server.sessions == 1
    await client.close()


async def test_a_server_that_answers_nothing_is_connected_to_anew() -> None:
    server = Server()
    client = await opened(server)
    server.silent = True
    assert (await call(client, "quick"))["status"] == "ok"
    assert server.sessions == 2
    await client.close()
