"""An MCP server like the product's, whose tools break on request: `python -m … PORT DIRECTORY`.

Effects are lines of DIRECTORY/effects, answers by idempotency key are files below DIRECTORY/keys.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

from mcp.server.fastmcp import Context, FastMCP

port, directory = int(sys.argv[1]), Path(sys.argv[2])
server = FastMCP("test tools", host="127.0.0.1", port=port, log_level="ERROR")


def effect(context: Context[Any, Any, Any], what: str) -> dict[str, Any]:
    """Note `what` once per key."""
    extra = (context.request_context.meta and context.request_context.meta.model_extra) or {}
    key = directory / "keys" / str(extra["convonet_key"]).replace(":", "_")
    key.parent.mkdir(exist_ok=True)
    try:
        key.open("x").close()
    except FileExistsError:
        pass
    else:
        with (directory / "effects").open("a") as effects:
            effects.write(f"{what}\n")
    return {
        "status": "ok",
        "said": f"Added {what}.",
        "summary": f"added: {what}",
        "change": 7,
        "todos": [{"id": 4, "title": what}],
    }


@server.tool()
def add(what: str, ctx: Context[Any, Any, Any]) -> dict[str, Any]:
    return effect(ctx, what)


@server.tool()
def add_then_die_once(what: str, ctx: Context[Any, Any, Any]) -> dict[str, Any]:
    """The change is made, its answer never sent."""
    answer = effect(ctx, what)
    marker = directory / "died"
    if not marker.exists():
        marker.touch()
        os._exit(1)
    return answer


@server.tool()
def add_slowly(what: str, seconds: float, ctx: Context[Any, Any, Any]) -> dict[str, Any]:
    time.sleep(seconds)
    return effect(ctx, what)


@server.tool()
def add_and_wait(what: str, until: str, ctx: Context[Any, Any, Any]) -> dict[str, Any]:
    """The change is made, its answer held back until the file is there."""
    answer = effect(ctx, what)
    deadline = time.monotonic() + 3
    while not Path(until).exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    return answer


@server.tool()
def refuse() -> dict[str, Any]:
    return {"status": "refused", "said": "That is not yours.", "summary": "", "change": None}


@server.tool()
def context() -> dict[str, Any]:
    return {"status": "ok", "said": "Here.", "summary": "", "change": None}


@server.tool()
def end_call() -> dict[str, Any]:
    return {"status": "ok", "said": "Goodbye.", "summary": "", "change": None}


if __name__ == "__main__":
    server.run("streamable-http")
