"""One turn with a scripted model and tool, so that everything a first turn loads is loaded.

Run in the parent before the freeze; it leaves no thread, socket or loop behind.
"""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, SystemMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from mcp.types import Tool

from workers import steps
from workers.agent_loop import AgentRun, TurnContext
from workers.history import PastTool, PastTurn, conversation

_TOOL = Tool(name="rehearse", inputSchema={"type": "object", "properties": {}})
_SECONDS = 10.0


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
            call = {"id": "1", "name": _TOOL.name, "args": {}, "type": "tool_call"}
            message = AIMessage("", tool_calls=[call])
        return ChatResult(generations=[ChatGeneration(message=message)])


class _ScriptedServer:
    async def tools(self, deadline: float) -> list[Tool]:
        return [_TOOL]

    async def call(self, name: str, arguments: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {"status": "ok", "said": "Done."}


def rehearse() -> list[steps.Step]:
    """Returns the steps taken, the last one an `Ended`."""
    taken: list[steps.Step] = []
    server: Any = _ScriptedServer()
    deadline = monotonic() + _SECONDS
    past = PastTurn(1, "Hello.", "Hello.", tools=[PastTool(_TOOL.name, {}, None)])
    messages = [SystemMessage("Rehearsal."), *conversation([past], "Once more.")]

    async def run() -> None:
        context = TurnContext(server, "", "rehearsal", deadline, _SECONDS, taken.append)
        await AgentRun(_ScriptedModel(), context, max_steps=7).drive(messages, deadline)

    asyncio.run(run())
    return taken
