"""One agent turn, from its row to its last sentence, under one deadline.

The loop thread runs the agent; this thread takes its steps one by one and does everything that
waits: the database, Redis, the broker. A turn never ends silently.
"""

from __future__ import annotations

import logging
from concurrent.futures import Future
from contextlib import suppress
from datetime import datetime
from functools import partial
from time import monotonic
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone
from langchain_core.messages import BaseMessage, SystemMessage
from redis.exceptions import RedisError

from convonet import counters, database
from convonet.stopwatch import mark
from voice import scope
from voice.models import Turn
from voice.preferences import Chosen, chosen
from workers import checkpoint, history, just_told, lanes, prompts, steps
from workers.agent_loop import Agent, AgentRun
from workers.errors import LeaseLost
from workers.inbox import Inbox
from workers.loop import LoopThread
from workers.options import AgentOptions
from workers.past_turns import earlier_turns
from workers.tools import TodoServer
from workers.turn_context import TurnContext
from workers.turn_record import TurnRecord

logger = logging.getLogger("workers.agent_turn")

CANCEL_CHECK_SECONDS = 0.2
# After the deadline, how long the loop may take to say what became of a tool call.
LAST_WORD_SECONDS = 1.0
CLOSE_SECONDS = 1.0


class TurnRunner:
    """What one child keeps for all its turns."""

    def __init__(
        self, loop: LoopThread, server: TodoServer, agent: Agent, redis: Any, options: AgentOptions
    ) -> None:
        self.loop = loop
        self.server = server
        self._agent = agent
        self._redis = redis
        self._options = options

    def run(self, turn_id: str) -> None:
        began = monotonic()
        record = TurnRecord.claim(turn_id, self._redis, self._options.max_reply_characters)
        if record is None:
            self._not_again(turn_id)
            return
        code = self._guarded(record, began + self._options.turn_seconds)
        self._log(record, code, began)

    def give_up(self, turn_id: str) -> None:
        """The turn's child was killed for taking too long; tell the caller so."""
        most = self._options.max_reply_characters
        record = TurnRecord.claim(turn_id, self._redis, most, start=False)
        if record is not None:
            with suppress(LeaseLost):
                record.failed("deadline", known=False)
            self._log(record, "deadline", monotonic())

    def close(self) -> None:
        for closing in (self.server.close(), self._agent.models.close()):
            with suppress(Exception):
                self.loop.submit(closing).result(CLOSE_SECONDS)
        self.loop.stop()

    def _not_again(self, turn_id: str) -> None:
        """Its worker may have died between writing the end and telling it."""
        record = TurnRecord.reopen(turn_id, self._redis)
        if record is not None:
            with suppress(LeaseLost):
                record.tell_again()
        logger.info("turn not run again", extra={"turn_id": turn_id})

    def _guarded(self, record: TurnRecord, deadline: float) -> str:
        try:
            return self._answered(record, deadline)
        except LeaseLost:
            # Another worker has it. Nothing more is ours to write or to tell.
            return "lost"

    def _answered(self, record: TurnRecord, deadline: float) -> str:
        try:
            return self._run(record, deadline)
        except LeaseLost:
            raise
        except RedisError as error:
            # Nobody can be told now. The turn goes on from its last step when the broker is back.
            fields = {"turn_id": record.id, "error": type(error).__name__}
            logger.warning("turn left for later", extra=fields)
            record.lease.let_go()
            return "broker"
        except Exception as error:
            # Everything, SoftTimeLimitExceeded and MemoryError too: the caller waits for a word.
            logger.exception(
                "turn broke", extra={"turn_id": record.id, "error": type(error).__name__}
            )
            if isinstance(error, MemoryError):
                return self._out_of_memory(record, known=False)
            record.failed("internal", known=False)
            return "internal"

    def _run(self, record: TurnRecord, deadline: float) -> str:
        if record.cancelled:
            record.interrupted()
            return "cancelled"
        if record.exhausted:
            record.failed("attempts", known=False)
            return "attempts"
        code = self._follow(record, deadline)
        if code == "cancelled":
            record.interrupted()
        elif code == "memory":
            self._out_of_memory(record)
        elif code:
            record.failed(code)
        else:
            record.finished()
        return code

    def _out_of_memory(self, record: TurnRecord, *, known: bool = True) -> str:
        """Beside others it may not have been this one that took it: it runs once more, alone."""
        lanes.damaged.set()
        if lanes.in_company():
            record.once_more_alone()
        else:
            record.failed("memory", known=known)
        return "memory"

    def _follow(self, record: TurnRecord, deadline: float) -> str:
        """Run the agent and record its steps; returns the code it ended with, empty when well."""
        past = record.resume()
        if checkpoint.is_final(past):
            return ""
        inbox = Inbox()
        context = self._context(record.turn, deadline, inbox)
        run = AgentRun(self._agent, context, self._options.max_steps)
        tools_deadline = min(deadline, monotonic() + self._options.connect_seconds)
        messages = [*self._messages(record.turn), *past]
        mark("thinking", record.id)
        future = self.loop.submit(run.drive(messages, tools_deadline))
        try:
            record.started()
            record.reply.prepare()
            return self._record_steps(record, inbox, run, deadline)
        finally:
            self._make_sure_it_ended(run, future)

    def _record_steps(
        self, record: TurnRecord, inbox: Inbox, run: AgentRun, deadline: float
    ) -> str:
        stopping = ""
        while True:
            now = monotonic()
            if now >= deadline and stopping != "deadline":
                stopping, deadline = "deadline", now + LAST_WORD_SECONDS
                self.loop.loop.call_soon_threadsafe(run.abort)
            elif now >= deadline:
                return stopping
            elif not stopping and record.cancelled:
                stopping = "cancelled"
                self.loop.loop.call_soon_threadsafe(run.stop)
            record.lease.keep()
            with inbox.next(max(0.0, min(CANCEL_CHECK_SECONDS, deadline - now))) as step:
                if isinstance(step, steps.Ended):
                    return self._ended(record, step, stopping)
                if step is None:
                    database.let_go_while_waiting()
                _take(record, step, heard=not stopping)

    def _ended(self, record: TurnRecord, step: steps.Ended, stopping: str) -> str:
        if step.where:
            fields = {"turn_id": record.id, "code": step.code, "error": step.where}
            logger.error("agent failed", extra=fields)
        return stopping or step.code

    def _make_sure_it_ended(self, run: AgentRun, future: Future[None]) -> None:
        if not future.done():
            self.loop.loop.call_soon_threadsafe(run.abort)

    def _messages(self, turn: Turn) -> list[BaseMessage]:
        options = self._options
        now = datetime.now(ZoneInfo(turn.call.time_zone or options.time_zone))
        name = prompts.name_of(turn.call)
        prompt = prompts.system_prompt(now, name, turn.language) + just_told.instructions(turn)
        said = history.conversation(
            earlier_turns(turn, options.history_turns),
            turn.transcript,
            most_turns=options.history_turns,
            most_tokens=options.history_tokens,
        )
        return [SystemMessage(prompt), *said]

    def _context(self, turn: Turn, deadline: float, inbox: Inbox) -> TurnContext:
        call = turn.call
        zone = call.time_zone or self._options.time_zone
        return TurnContext(
            server=self.server,
            signed=scope.signed(turn, zone),
            key_prefix=str(turn.pk),
            deadline=deadline,
            tool_seconds=self._options.tool_seconds,
            emit=inbox.put,
            recorded=inbox.recorded,
            offers=partial(scope.offered, call),
            # Where there is only one, nobody can have chosen another.
            chosen=chosen(call.user_id) if self._agent.models.can_be_chosen else Chosen(),
            language=turn.language,
        )

    def _log(self, record: TurnRecord, code: str, began: float) -> None:
        if code == "memory":
            counters.add("memory_errors")
        turn = record.turn
        logger.info(
            "turn finished",
            extra={
                "call_id": turn.call_id,
                "turn_id": record.id,
                "ended": code or "well",
                "attempt": turn.attempts,
                "waited_ms": _waited_ms(turn, began),
                "first_token_ms": turn.first_token_ms,
                "total_ms": round((monotonic() - began) * 1000),
                "tools_ms": sum(tool.took_ms for tool in record.tools),
                "tools": len(record.tools),
                "sentences": record.reply.sentences,
            },
        )


def _take(record: TurnRecord, step: steps.Step | None, *, heard: bool) -> None:
    if isinstance(step, steps.ToolBegan):
        record.tool_began(step)
    elif isinstance(step, steps.ToolEnded):
        record.tool_ended(step)
    elif isinstance(step, steps.Words) and heard:
        record.words(step.text, english=step.english)
    elif isinstance(step, steps.AnswerDropped) and heard:
        record.reply.drop_unspoken()
    elif isinstance(step, steps.Asked):
        record.asked(step.use)
    elif isinstance(step, steps.MessageEnded):
        if heard:
            record.reply.end_message()
        record.step_ended(step.message)
    elif isinstance(step, steps.ToolsAnswered):
        record.step_ended(*step.messages)


def _waited_ms(turn: Turn, began: float) -> int:
    """From the turn's row to a worker taking it."""
    age = (timezone.now() - turn.created_at).total_seconds() - (monotonic() - began)
    return max(0, round(age * 1000))
