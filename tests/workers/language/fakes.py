"""Chat models that do what a test says, piece by piece, and a turn for them to answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from time import monotonic
from typing import Any, cast

from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, BaseMessage, HumanMessage, SystemMessage
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from pydantic import PrivateAttr

from voice.preferences import Chosen
from workers import steps
from workers.language.models import Member, Models
from workers.language.routing import Routing
from workers.tools import TodoServer
from workers.turn_context import TurnContext
from workers.uses import Use

# Far longer than any test takes: a limit that is never reached.
LONG = 60.0
# Of a question that is left to run into its limit.
SHORT = 0.05


class Hang:
    """A piece that never comes."""


Piece = str | AIMessageChunk | BaseException | Hang
Script = Sequence[Piece]


class FakeModel(BaseChatModel):
    """Streams its next script for each question; an exception in it is raised there."""

    model_name: str = "fake-1"
    _scripts: list[Script] = PrivateAttr(default_factory=list)
    _asked: list[list[BaseMessage]] = PrivateAttr(default_factory=list)
    _hanging: asyncio.Event = PrivateAttr(default_factory=asyncio.Event)

    @property
    def _llm_type(self) -> str:
        return "fake"

    @property
    def asked(self) -> list[list[BaseMessage]]:
        """The messages of each question."""
        return self._asked

    @property
    def hanging(self) -> asyncio.Event:
        """Set once a Hang has been reached."""
        return self._hanging

    def bind_tools(self, tools: Any, **_: Any) -> Any:
        return self

    async def _astream(
        self, messages: list[BaseMessage], *_: Any, **__: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        self._asked.append(list(messages))
        script = self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]
        for piece in script:
            if isinstance(piece, BaseException):
                raise piece
            if isinstance(piece, Hang):
                self._hanging.set()
                await asyncio.Event().wait()
            chunk = AIMessageChunk(content=piece) if isinstance(piece, str) else piece
            yield ChatGenerationChunk(message=cast(AIMessageChunk, chunk).model_copy(deep=True))

    def _generate(self, *_: Any, **__: Any) -> ChatResult:
        raise AssertionError("asked without streaming")


def model(*scripts: Script) -> FakeModel:
    """One script for each question, the last one for all that follow."""
    made = FakeModel()
    made._scripts = list(scripts)
    return made


def calls(*names: str, ids: Sequence[str | None] = ()) -> AIMessageChunk:
    """A piece that asks for these tools."""
    wanted = ids or [f"id{n}" for n in range(len(names))]
    pieces = [
        tool_call_chunk(name=name, args="{}", id=key, index=n)
        for n, (name, key) in enumerate(zip(names, wanted, strict=True))
    ]
    return AIMessageChunk(content="", tool_call_chunks=pieces)


def ending(reason: str, tokens: tuple[int, int] = (0, 0)) -> AIMessageChunk:
    usage: Any = {"input_tokens": tokens[0], "output_tokens": tokens[1], "total_tokens": 0}
    metadata = {"finish_reason": reason}
    return AIMessageChunk(content="", response_metadata=metadata, usage_metadata=usage)


class Turn:
    """A turn's context and the steps that it was told."""

    def __init__(self, seconds: float = LONG, chosen: Chosen | None = None, language: str = ""):
        self.steps: list[steps.Step] = []
        self.context = TurnContext(
            server=cast(TodoServer, None),
            signed="",
            key_prefix="turn-1",
            deadline=monotonic() + seconds,
            tool_seconds=LONG,
            emit=self.steps.append,
            recorded=self._recorded,
            chosen=chosen or Chosen(),
            language=language,
        )

    async def _recorded(self, step: steps.Step) -> None:
        self.steps.append(step)

    @property
    def uses(self) -> list[Use]:
        return [step.use for step in self.steps if isinstance(step, steps.Asked)]

    @property
    def said(self) -> str:
        """The words that stay."""
        kept: list[str] = []
        for step in self.steps:
            if isinstance(step, steps.Words):
                kept.append(step.text)
            elif isinstance(step, steps.AnswerDropped):
                kept.clear()
        return "".join(kept)


def members(**models: FakeModel) -> list[Member]:
    return [Member(name, lambda made=made: made) for name, made in models.items()]  # type: ignore[misc]


def routing(
    *ordered: Member,
    seconds: float = LONG,
    local: Member | None = None,
    spare: Member | None = None,
) -> Routing:
    return Routing(Models(ordered, local, spare), seconds)


def spoken(words: str = "Hello.") -> list[BaseMessage]:
    return [SystemMessage("It is Monday, 2 November 2026, 07:05 (UTC)."), HumanMessage(words)]
