"""Which language model answers a question, and which one when that fails.

LangChain's ModelFallbackMiddleware does not serve: it asks one after the other whatever time is
left, asks a dead provider anew for every question, takes a MemoryError for a reason to go on, and
lets the words of a broken answer stand before those of the next.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from time import monotonic
from typing import Any

from langchain.agents.middleware import AgentMiddleware
from langchain.agents.middleware.types import ModelRequest, ModelResponse
from langchain_core.messages import AIMessage, BaseMessage

from workers.errors import ModelError
from workers.language import answers, failures
from workers.language.asking import Asking
from workers.language.models import Member, Models
from workers.turn_context import TurnContext
from workers.uses import Why

# A provider on trial has only this part of its time for its first piece while another is ready.
TRIAL_SHARE = 1 / 3
# Before the only provider is asked a second time.
RETRY_SECONDS = 0.3

Candidate = tuple[Member, str]


class Routing(AgentMiddleware[Any, TurnContext]):
    """Asks the models itself, piece by piece, and tells each question as a step."""

    def __init__(self, models: Models, seconds: float) -> None:
        """`seconds`: what one answer may take, from the question to its last word."""
        super().__init__()
        self._models = models
        self._seconds = seconds

    async def awrap_model_call(
        self,
        request: ModelRequest[TurnContext],
        handler: Callable[[ModelRequest[TurnContext]], Awaitable[ModelResponse[Any]]],
    ) -> ModelResponse[Any]:
        message = await self.answer(request.runtime.context, request.messages, request.tools)
        return ModelResponse(result=[message])

    async def answer(
        self, context: TurnContext, messages: Sequence[BaseMessage], tools: Sequence[Any]
    ) -> AIMessage:
        """Raises ModelError with the last failure's code when nobody could answer."""
        candidates = self.candidates(context, messages, tools)
        code = failures.UNKNOWN
        alone = len(candidates) == 1
        for number, candidate in enumerate(candidates * 2 if alone else candidates):
            if alone and number:
                if code not in failures.TRANSIENT:
                    break
                await asyncio.sleep(RETRY_SECONDS)
            others = [member for member, _ in candidates[number + 1 :]]
            told = await self._ask(context, candidate, others, messages, tools)
            if isinstance(told, AIMessage):
                return told
            code = told
        raise ModelError("No language model could answer.", code=code)

    async def _ask(
        self,
        context: TurnContext,
        candidate: Candidate,
        others: Sequence[Member],
        messages: Sequence[BaseMessage],
        tools: Sequence[Any],
    ) -> AIMessage | str:
        member, why = candidate
        seconds = self._seconds_for(context, len(others))
        first_seconds = seconds * _share_for_first(member, others)
        asking = Asking(context, member, why)
        return await asking.run(messages, tools, seconds=seconds, first_seconds=first_seconds)

    def candidates(
        self, context: TurnContext, messages: Sequence[BaseMessage], tools: Sequence[Any]
    ) -> list[Candidate]:
        """Whom to ask and why: who began the turn, what is sure, the choice, the settings.

        Those that rest come last, for silence is worse than one more try.
        """
        found = self._models.in_order(context.chosen)
        begun_by = answers.last_asked(messages)
        if self._is_sure(context, messages, tools, begun_by):
            found = _first(found, self._models.local, Why.SURE)
        elif self._hands_over(context, messages, tools, begun_by):
            found = _last(found, self._models.local)
        elif begun_by:
            found = _first(found, self._models.named(begun_by), Why.FALLBACK)
        now = monotonic()
        return sorted(found, key=lambda candidate: not candidate[0].breaker.allows(now))

    def _is_sure(
        self,
        context: TurnContext,
        messages: Sequence[BaseMessage],
        tools: Sequence[Any],
        begun_by: str,
    ) -> bool:
        local = self._models.local
        if local is None or begun_by not in ("", local.name) or context.language not in ("", "en"):
            return False
        # Imported with the parent's models, if at all.
        from workers.models_llm.local import is_sure

        return is_sure(messages, [tool.name for tool in tools])

    def _hands_over(
        self,
        context: TurnContext,
        messages: Sequence[BaseMessage],
        tools: Sequence[Any],
        begun_by: str,
    ) -> bool:
        """The grammar was sure when the turn began, but its tools did not find what was named."""
        if not begun_by:
            return False
        return self._is_sure(context, answers.question_of(messages), tools, begun_by)

    def _seconds_for(self, context: TurnContext, others: int) -> float:
        """Leaves the others their share of the turn; the turn's own deadline stops the last one."""
        if not others:
            return self._seconds
        return max(0.0, min(self._seconds, (context.deadline - monotonic()) / (others + 1)))


def _share_for_first(member: Member, others: Sequence[Member]) -> float:
    now = monotonic()
    ready = any(other.breaker.allows(now) for other in others)
    return TRIAL_SHARE if ready and member.breaker.on_trial(now) else 1.0


def _last(candidates: list[Candidate], member: Member | None) -> list[Candidate]:
    """That member only after all others; alone it stays what it is."""
    if member is None or (candidates and candidates[0][0] is member):
        return candidates
    return [*(other for other in candidates if other[0] is not member), (member, Why.FALLBACK)]


def _first(candidates: list[Candidate], member: Member | None, why: str) -> list[Candidate]:
    """That member before all others; one that is there already keeps its reason."""
    if member is None or (candidates and candidates[0][0] is member):
        return candidates
    return [(member, why), *(other for other in candidates if other[0] is not member)]
