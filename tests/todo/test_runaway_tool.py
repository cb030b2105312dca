"""A tool that allocates without end fails alone: its server lives, and others are answered."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import psutil
import pytest
from django.conf import settings
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult

from convonet import ports
from tests.stack import wait_until

pytestmark = pytest.mark.service
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    port = ports.any_free()
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"}
    module = "tests.todo.runaway_server"
    process = subprocess.Popen(
        [sys.executable, "-m", module, str(port), settings.MCP_TOKEN], cwd=ROOT, env=environment
    )
    try:
        wait_until(lambda: _answers(port), 60, "the tool server answers")
        yield process, port
    finally:
        process.terminate()
        process.wait(10)


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def said(result: CallToolResult) -> str:
    assert result.structuredContent is not None
    return str(result.structuredContent["said"])


@asynccontextmanager
async def session(port: int) -> AsyncIterator[ClientSession]:
    headers = {"Authorization": f"Bearer {settings.MCP_TOKEN}"}
    async with (
        httpx.AsyncClient(headers=headers, trust_env=False, timeout=30) as client,
        streamable_http_client(f"http://127.0.0.1:{port}/mcp", http_client=client) as streams,
        ClientSession(streams[0], streams[1]) as opened,
    ):
        await opened.initialize()
        yield opened


async def test_a_runaway_tool_fails_alone(server: tuple[subprocess.Popen[bytes], int]) -> None:
    process, port = server
    peak_before = psutil.Process(process.pid).memory_info().rss
    async with asyncio.timeout(60), session(port) as one, session(port) as other:
        for _ in range(3):
            runaway = asyncio.create_task(one.call_tool("find_todos", {}))
            assert said(await other.call_tool("show_lists", {})) == "Ran show_lists."
            assert "too much for me" in said(await runaway)
    assert process.poll() is None
    assert psutil.Process(process.pid).memory_info().rss < peak_before + 150_000_000
