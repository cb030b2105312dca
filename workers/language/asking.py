"""One question to one provider: told word by word, timed, put down as a `Use` however it ends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import aclosing
from time import monotonic
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage

from workers import steps
from workers.errors import LeaseLost, place_of
from workers.language import answers, failures
from workers.language.models import LOCAL, REST_SECONDS, Member
from workers.turn_context import TurnContext
from workers.uses import Stage, Use

logger = logging.getLogger("workers.language")

CANCELLED = "cancelled"


class Asking:
    def __init__(self, context: TurnContext, member: Member, why: str) -> None:
        self._context = context
        self._member = member
        self._why = why
        self._began = monotonic()
        self._first_ms: int | None = None
        self._chunks: list[BaseMessage] = []
        self._told = False

    async def run(
        self,
        messages: Sequence[BaseMessage],
        tools: Sequence[Any],
        *,
        seconds: float,
        first_seconds: float,
    ) -> AIMessage | str:
        """The answer, or the code of the failure.

        `seconds` for all of it, `first_seconds` for its first piece. MemoryError is for the turn to
        deal with, and so is being stopped.
        """
        try:
            with self._member.lease() as opened:
                model = opened.with_tools(tools)
                async with asyncio.timeout(min(seconds, first_seconds)) as limit:
                    await self._listen(model, messages, limit, seconds)
            message = answers.settled(
                self._chunks,
                self._member.name,
                earlier=messages,
                tells_end=self._member.tells_end,
            )
        except asyncio.CancelledError:
            self._tell(CANCELLED)
            raise
        except (MemoryError, LeaseLost):
            raise
        except Exception as error:
            return self._failed(error)
        self._member.breaker.succeeded()
        self._tell("", message)
        return message

    async def _listen(
        self,
        model: Any,
        messages: Sequence[BaseMessage],
        limit: asyncio.Timeout,
        seconds: float,
    ) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        asked = answers.readable(messages, self._member.name)
        async with aclosing(model.astream(asked)) as stream:
            async for chunk in stream:
                if limit.expired():  # this very moment, or an SDK lost the cancellation
                    raise TimeoutError
                if not self._chunks:
                    limit.reschedule(until)
                self._chunks.append(chunk)
                self._hear(chunk)

    def _hear(self, chunk: BaseMessage) -> None:
        text = chunk.text
        calls = isinstance(chunk, AIMessageChunk) and chunk.tool_call_chunks
        if self._first_ms is None and (text or calls):
            self._first_ms = self._ms()
        if text:
            self._told = True
            self._context.emit(steps.Words(text, english=self._member.name == LOCAL))

    def _failed(self, error: Exception) -> str:
        code = failures.code_of(error, begun=bool(self._chunks))
        if code not in failures.ABOUT_QUESTION:
            rest = max(REST_SECONDS, failures.retry_after(error)) if code in failures.LASTING else 0
            self._member.breaker.failed(monotonic(), rest_seconds=rest)
        if self._told:
            self._context.emit(steps.AnswerDropped())
        use = self._tell(code)
        logger.warning(
            "language model failed",
            extra={
                "turn_id": self._context.key_prefix,
                "provider": use.provider,
                "model": use.model,
                "code": code,
                "error": place_of(error),
                "first_ms": use.first_ms,
                "took_ms": use.took_ms,
            },
        )
        return code

    def _tell(self, code: str, message: AIMessage | None = None) -> Use:
        counted = message.usage_metadata if message is not None else None
        use = Use(
            Stage.THINK,
            self._member.label,
            self._member.model_name,
            self._why,
            code,
            first_ms=self._first_ms,
            took_ms=self._ms(),
            tokens_in=counted["input_tokens"] if counted else 0,
            tokens_out=counted["output_tokens"] if counted else 0,
        )
        self._context.emit(steps.Asked(use))
        return use

    def _ms(self) -> int:
        return round((monotonic() - self._began) * 1000)
