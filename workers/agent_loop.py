"""LangChain's agent loop for one turn, on the loop thread, told as `workers.steps`.

Tools are called here, by a middleware and not by the tools themselves, because only here are the
call's place in the turn, its signed context and the turn's deadline known.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import Any, cast

from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware, hook_config
from langchain.agents.middleware.types import ToolCallRequest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.tools import StructuredTool
from langgraph.errors import GraphRecursionError
from langgraph.types import Command
from mcp.types import Tool

from workers import checkpoint, steps
from workers.errors import ToolError, WorkerError, place_of
from workers.history import result_text
from workers.language.models import Models, Unasked
from workers.language.routing import Routing
from workers.registry import Registry
from workers.tools import TodoServer
from workers.turn_context import TurnContext

# Of different tools: those of a known caller, of guests, on the telephone and elsewhere.
MOST_GRAPHS = 8
_STATUS_DONE = frozenset({"ok", "nothing", "ask"})
SAID = {
    "tool_unreached": "The todo service could not be reached, so this was not done.",
    "tool_refused": "The todo service did not accept this, so it was not done.",
    "tool_unknown": "The todo service did not answer. It is not known whether this was done.",
}


class ToolCaller(AgentMiddleware[Any, TurnContext]):
    """Runs each tool call against the todo server and tells the model the truth about it."""

    @hook_config(can_jump_to=["tools"])
    async def abefore_agent(self, state: Any, runtime: Any) -> dict[str, Any] | None:
        """A turn taken up again between the model's wish and the tools goes on with the tools."""
        return {"jump_to": "tools"} if checkpoint.waits_for_tools(state["messages"]) else None

    async def awrap_tool_call(
        self,
        request: ToolCallRequest,
        handler: Callable[[ToolCallRequest], Awaitable[ToolMessage | Command[Any]]],
    ) -> ToolMessage | Command[Any]:
        context = cast(TurnContext, request.runtime.context)
        call = request.tool_call
        ordinal = ordinal_of(request.state["messages"], call["id"])
        async with context.in_order:
            if context.stopped:
                raise asyncio.CancelledError
            context.tools_running += 1
            try:
                ended = await _run_tool(context, ordinal, call["id"] or "", call)
            finally:
                context.tools_running -= 1
        text = result_text(ended.result)
        return ToolMessage(text, tool_call_id=call["id"], name=call["name"])


def ordinal_of(messages: Sequence[BaseMessage], tool_call_id: str | None) -> int:
    """The place of a tool call among all those made since the caller last spoke."""
    ordinal = 0
    for message in _this_turn(messages):
        if isinstance(message, AIMessage):
            for call in message.tool_calls:
                if call["id"] == tool_call_id and message is messages[-1]:
                    return ordinal
                ordinal += 1
    return ordinal


def _this_turn(messages: Sequence[BaseMessage]) -> Sequence[BaseMessage]:
    spoken = [n for n, message in enumerate(messages) if isinstance(message, HumanMessage)]
    return messages[spoken[-1] + 1 :] if spoken else messages


async def _run_tool(context: TurnContext, ordinal: int, call_id: str, call: Any) -> steps.ToolEnded:
    name, arguments = call["name"], dict(call["args"])
    started = monotonic()
    await context.recorded(steps.ToolBegan(ordinal, call_id, name, arguments))
    result, ok = {"status": "unknown", "said": SAID["tool_unknown"]}, None
    try:
        result, ok = await answer_of(
            context.server,
            name,
            arguments,
            signed=context.signed,
            key=f"{context.key_prefix}:{ordinal}",
            deadline=min(context.deadline, monotonic() + context.tool_seconds),
        )
    finally:
        took_ms = round((monotonic() - started) * 1000)
        ended = steps.ToolEnded(ordinal, call_id, name, arguments, result, ok, took_ms)
        context.emit(ended)
    return ended


