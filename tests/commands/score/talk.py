"""One call's turns through the worker's agent loop: its history, prompt, tools and deadline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic
from uuid import uuid4

from django.contrib.auth.models import User
from langchain_core.messages import BaseMessage, SystemMessage

from tests.commands.score.tools import Clock
from todo.context import sign
from workers import history, prompts, steps
from workers.agent_loop import Agent, AgentRun
from workers.options import AgentOptions
from workers.tools import TodoServer
from workers.turn_context import TurnContext
from workers.uses import Use

# Between two turns of a call.
PAUSE = timedelta(seconds=20)
OPTIONS = AgentOptions(mcp_url="", mcp_token="", time_zone="UTC")


@dataclass(slots=True)
class Heard:
    """A turn's reply and what it took. `ended` is the loop's code, empty when it ended well."""

    words: str
    reply: str = ""
    said: list[str] = field(default_factory=list)
    saying: str = ""
    """Words of the message that is not complete yet."""
    ended: str = ""
    seconds: float = 0.0
    asked: list[Use] = field(default_factory=list)
    tools: list[history.PastTool] = field(default_factory=list)


class Talk:
    """A call of one person, begun at `now`."""

    def __init__(
        self, agent: Agent, server: TodoServer, clock: Clock, user: User, now: datetime
    ) -> None:
        self._agent = agent
        self._server = server
        self._clock = clock
        self._user = user
        self._now = now
        self._call_id = str(uuid4())
        self.turns: list[Heard] = []

    async def say(self, words: str, *, seconds: float) -> Heard:
        """The turn for these words, ended after `seconds` whatever it does."""
        heard = Heard(words)
        now = self._now + PAUSE * len(self.turns)
        self._clock.set(self._call_id, now)
        began = monotonic()
        run = AgentRun(self._agent, self._context(heard, now, began + seconds), OPTIONS.max_steps)
        await run.drive(self._messages(words, now), began + seconds)
        heard.seconds = monotonic() - began
        heard.reply = " ".join(" ".join([*heard.said, heard.saying]).split())
        self.turns.append(heard)
        return heard

    def _messages(self, words: str, now: datetime) -> Sequence[BaseMessage]:
        past = [
            history.PastTurn(number, turn.words, turn.reply, tools=turn.tools)
            for number, turn in enumerate(self.turns)
        ]
        prompt = prompts.system_prompt(now, self._user.first_name)
        return [SystemMessage(prompt), *history.conversation(past, words)]

    def _context(self, heard: Heard, now: datetime, deadline: float) -> TurnContext:
        turn_id = str(uuid4())

        async def recorded(step: steps.Step) -> None:
            _take(heard, step)

        return TurnContext(
            server=self._server,
            signed=sign(self._user.pk, str(now.tzinfo), self._call_id, turn_id),
            key_prefix=turn_id,
            deadline=deadline,
            tool_seconds=OPTIONS.tool_seconds,
            emit=lambda step: _take(heard, step),
            recorded=recorded,
        )


def _take(heard: Heard, step: steps.Step) -> None:
    if isinstance(step, steps.Words):
        heard.saying += step.text
    elif isinstance(step, steps.AnswerDropped):
        heard.saying = ""
    elif isinstance(step, steps.MessageEnded):
        heard.said.append(heard.saying)
        heard.saying = ""
    elif isinstance(step, steps.Asked):
        heard.asked.append(step.use)
    elif isinstance(step, steps.ToolEnded):
        heard.tools.append(history.PastTool(step.name, step.arguments, step.result))
    elif isinstance(step, steps.Ended):
        heard.ended = " ".join(filter(None, [step.code, step.where]))
