"""The MCP server over stdin and stdout, for a desktop client that started us.

It ends when stdin ends, on SIGTERM, and when the client that started it dies.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from io import TextIOWrapper

import anyio
from mcp.server.stdio import stdio_server

from todo.mcp_server import identify_as, make_server

_PR_SET_PDEATHSIG = 1
_PARENT_CHECK_SECONDS = 2.0


def serve(user_id: int, time_zone: str) -> None:
    """Returns at the end of stdin."""
    parent = os.getppid()
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    _die_with_parent()
    anyio.run(_serve, user_id, time_zone, parent, _protocol_only_stdout())


async def _serve(user_id: int, time_zone: str, parent: int, stdout: TextIOWrapper) -> None:
    server = make_server(identify_as(user_id, time_zone))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_watch_parent, parent)
        async with stdio_server(stdout=anyio.wrap_file(stdout)) as (reading, writing):
            await server.run(reading, writing, server.create_initialization_options())
        tasks.cancel_scope.cancel()


def _protocol_only_stdout() -> TextIOWrapper:
    """The real stdout for the protocol; whatever else prints goes to stderr."""
    sys.stdout.flush()
    wire = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return TextIOWrapper(wire, encoding="utf-8")


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


async def _watch_parent(parent: int) -> None:
    # Where the kernel gives no signal, and for a parent that died before we asked for one.
    while os.getppid() == parent:  # noqa: ASYNC110 - a dying parent sends no event
        await anyio.sleep(_PARENT_CHECK_SECONDS)
    os._exit(0)
