"""The written side of a turn: its row, its tool calls, and what the call is told about them."""

from __future__ import annotations

from collections.abc import Mapping
from time import monotonic
from typing import Any

from django.utils import timezone
from langchain_core.messages import AIMessage, BaseMessage

from convonet.stopwatch import mark
from phone import wishes
from voice import keys, leases
from voice.events import ToolStarted, TurnFailed, TurnFinished, TurnStarted
from voice.models import ToolCall, Turn
from voice.preferences import chosen
from workers import checkpoint, steps, tool_rows, uses
from workers.language.answers import ASKED
from workers.language.models import LOCAL
from workers.lease import Lease, find, take
from workers.outcome import apology
from workers.reply import Reply
from workers.uses import Use

State = Turn.State
OVER = frozenset({State.DONE, State.INTERRUPTED, State.FAILED})
# A turn that took its worker down this often is not given a further one.
MOST_ATTEMPTS = 3


class TurnRecord:
    """One claimed turn. Every method writes the row first and tells the call afterwards.

    Each raises LeaseLost, with nothing written or told, once another worker has the turn.
    """

    def __init__(self, turn: Turn, lease: Lease, redis: Any, most_characters: int) -> None:
        self.turn = turn
        self.redis = redis
        self.id = str(turn.pk)
        self.lease = lease
        self.reply = Reply(
            lease,
            self.id,
            str(turn.call_id),
            turn.call.audio_format,
            most_characters,
            self._manner,
        )
        self._tools: dict[str, steps.ToolEnded] = {}
        self._messages: list[BaseMessage] = []
        self._uses: list[Use] = []

    @classmethod
    def claim(
        cls, turn_id: str, redis: Any, most_characters: int, *, start: bool = True
    ) -> TurnRecord | None:
        """Take the turn, also from a worker that died with it; None when it is not ours to run.

        The call is told that it starts again, unless it is taken only to be ended.
        """
        taken = take(turn_id, redis)
        if taken is None:
            return None
        turn, lease = taken
        record = cls(turn, lease, redis, most_characters)
        if not lease.first:
            lease.tell(*([TurnStarted(turn_id)] if start else []), if_wanted=True)
            record._go_on()
        mark("claimed", record.id)
        return record

    def started(self) -> None:
        """Tell the call while the agent begins, unless it was told with the claim."""
        if self.lease.first:
            self.lease.tell(TurnStarted(self.id), if_wanted=True)

    def _go_on(self) -> None:
        """From what an earlier worker has left, and can add nothing to any more."""
        self.redis.delete(keys.reply_text(self.id))
        self._messages = checkpoint.load(self.turn)
        if not self._messages:
            with self.lease.writing():
                self.turn.tool_calls.all().delete()
        self._read_tools()

    @classmethod
    def reopen(cls, turn_id: str, redis: Any) -> TurnRecord | None:
        """A turn that is over, or nearly, and whose worker died before it could say so."""
        turn = find(turn_id)
        untold = turn is not None and turn.lease_until is not None
        if turn is None or not untold or not leases.is_lost(turn, timezone.now()):
            return None
        record = cls(turn, Lease(turn, redis, monotonic()), redis, most_characters=0)
        record._read_tools()
        record.reply.resume(redis, turn.reply)
        return record

    def _read_tools(self) -> None:
        for number, row in enumerate(self.turn.tool_calls.all()):
            if row.result is not None:
                self._tools[row.tool_call_id] = _ended(number, row)

    @property
    def tools(self) -> list[steps.ToolEnded]:
        """Those that ended, in the order they began."""
        return list(self._tools.values())

    @property
    def exhausted(self) -> bool:
        return self.turn.attempts > MOST_ATTEMPTS

    @property
    def cancelled(self) -> bool:
        return self.lease.cancelled

    def resume(self) -> list[BaseMessage]:
        """What the agent goes on from; its words are told again, for the call began anew."""
        for message in self._messages:
            if isinstance(message, AIMessage) and message.text:
                self.words(message.text, english=message.response_metadata.get(ASKED) == LOCAL)
                self.reply.end_message()
        return list(self._messages)

    def step_ended(self, *messages: BaseMessage) -> None:
        """What follows goes on from here, whoever runs it."""
        self._messages += messages
        with self.lease.writing():
            checkpoint.save(self.turn, self._messages)
            self._keep_uses()

    def words(self, text: str, *, english: bool = False) -> None:
        mark("worded", self.id)
        if self.turn.first_token_ms is None:
            self.turn.first_token_ms = self._age_ms()
        self.reply.add(text, english=english)

    def asked(self, use: Use) -> None:
        """Kept with the step it was for; who answered last is who answered."""
        self._uses.append(use)
        if not use.error:
            self.turn.model_name = "/".join(filter(None, [use.provider, use.model]))[:80]

    def tool_began(self, step: steps.ToolBegan) -> None:
        with self.lease.writing():
            tool_rows.began(self.turn, step)
        mark("tool began", self.id)
        self.reply.publish(ToolStarted(self.id, tool_rows.call_id_of(step), step.name))

    def tool_ended(self, step: steps.ToolEnded) -> None:
        mark("tool ended", self.id)
        self._tools[tool_rows.call_id_of(step)] = step
        with self.lease.writing():
            tool_rows.ended(self.turn, step)
        self.reply.publish(tool_rows.told(self.id, step))

    def finished(self) -> None:
        self.reply.end_message()
        if not self.reply.sentences:
            self.reply.say(self._last_said())
        self._end(State.SPEAKING)
        self.tell_finished()

    def tell_finished(self) -> None:
        reply = self.reply
        provider = self.turn.model_name.partition("/")[0]
        reply.publish(
            TurnFinished(self.id, reply.text, reply.sentences, self._hangs_up(), provider)
        )
        self.lease.release()

    def failed(self, code: str, *, known: bool = True) -> None:
        """Apologise in one true sentence, spoken like any other, and end the turn."""
        message = apology(code, self.tools, known=known)
        self.reply.say(message)
        self.turn.error = code[:60]
        self._end(State.FAILED)
        self.tell_failed(message)

    def tell_failed(self, message: str = "") -> None:
        """Without its message, an earlier worker's end is told again."""
        self.reply.publish(TurnFailed(self.id, self.turn.error, message or self.reply.text))
        self.lease.release()

    def tell_again(self) -> None:
        """The end that a worker wrote and perhaps did not tell."""
        if self.turn.state == State.SPEAKING:
            self.tell_finished()
        elif self.turn.state == State.FAILED and self.turn.error:
            self.tell_failed()
        elif self.turn.state in OVER:
            self.lease.release()

    def once_more_alone(self) -> None:
        """Let another child begin it again from its last step, one that works on nothing else."""
        self.lease.let_go(queued_at=timezone.now())
        self.lease.queue("run_turn_alone")

    def interrupted(self) -> None:
        """The web process writes what was heard; it has told the page already."""
        self._end(State.INTERRUPTED)
        self.lease.release()

    def _end(self, state: Turn.State) -> None:
        turn = self.turn
        turn.reply = self.reply.text
        values: dict[str, Any] = {
            "reply": turn.reply,
            "model_name": turn.model_name,
            "error": turn.error,
        }
        if turn.first_token_ms is not None:
            values["first_token_ms"] = turn.first_token_ms
        with self.lease.writing():
            self.lease.rows.update(**values)
            self._set_state(state)
            self._keep_uses()
            checkpoint.delete(turn)

    def _keep_uses(self) -> None:
        uses.record(*self._uses, call_id=self.turn.call_id, turn_id=self.turn.pk)
        self._uses.clear()

    def _set_state(self, state: Turn.State) -> None:
        rows, now = self.lease.rows, timezone.now()
        ended = {} if state == State.SPEAKING else {"finished_at": now}
        # The caller may have interrupted meanwhile: then the web process has written the end.
        rows.filter(state=State.THINKING).update(state=state, **ended)
        if state == State.SPEAKING:
            # Nobody stayed to hear it: the web process has gone before it could write the end.
            left = rows.filter(state=State.SPEAKING, call__ended_at__isnull=False)
            left.update(state=State.INTERRUPTED, finished_at=now)

    def _manner(self) -> dict[str, str]:
        """The caller's language, and the voice that was chosen."""
        choice = chosen(self.turn.call.user_id)
        return {
            "language": self.turn.language,
            "voice": choice.voice,
            "why": choice.voice_why if choice.voice else "",
        }

    def _age_ms(self) -> int:
        return max(0, round((timezone.now() - self.turn.created_at).total_seconds() * 1000))

    def _last_said(self) -> str:
        said = [str(tool.result.get("said") or "") for tool in self.tools]
        return next((text for text in reversed(said) if text), "Sorry, I have no answer to that.")

    def _hangs_up(self) -> bool:
        last_word = any(tool_rows.ends_call(tool.name, tool.result, tool.ok) for tool in self.tools)
        return last_word or wishes.goes_on(self.turn)


def _ended(ordinal: int, row: ToolCall) -> steps.ToolEnded:
    result = _object(row.result)
    took_ms = row.took_ms or 0
    name, arguments = row.name, _object(row.arguments)
    return steps.ToolEnded(ordinal, row.tool_call_id, name, arguments, result, row.ok, took_ms)


def _object(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}
