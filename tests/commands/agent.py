"""Runs sentences through the real agent loop, model and tools, in one database."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from typing import Any

from asgiref.sync import async_to_sync, sync_to_async
from django.contrib.auth.models import User
from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langchain_core.tools import StructuredTool

from todo.actor import Actor
from todo.tools.catalogue import TOOLS, Tool
from todo.tools.running import run_tool
from workers.prompts import system_prompt


class Caller:
    """One call of one person: `say` is a turn, and remembers what was said before it."""

    def __init__(self, model: BaseChatModel, actor: Actor) -> None:
        self._model = model
        self.actor = replace(actor, call_id=uuid.uuid4())
        self.messages: list[AnyMessage] = []

    def say(self, words: str) -> str:
        self.actor = replace(self.actor, turn_id=uuid.uuid4())
        agent: Any = create_agent(
            self._model,
            tools=[_tool(tool, self.actor) for tool in TOOLS],
            system_prompt=system_prompt(self.actor.local_now, "Dana"),
        )
        given: Any = {"messages": [*self.messages, HumanMessage(words)]}
        answer = async_to_sync(agent.ainvoke)(given)
        self.messages = answer["messages"]
        return str(self.messages[-1].text)

    def calls(self) -> list[tuple[str, dict[str, Any]]]:
        """Every tool called in this call so far."""
        return [
            (call["name"], call["args"])
            for message in self.messages
            if isinstance(message, AIMessage)
            for call in message.tool_calls
        ]


def _tool(tool: Tool, actor: Actor) -> StructuredTool:
    # On the test's own thread, whose connection holds the transaction.
    @sync_to_async
    def run(**arguments: Any) -> str:
        return json.dumps(run_tool(actor, tool.name, arguments), default=str)

    return StructuredTool(
        name=tool.name, description=tool.description, args_schema=tool.schema, coroutine=run
    )


def person(name: str = "dana") -> User:
    return User.objects.create_user(name)