async def answer_of(
    server: TodoServer,
    name: str,
    arguments: dict[str, Any],
    *,
    signed: str,
    key: str,
    deadline: float,
) -> tuple[dict[str, Any], bool | None]:
    """What the tool answered, or a true sentence about why not; False: not done, None: not known.

    `deadline` is monotonic; `signed` and `key` are as in `todo.context` and `todo.requests`.
    """
    try:
        result = await server.call(name, arguments, context=signed, key=key, deadline=deadline)
    except ToolError as error:
        said = SAID.get(error.code, error.message)
        return {"status": error.code, "said": said}, None if error.code == "tool_unknown" else False
    return result, result.get("status") in _STATUS_DONE


def as_langchain(tool: Tool) -> StructuredTool:
    """The schema the model sees; `ToolCaller` makes the call."""
    return StructuredTool(
        name=tool.name,
        description=tool.description or tool.name,
        args_schema=tool.inputSchema,
        coroutine=_not_called,
    )


async def _not_called(**_: Any) -> None:
    raise AssertionError("tools are called by ToolCaller")


class Agent:
    """LangChain's agent over a child's models: compiled once for each list of tools."""

    def __init__(
        self, models: Models, model_seconds: float, most_graphs: int = MOST_GRAPHS
    ) -> None:
        """`model_seconds`: what one answer of a model may take."""
        self.models = models
        self._routing = Routing(models, model_seconds)
        self._tools: Sequence[Tool] = ()
        self._graphs: Registry[frozenset[str], Any] = Registry(most=most_graphs)

    @contextmanager
    def graph(self, tools: Sequence[Tool], offers: Callable[[str], bool]) -> Iterator[Any]:
        """Holds nothing of a turn: that is in the messages and the context it is run with."""
        if self._tools is not tools:
            self._tools = tools
            self._graphs.clear()
        offered = [tool for tool in tools if offers(tool.name)]
        key = frozenset(tool.name for tool in offered)
        with self._graphs.lease(key, lambda: self._build(offered)) as graph:
            yield graph

    def _build(self, tools: Sequence[Tool]) -> Any:
        return create_agent(
            Unasked(),
            [as_langchain(tool) for tool in tools],
            middleware=[self._routing, ToolCaller()],
            context_schema=TurnContext,
        )


class AgentRun:
    """One run of the loop; emits its steps and, whatever happens, one `Ended` at the end."""

    def __init__(self, agent: Agent, context: TurnContext, max_steps: int) -> None:
        self._agent = agent
        self._context = context
        self._max_steps = max_steps
        self._task: asyncio.Task[None] | None = None

    async def drive(self, messages: Sequence[BaseMessage], tools_deadline: float) -> None:
        self._task = asyncio.current_task()
        ended = steps.Ended()
        try:
            if self._context.stopped:
                raise asyncio.CancelledError
            tools = await self._context.server.tools(tools_deadline)
            with self._agent.graph(tools, self._context.offers) as graph:
                await self._stream(graph, messages)
        except asyncio.CancelledError:
            ended = steps.Ended("cancelled")
        except GraphRecursionError:
            ended = steps.Ended("too_many_steps")
        except WorkerError as error:
            ended = steps.Ended(error.code)
        except MemoryError:
            ended = steps.Ended("memory")
        except Exception as error:
            ended = steps.Ended("model", place_of(error))
        finally:
            self._context.emit(ended)

    def stop(self) -> None:
        """Called on the loop: end soon, but let a tool that has begun finish and be recorded."""
        self._context.stopped = True
        if self._task is not None and not self._context.tools_running:
            self._task.cancel()

    def abort(self) -> None:
        """Called on the loop: end now."""
        self._context.stopped = True
        if self._task is not None:
            self._task.cancel()

    async def _stream(self, agent: Any, messages: Sequence[BaseMessage]) -> None:
        stream = agent.astream(
            {"messages": list(messages)},
            context=self._context,
            # The words are told by the routing, piece by piece.
            stream_mode="updates",
            config={"recursion_limit": self._max_steps},
        )
        async for update in stream:
            for step in _steps_of(update):
                self._context.emit(step)


def _steps_of(update: dict[str, Any]) -> Iterator[steps.Step]:
    for message in (update.get("model") or {}).get("messages", ()):
        yield steps.MessageEnded(message)
    answers = (update.get("tools") or {}).get("messages", ())
    if answers:
        yield steps.ToolsAnswered(answers)
