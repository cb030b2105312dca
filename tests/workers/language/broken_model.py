"""A chat model for real workers: breaks off in mid-answer where the caller says "broken"."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, BaseMessage, HumanMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult


class BrokenModel(BaseChatModel):
    @property
    def _llm_type(self) -> str:
        return "broken"

    def bind_tools(self, tools: Any, **_: Any) -> Any:
        return self

    def _stream(
        self, messages: list[BaseMessage], *_: Any, **__: Any
    ) -> Iterator[ChatGenerationChunk]:
        said = [message.text for message in messages if isinstance(message, HumanMessage)]
        yield ChatGenerationChunk(message=AIMessageChunk(content="That is one. And I have"))
        if "broken" in said[-1]:
            raise ConnectionResetError("in the middle")
        yield ChatGenerationChunk(message=AIMessageChunk(content=" two."))

    def _generate(self, *_: Any, **__: Any) -> ChatResult:
        raise AssertionError("asked without streaming")
