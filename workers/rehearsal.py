"""One turn with a scripted model and tool server, so that all that a first turn loads is loaded.

Run in the parent before the freeze: what it touches, the children share (20 MB less for each).
It opens no socket and leaves no thread or loop behind.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any

import httpx
from django.conf import settings
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from mcp.types import LATEST_PROTOCOL_VERSION, Tool

from workers import steps
from workers.agent_loop import Agent, AgentRun, as_langchain
from workers.history import PastTool, PastTurn, conversation
from workers.language.models import Member, Models
from workers.tools import TodoServer
from workers.turn_context import TurnContext

_NAME = "rehearse"
_HERE = "http://localhost/mcp"
_SECONDS = 10.0
_SCHEMA = {"type": "object", "properties": {}}
_INITIALIZED = {
    "protocolVersion": LATEST_PROTOCOL_VERSION,
    "capabilities": {"tools": {}},
    "serverInfo": {"name": _NAME, "version": "1"},
}
_ANSWER = {"status": "ok", "said": "Done."}
_RESULTS: dict[str, dict[str, Any]] = {
    "initialize": _INITIALIZED,
    "tools/list": {"tools": [{"name": _NAME, "inputSchema": _SCHEMA}]},
    "tools/call": {"content": [], "structuredContent": _ANSWER},
}


class _ScriptedModel(BaseChatModel):
    @property
    def _llm_type(self) -> str:
        return "rehearsal"

    def bind_tools(self, tools: Any, **_: Any) -> Any:
        return self

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **_: Any,
    ) -> ChatResult:
        if isinstance(messages[-1], ToolMessage):
            message = AIMessage("Done.")
        else:
            call = {"id": "1", "name": _NAME, "args": {}, "type": "tool_call"}
            message = AIMessage("", tool_calls=[call])
        return ChatResult(generations=[ChatGeneration(message=message)])


def respond(request: httpx.Request) -> httpx.Response:
    """The tool server's part."""
    if request.method != "POST":
        return httpx.Response(405)
    asked = json.loads(request.content)
    if "id" not in asked:
        return httpx.Response(202)
    result = _RESULTS[asked["method"]]
    return httpx.Response(200, json={"jsonrpc": "2.0", "id": asked["id"], "result": result})


def rehearse_model(model: BaseChatModel) -> None:
    """Let a model that runs in this process load its grammar; its answer does not matter."""
    tools = [Tool(name=name, inputSchema=_SCHEMA) for name in ("add_todos", "find_todos")]
    bound = model.bind_tools([as_langchain(tool) for tool in tools])
    for words in ("Add buy milk tomorrow at five.", "What is due today?"):
        bound.invoke([SystemMessage("Rehearsal."), HumanMessage(words)])


def rehearse_module(module: Any) -> None:
    """Let a provider's model ask, answered by no network: its SDK loads much when it is used."""
    if hasattr(module, "rehearsal"):
        asyncio.run(_ask(module.rehearsal(), module.close))


async def _ask(model: BaseChatModel, close: Callable[[Any], Awaitable[None]]) -> None:
    bound = model.bind_tools([as_langchain(Tool(name=_NAME, inputSchema=_SCHEMA))])
    call = {"id": "1", "name": _NAME, "args": {}, "type": "tool_call"}
    past = [AIMessage("", tool_calls=[call]), ToolMessage("Done.", tool_call_id="1", name=_NAME)]
    async for _ in bound.astream([SystemMessage("Rehearsal."), HumanMessage("Hello."), *past]):
        pass
    await close(model)


def rehearse() -> list[steps.Step]:
    """Returns the steps taken, the last one an `Ended`."""
    past = PastTurn(1, "Hello.", "Hello.", tools=[PastTool(_NAME, {}, None)])
    messages = [SystemMessage("Rehearsal."), *conversation([past], "Once more.")]
    return asyncio.run(_rehearse(messages))


async def _rehearse(messages: list[BaseMessage]) -> list[steps.Step]:
    taken: list[steps.Step] = []
    deadline = monotonic() + _SECONDS
    # The real transport is only made and closed: that loads its code and connects nowhere.
    await httpx.AsyncHTTPTransport(verify=False).aclose()
    server = TodoServer("http://rehearsal/mcp", "", transport=httpx.MockTransport(respond))
    server.open()

    async def recorded(step: steps.Step) -> None:
        taken.append(step)

    context = TurnContext(server, "", "rehearsal", deadline, _SECONDS, taken.append, recorded)
    agent = Agent(Models([Member(_NAME, _ScriptedModel)]), _SECONDS)
    await AgentRun(agent, context, max_steps=7).drive(messages, deadline)
    await server.close()
    return taken


def rehearse_tools() -> int:
    """Let the tool server, too, be asked once what tools there are; returns how many."""
    return asyncio.run(_rehearse_tools())


async def _rehearse_tools() -> int:
    from todo import mcp_http

    door = mcp_http.make_app()
    async with door.serving():
        transport = httpx.ASGITransport(door)
        server = TodoServer(_HERE, settings.MCP_TOKEN, transport=transport)
        server.open()
        tools = await server.tools(monotonic() + _SECONDS)
        await server.close()
    return len(tools)
