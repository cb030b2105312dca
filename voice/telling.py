"""What a conversation says to its surroundings: commands in order, messages of docs/protocol.md."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from convonet import providers
from voice import events, notices
from voice.turns import Begin, Command, Finish, LiveTurn, Outcome, Tell


class Telling:
    def __init__(self) -> None:
        self._commands: list[Command] = []
        self._state = ""
        self.say: Callable[[str], None] | None = None
        """Set where nothing can be read: says what the caller must know all the same."""

    def take(self) -> list[Command]:
        commands, self._commands = self._commands, []
        return commands

    def add(self, *commands: Command) -> None:
        self._commands += commands

    def tell(self, kind: str, **fields: Any) -> None:
        self.add(Tell({"type": kind, **fields}))

    def state(self, state: str) -> None:
        """Told when it changes."""
        if state != self._state:
            self._state = state
            self.tell("state", state=state)

    def notice(self, text: str, level: str, *, aloud: bool = False) -> None:
        """`aloud`: the caller must know it, and has not heard it otherwise."""
        self.tell("notice", text=text, level=level)
        if aloud and self.say is not None:
            self.say(notices.for_ears(text))

    def begin(self, turn: LiveTurn) -> None:
        """Have its row written; that its words were taken and what came of it is told then."""
        turn.held = []
        if turn.transcript:
            self.transcript(turn, turn.transcript)
        self.add(Begin(turn))

    def begun(self, turn: LiveTurn, *, written: bool = True) -> None:
        """Words that could not be written were not taken, and are not shown as such."""
        held, turn.held = turn.held or [], None
        self.add(*(one for one in held if written or not _shows_words(one)))

    def transcript(self, turn: LiveTurn, text: str, *, final: bool = True) -> None:
        self._tell_of(turn, "transcript", text=text, final=final, source=turn.source)

    def clear(self, turn: LiveTurn) -> None:
        self.tell("clear", turn=turn.id, number=turn.number)

    def done(self, turn: LiveTurn, outcome: Outcome, heard: str) -> None:
        self._tell_of(
            turn,
            "turn_done",
            number=turn.number,
            state=outcome,
            reply=turn.reply,
            heard=heard,
            answered_by=_label(turn.answered_by),
            timings_ms=dict(turn.timings_ms),
        )
        self.add(Finish(turn, outcome, heard))

    def tool_started(self, event: events.ToolStarted) -> None:
        self._tool(event, "running", "", None, [], {})

    def tool_finished(self, event: events.ToolFinished) -> None:
        status = "done" if event.ok else "failed"
        self._tool(event, status, event.summary, event.change_id, event.todo_ids, event.arguments)

    def _tell_of(self, turn: LiveTurn, kind: str, **fields: Any) -> None:
        tell = Tell({"type": kind, "turn": turn.id, **fields})
        if turn.held is None:
            self.add(tell)
        else:
            turn.held.append(tell)

    def _tool(
        self,
        event: events.ToolStarted | events.ToolFinished,
        status: str,
        summary: str,
        change_id: int | None,
        todo_ids: list[int],
        arguments: dict[str, Any],
    ) -> None:
        self.tell(
            "tool",
            turn=event.turn_id,
            id=event.tool_call_id,
            name=event.name,
            status=status,
            summary=summary,
            change=change_id,
            todos=todo_ids,
            arguments=arguments,
        )


def _shows_words(one: Tell) -> bool:
    return one.message["type"] == "transcript" and bool(one.message["text"])


def _label(provider: str) -> str:
    known = providers.named(providers.LANGUAGE, provider)
    return known.label if known else provider
