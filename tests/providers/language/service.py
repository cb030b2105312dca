"""One language provider as a turn asks it: the product's routing, tools and adapter."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage

from convonet import providers
from tests.workers.language.fakes import LONG, Turn, spoken
from todo.mcp_server import tool_list
from workers import steps
from workers.agent_loop import as_langchain
from workers.errors import ModelError
from workers.language.models import Member, Models
from workers.language.routing import Routing

TOOLS = [as_langchain(tool) for tool in tool_list()]


class Asked:
    """What became of one question."""

    def __init__(self, turn: Turn, answer: AIMessage | None, code: str = "") -> None:
        self.answer = answer
        self.code = code
        self.use = turn.uses[-1]
        self.uses = turn.uses
        self.pieces = [step.text for step in turn.steps if isinstance(step, steps.Words)]

    @property
    def calls(self) -> list[tuple[str, dict[str, Any]]]:
        assert self.answer is not None, self.code
        return [(call["name"], call["args"]) for call in self.answer.tool_calls]

    @property
    def words(self) -> str:
        assert self.answer is not None, self.code
        return self.answer.text


class Service:
    """`plays_scripts` says that it is a stand-in, whose answers the words decide exactly."""

    def __init__(self, member: Member, *, plays_scripts: bool) -> None:
        self.member = member
        self.plays_scripts = plays_scripts
        self.routing = Routing(Models([member]), LONG)

    def rested(self) -> Service:
        """The same with nothing known of earlier failures."""
        member = Member(self.member.name, lambda: self.member.model, tells_end=True)
        return Service(member, plays_scripts=self.plays_scripts)

    def words(self, script: list[dict[str, Any]], wish: str) -> str:
        """To get the same of a stand-in and of a real model."""
        return json.dumps(script) if self.plays_scripts else wish

    async def ask(
        self,
        asked: str | Sequence[BaseMessage],
        *,
        seconds: float = LONG,
        tools: Sequence[Any] = (),
        turn: Turn | None = None,
    ) -> Asked:
        messages = spoken(asked) if isinstance(asked, str) else list(asked)
        turn = turn or Turn()
        routing = self.routing if seconds == LONG else Routing(Models([self.member]), seconds)
        try:
            answer = await routing.answer(turn.context, messages, list(tools))
        except ModelError as error:
            return Asked(turn, None, error.code)
        return Asked(turn, answer)


@asynccontextmanager
async def opened(
    provider: str,
    monkeypatch: pytest.MonkeyPatch,
    env: dict[str, str],
    *,
    plays_scripts: bool = False,
) -> AsyncIterator[Service]:
    """With its adapter configured by `env` over what the shell says."""
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    known = providers.LANGUAGE[provider]
    module = import_module(known.path.rpartition(".")[0])
    model = module.make()
    member = Member(provider, lambda: model, tells_end=True)
    try:
        yield Service(member, plays_scripts=plays_scripts)
    finally:
        await module.close(model)
