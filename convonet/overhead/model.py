"""Chat models that take no time: one answers, the other looks the answer up with a tool first."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

from langchain_core.callbacks import (
    AsyncCallbackManagerForLLMRun,
    CallbackManagerForLLMRun,
)
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolMessage
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

from convonet import stopwatch

ANSWER = ("Here ", "is ", "your ", "list. ", "There ", "is ", "nothing ", "on ", "it.")
TOOL = "show_lists"


class Answering(BaseChatModel):
    """Answers in two sentences, word by word."""

    @property
    def _llm_type(self) -> str:
        return "stand-in"

    def bind_tools(self, tools: Any, **_: Any) -> Any:
        return self

    def _pieces(self, messages: list[BaseMessage]) -> Iterator[AIMessageChunk]:
        for word in ANSWER:
            yield AIMessageChunk(content=word)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **_: Any,
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=AIMessage("".join(ANSWER)))])

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **_: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        stopwatch.mark("model asked")
        for piece in self._pieces(messages):
            yield ChatGenerationChunk(message=piece)


class Acting(Answering):
    """Asks for a tool, then answers."""

    def _pieces(self, messages: list[BaseMessage]) -> Iterator[AIMessageChunk]:
        if isinstance(messages[-1], ToolMessage):
            stopwatch.mark("tool answered")
            yield from super()._pieces(messages)
            return
        stopwatch.mark("tool wanted")
        call = tool_call_chunk(id="1", name=TOOL, args="{}", index=0)
        yield AIMessageChunk(content="", tool_call_chunks=[call])
