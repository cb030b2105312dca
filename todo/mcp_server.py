"""The todo tools as an MCP server, over streamable HTTP for our workers and stdio for desktops.

Adds nothing to `todo.tools` but the protocol: who acts comes from the signed context (HTTP) or
from the command line (stdio), never from a tool's arguments.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import DatabaseError, close_old_connections
from django.utils import timezone
from mcp import types
from mcp.server.lowlevel import Server

from convonet import counters
from todo import context
from todo.actor import Actor, actor_for
from todo.tool_threads import ToolThreads
from todo.tools import run_tool
from todo.tools.toolsets import tools

logger = logging.getLogger(__name__)
SERVER_NAME = "convonet-todo"
CONTEXT_META, KEY_META = "convonet", "convonet_key"
# SQLite writes one at a time and PostgreSQL connections cost memory: a few threads are enough.
THREADS = 4
# A list of all that a person may have is a tenth of it; what is longer is no answer to a caller.
MOST_ANSWER_CHARACTERS = 1 << 20
INSTRUCTIONS = (
    "A person's todos, lists and reminders. Tell the person what `said` says; it is true of the"
    " database. With status “ask”, put the question to the person and give their reply, in a later"
    " turn, to answer_question."
)
REFUSED: dict[str, Any] = {
    "status": "refused",
    "said": "I could not tell who is asking, so I did nothing.",
    "summary": "",
    "change": None,
    "todos": [],
    "reminders": [],
    "question": None,
}
BROKEN = REFUSED | {"said": "I could not reach your todos just now, so nothing was changed."}
TOO_LONG = REFUSED | {"said": "That took me too long, so I have stopped."}
TOO_MUCH = REFUSED | {"said": "That was too much for me at once, so nothing was changed."}
NOT_ALLOWED = REFUSED | {
    # In small letters: voices spell what is written in capitals.
    "said": "I can only do that for somebody I know. You can key in your pin at any time, and then"
    " the hash key."
}
Identify = Callable[[dict[str, Any], str], Actor]


class NotAllowed(Exception):
    """This caller may not use this tool."""


Handler = Callable[[types.CallToolRequest], Awaitable[types.ServerResult]]


def tool_list() -> list[types.Tool]:
    return [
        types.Tool(
            name=tool.name,
            title=tool.title,
            description=tool.description,
            inputSchema=tool.schema,
            annotations=types.ToolAnnotations(
                title=tool.title,
                readOnlyHint=tool.reads,
                destructiveHint=tool.destructive,
                idempotentHint=tool.reads,
                openWorldHint=False,
            ),
        )
        for tool in tools()
    ]


def make_server(identify: Identify, worn: Callable[[], None] | None = None) -> Server[Any, Any]:
    """`identify` turns a request's `_meta` and tool into the acting person.

    It raises ForgedContext, or NotAllowed for a tool that is not for them. `worn` is called when so
    many tools have not come back that the process should be replaced.
    """
    server: Server[Any, Any] = Server(
        SERVER_NAME, version=settings.VERSION, instructions=INSTRUCTIONS
    )
    listed = types.ServerResult(types.ListToolsResult(tools=tool_list()))

    async def list_tools(request: types.ListToolsRequest) -> types.ServerResult:
        return listed

    server.request_handlers[types.ListToolsRequest] = list_tools
    server.request_handlers[types.CallToolRequest] = _calling(identify, worn)
    return server


def identify_by_context(meta: dict[str, Any], tool: str) -> Actor:
    """The person our own worker signed for."""
    note = context.read(meta.get(CONTEXT_META))
    if not note.allows(tool):
        raise NotAllowed
    return _actor(note.user_id, note.time_zone, note.call_id, note.turn_id, note.about)


def identify_as(user_id: int, time_zone: str) -> Identify:
    """A desktop client's one person: its process is one call, each of its tool calls a turn.

    The client shows the person what a tool asks and what it is about to do; there is no other
    sign here of when they have spoken.
    """
    call_id = uuid4()
    return lambda meta, tool: _actor(user_id, time_zone, call_id, uuid4())


def _calling(identify: Identify, worn: Callable[[], None] | None) -> Handler:
    # Nobody waits for an answer any longer than that.
    threads = ToolThreads(THREADS, settings.TOOL_DEADLINE_SECONDS, worn=worn)

    async def call_tool(request: types.CallToolRequest) -> types.ServerResult:
        params = request.params
        meta = params.meta.model_dump() if params.meta else {}
        arguments = params.arguments or {}
        call = partial(_encoded, identify, params.name, arguments, meta)
        # A worker that has no answer in time asks again: that is no second call.
        key = json.dumps([params.name, arguments, meta.get(CONTEXT_META), meta.get(KEY_META)])
        try:
            result, text = await threads.run(key if meta.get(KEY_META) else object(), call)
        except TimeoutError:
            logger.error("tool not done in time", extra={"tool": params.name[:60]})
            result, text = TOO_LONG, json.dumps(TOO_LONG)
        return types.ServerResult(
            types.CallToolResult(
                content=[types.TextContent(type="text", text=text)],
                structuredContent=result,
                isError=False,
            )
        )

    return call_tool


def _encoded(
    identify: Identify, name: str, arguments: dict[str, Any], meta: dict[str, Any]
) -> tuple[dict[str, Any], str]:
    """The answer, and as text; in the tool's own thread, as it may be of any size."""
    result = _call(identify, name, arguments, meta)
    try:
        text = json.dumps(result)
    except MemoryError:
        counters.add("memory_errors")
        text = ""
    if not text or len(text) > MOST_ANSWER_CHARACTERS:
        logger.error("tool's answer too long", extra={"tool": name[:60], "characters": len(text)})
        return TOO_MUCH, json.dumps(TOO_MUCH)
    return result, text


def _call(
    identify: Identify, name: str, arguments: dict[str, Any], meta: dict[str, Any]
) -> dict[str, Any]:
    close_old_connections()
    key = meta.get(KEY_META) or ""
    try:
        return run_tool(identify(meta, name), name, arguments, key if isinstance(key, str) else "")
    except NotAllowed:
        logger.info("tool call not allowed", extra={"tool": name[:60]})
        return NOT_ALLOWED
    except context.ForgedContext:
        logger.warning("tool call refused without a valid context", extra={"tool": name[:60]})
        return REFUSED
    except DatabaseError as error:
        logger.error("tool failed", extra={"tool": name[:60], "error": type(error).__name__})
        return BROKEN
    except MemoryError:
        # The process is at its ceiling; the transaction of the change is rolled back.
        counters.add("memory_errors")
        logger.error("tool failed", extra={"tool": name[:60], "error": "MemoryError"})
        return TOO_MUCH
    finally:
        close_old_connections()


def _actor(
    user_id: int,
    time_zone: str,
    call_id: UUID | None,
    turn_id: UUID | None,
    about: int | None = None,
) -> Actor:
    user = get_user_model().objects.filter(pk=user_id, is_active=True).first()
    if user is None:
        raise context.ForgedContext("no such person")
    return actor_for(
        user,
        timezone.now(),
        time_zone=time_zone,
        call_id=call_id,
        turn_id=turn_id,
        about_reminder=about,
    )
