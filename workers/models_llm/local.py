"""The language model that needs no key: a grammar behind LangChain's chat model interface.

It answers with real tool calls, which the agent's loop runs as it would any model's, and says
only what the tools answered. All it knows of a conversation is in the messages it is given.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolCall
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool

from workers.models_llm import dialogue, intents, people, planning, replies, sureness
from workers.models_llm.dialogue import Dialogue
from workers.models_llm.plans import Call

LISTING = "find_todos"

# Loaded with the module, so that children made by fork share it.
intents.grammar()


class LocalCommandModel(BaseChatModel):
    """Deterministic: the same messages give the same answer."""

    model_name: str = "local commands"

    @property
    def _llm_type(self) -> str:
        return "local-commands"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model_name": self.model_name}

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Only tools bound here are ever called."""
        return self.bind(tool_names=[_name(tool) for tool in tools], **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        message = respond(messages, kwargs.get("tool_names", ()))
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        message = respond(messages, kwargs.get("tool_names", ()))
        for chunk in _chunks(message):
            generation = ChatGenerationChunk(message=chunk)
            if run_manager and chunk.text:
                run_manager.on_llm_new_token(chunk.text, chunk=generation)
            yield generation

    # Milliseconds of work: no thread is worth its while.
    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return self._generate(messages, stop, **kwargs)

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        for generation in self._stream(messages, stop, **kwargs):
            if run_manager and generation.text:
                await run_manager.on_llm_new_token(generation.text, chunk=generation)
            yield generation


def respond(messages: Sequence[BaseMessage], tool_names: Sequence[str]) -> AIMessage:
    """The next message: tool calls still to be made in this turn, or the words that end it."""
    talk = dialogue.read(messages)
    plan = planning.plan(talk)
    missing = [call.tool for call in plan.calls if call.tool not in tool_names]
    if missing:
        return AIMessage(_why_not(missing, tool_names))
    done = len(talk.current.tools)
    for batch in planning.batches(plan.calls):
        if done <= 0 and not _stopped(talk):
            return AIMessage("", tool_calls=_tool_calls(batch, talk))
        done -= len(batch)
    return AIMessage(_answer(talk, plan.say))


def _why_not(missing: Sequence[str], tool_names: Sequence[str]) -> str:
    if tool_names and LISTING not in tool_names:
        # Whoever may not have that read out is a guest.
        return replies.NOT_KNOWN
    return replies.NOT_CONNECTED if people.TOOL in missing else replies.NO_TOOL


def is_sure(messages: Sequence[BaseMessage], tool_names: Sequence[str]) -> bool:
    """What it would do or say now is surely what is meant; the same throughout a turn."""
    return sureness.is_sure(dialogue.read(messages), tool_names)


def _stopped(talk: Dialogue) -> bool:
    """A question or a refusal comes before what was to follow it."""
    return any(use.status != "ok" for use in talk.current.tools)


def _tool_calls(batch: list[Call], talk: Dialogue) -> list[ToolCall]:
    first = len(talk.current.tools)
    return [
        # The same in a turn that is run again, so that its tools know what they have done.
        ToolCall(name=call.tool, args=call.arguments, id=f"turn{len(talk.turns)}-{first + n}")
        for n, call in enumerate(batch)
    ]


def _answer(talk: Dialogue, say: str) -> str:
    told = [str(use.result.get("said") or replies.TOOL_FAILED) for use in talk.current.tools]
    if told and any(use.status != "ok" for use in talk.current.tools):
        say = ""
    return " ".join(part.strip() for part in dict.fromkeys([say, *told]) if part.strip())


def _chunks(message: AIMessage) -> Iterator[AIMessageChunk]:
    if message.tool_calls:
        chunks = [
            tool_call_chunk(name=call["name"], args=_json(call["args"]), id=call["id"], index=index)
            for index, call in enumerate(message.tool_calls)
        ]
        yield AIMessageChunk(content="", tool_call_chunks=chunks, chunk_position="last")
        return
    words = re.findall(r"\s*\S+", message.text) or [""]
    for position, word in enumerate(words, start=1):
        yield AIMessageChunk(
            content=word, chunk_position="last" if position == len(words) else None
        )


def _json(arguments: dict[str, Any]) -> str:
    return json.dumps(arguments, ensure_ascii=False)


def _name(tool: dict[str, Any] | type | Callable[..., Any] | BaseTool) -> str:
    if isinstance(tool, dict):
        function = tool.get("function", tool)
        return str(function.get("name", ""))
    return str(getattr(tool, "name", None) or getattr(tool, "__name__", ""))
