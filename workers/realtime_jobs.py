"""What the agent worker does for a call that a speech-to-speech model holds (`voice.realtime`).

The model itself is asked by the web process; here it is told who calls and what there is to do it
with, and its tool calls are made: by the same session, rows, keys and events as any agent's.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from mcp.types import Tool

from voice import keys, scope, streams
from voice.events import Briefed, ToolAnswered, ToolStarted
from voice.models import Call, ToolCall, Turn
from workers import history, just_told, prompts, steps, tool_rows
from workers.agent_loop import SAID, answer_of
from workers.errors import ToolError, place_of
from workers.lease import find
from workers.loop import LoopThread
from workers.options import AgentOptions
from workers.past_turns import last_turns
from workers.tools import TodoServer

logger = logging.getLogger("workers.realtime_jobs")

# After a tool's deadline, how long the loop may take to say what became of the call.
LAST_WORD_SECONDS = 1.0
NOT_KNOWN = {"status": "unknown", "said": SAID["tool_unknown"]}
FORGOTTEN = {"status": "refused", "said": "This request was lost, so it was not done."}
NO_ARGUMENTS = {
    "status": "refused",
    "said": "The arguments were no JSON object, so this was not done. Call the tool again.",
}


@dataclass(frozen=True, slots=True)
class Request:
    """One tool call as the model wished it; `arguments` is None when they make no sense."""

    ordinal: int
    name: str
    arguments: dict[str, Any] | None


class RealtimeJobs:
    """What one child keeps for all such calls: its loop, its tool session, its connections."""

    def __init__(
        self, loop: LoopThread, server: TodoServer, redis: Any, options: AgentOptions
    ) -> None:
        self._loop, self._server, self._redis = loop, server, redis
        self._options = options

    # Instructions ---------------------------------------------------------------------------
    def brief(self, call_id: str) -> None:
        """Tell the call `Briefed`; nothing when there are no tools to be had, which is logged.

        A model that can do nothing would have to say so to every wish: the call is better off
        asking again, or with another mode.
        """
        call = Call.objects.select_related("user", "business").filter(pk=UUID(call_id)).first()
        if call is None:
            logger.error("call to brief is gone", extra={"call_id": call_id})
            return
        deadline = monotonic() + self._options.tool_seconds
        try:
            tools = self._loop.submit(self._server.tools(deadline)).result()
        except ToolError as error:
            logger.error("call not briefed", extra={"call_id": call_id, "code": error.code})
            return
        offered = [_function(tool) for tool in tools if scope.offered(call, tool.name)]
        self._tell(call.pk, Briefed(self._instructions(call), offered, self._history(call)))

    def _instructions(self, call: Call) -> str:
        now = datetime.now(ZoneInfo(call.time_zone or self._options.time_zone))
        prompt = prompts.realtime_prompt(now, prompts.name_of(call))
        return prompt + just_told.of_call(call)

    def _history(self, call: Call) -> list[dict[str, str]]:
        """What was said and heard so far, oldest first; what tools answered was said then."""
        options = self._options
        said = history.spoken(
            last_turns(call.pk, options.history_turns),
            most_turns=options.history_turns,
            most_tokens=options.history_tokens,
        )
        return [{"role": role, "text": text} for role, text in said]

    # Tools ----------------------------------------------------------------------------------
    def run_tool(self, turn_id: str, tool_call_id: str) -> None:
        """Make the call and tell `ToolAnswered`, whatever comes of it.

        May be run again at any time: the tool server answers the same key from its record, and
        what was written before is told as it is.
        """
        began, turn = monotonic(), find(turn_id)
        if turn is None:
            logger.error("turn of a tool call is gone", extra={"turn_id": turn_id})
            return
        ended = self._ended_before(turn, tool_call_id)
        if ended is None:
            request = self._request(turn_id, tool_call_id)
            if request is None:
                logger.error("tool request gone", extra={"turn_id": turn_id})
                self._answer(turn, tool_call_id, "", FORGOTTEN, ok=False)
                return
            ended = self._made(turn, tool_call_id, request)
        self._tell(turn.call_id, tool_rows.told(turn_id, ended))
        self._answer(turn, tool_call_id, ended.name, ended.result, ok=ended.ok)
        self._log(turn, ended, began)

    def _made(self, turn: Turn, tool_call_id: str, request: Request) -> steps.ToolEnded:
        started, arguments = monotonic(), request.arguments or {}
        begin = steps.ToolBegan(request.ordinal, tool_call_id, request.name, arguments)
        tool_rows.began(turn, begin)
        name = tool_rows.call_id_of(begin)
        self._tell(turn.call_id, ToolStarted(str(turn.pk), name, request.name))
        result, ok = self._outcome(turn, request)
        took_ms = round((monotonic() - started) * 1000)
        ended = steps.ToolEnded(
            request.ordinal, tool_call_id, request.name, arguments, result, ok, took_ms
        )
        tool_rows.ended(turn, ended)
        return ended

    def _outcome(self, turn: Turn, request: Request) -> tuple[dict[str, Any], bool | None]:
        if request.arguments is None:
            return NO_ARGUMENTS, False
        call, seconds = turn.call, self._options.tool_seconds
        zone = call.time_zone or self._options.time_zone
        work = answer_of(
            self._server,
            request.name,
            request.arguments,
            signed=scope.signed(turn, zone),
            key=f"{turn.pk}:{request.ordinal}",
            deadline=monotonic() + seconds,
        )
        future = self._loop.submit(work)
        try:
            return future.result(seconds + LAST_WORD_SECONDS)
        except Exception as error:
            # Time limits and MemoryError too: the model is told that nobody knows.
            future.cancel()
            fields = {"turn_id": str(turn.pk), "tool": request.name, "error": place_of(error)}
            logger.error("tool call broke", extra=fields)
            return NOT_KNOWN, None

    def _ended_before(self, turn: Turn, tool_call_id: str) -> steps.ToolEnded | None:
        """What an earlier run has written of this call."""
        for row in turn.tool_calls.filter(result__isnull=False):
            ordinal, _, given = row.tool_call_id.partition(":")
            if given and row.tool_call_id == f"{ordinal}:{tool_call_id}"[:80]:
                return _ended(int(ordinal), tool_call_id, row)
        return None

    def _request(self, turn_id: str, tool_call_id: str) -> Request | None:
        stored = self._redis.hgetall(keys.tool_request(turn_id, tool_call_id))
        if b"name" not in stored:
            return None
        arguments = _object_in(stored.get(b"arguments", b""))
        return Request(int(stored[b"ordinal"]), stored[b"name"].decode(), arguments)

    def _answer(
        self,
        turn: Turn,
        tool_call_id: str,
        name: str,
        result: dict[str, Any],
        *,
        ok: bool | None,
    ) -> None:
        ends = tool_rows.ends_call(name, result, ok)
        text = history.result_text(result)
        self._tell(turn.call_id, ToolAnswered(str(turn.pk), tool_call_id, text, ends))

    def _tell(self, call_id: UUID, event: Any) -> None:
        streams.publish(self._redis, keys.call_stream(str(call_id)), event)

    def _log(self, turn: Turn, ended: steps.ToolEnded, began: float) -> None:
        logger.info(
            "tool called",
            extra={
                "call_id": turn.call_id,
                "turn_id": turn.pk,
                "tool": ended.name[:60],
                "ok": ended.ok,
                "total_ms": round((monotonic() - began) * 1000),
            },
        )


def _function(tool: Tool) -> dict[str, Any]:
    """As the Realtime API takes a function tool."""
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description or tool.name,
        "parameters": tool.inputSchema,
    }


def _object_in(text: bytes) -> dict[str, Any] | None:
    """A call without arguments may come as an empty text."""
    try:
        value = json.loads(text or b"{}")
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _ended(ordinal: int, tool_call_id: str, row: ToolCall) -> steps.ToolEnded:
    result = dict(row.result) if isinstance(row.result, Mapping) else dict(NOT_KNOWN)
    arguments = dict(row.arguments) if isinstance(row.arguments, Mapping) else {}
    took_ms = row.took_ms or 0
    return steps.ToolEnded(ordinal, tool_call_id, row.name, arguments, result, row.ok, took_ms)
