"""The product's tool server, whose `find_todos` allocates without end: `python -m … PORT TOKEN`."""

from __future__ import annotations

import sys
from typing import Any
from unittest.mock import patch

import django

django.setup()

import uvicorn  # noqa: E402  # after Django, as manage.py does it
from django.conf import settings  # noqa: E402

from convonet import memory  # noqa: E402
from todo import mcp_http, mcp_server  # noqa: E402

CEILING_MB = 150


def run_tool(actor: Any, name: str, arguments: dict[str, Any], key: str) -> dict[str, Any]:
    if name == "find_todos":
        hoard: list[bytearray] = []
        while True:
            hoard.append(bytearray(4_000_000))
    return mcp_server.REFUSED | {"status": "ok", "said": f"Ran {name}."}


patch.object(mcp_server, "run_tool", run_tool).start()
patch.object(mcp_http, "identify_by_context", lambda meta, tool: None).start()
patch.object(settings, "MCP_TOKEN", sys.argv[2]).start()
memory.limit_growth(CEILING_MB)
uvicorn.run(mcp_http.make_app(), host="127.0.0.1", port=int(sys.argv[1]), log_config=None)
