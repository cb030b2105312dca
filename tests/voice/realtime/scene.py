"""A call with a model on the line, without either: its clock, what it asked for, what was said."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any, TypeVar

from voice import events
from voice.audio import AudioFormat
from voice.options import CallOptions
from voice.realtime import deeds, protocol
from voice.realtime.conversation import RealtimeConversation
from voice.realtime.options import RealtimeOptions
from voice.realtime.requests import CreateResponse
from voice.turns import Begin, Command, Extra, Finish, ForModel, Run, Tell

PHONE = AudioFormat("mulaw", 8000)
SECOND = PHONE.bytes_per_second
OPTIONS = RealtimeOptions(key="k")
T = TypeVar("T")
C = TypeVar("C", bound=Command)


class Scene:
    """`commands` are all there were; rows are written at once, and audio is stored at once."""

    def __init__(self, **changes: Any) -> None:
        ids = itertools.count(1)
        self.options = replace(OPTIONS, **changes)
        self.talk = RealtimeConversation(
            PHONE, CallOptions(), self.options, ids=lambda: f"id{next(ids)}"
        )
        self.now = 100.0
        self.commands: list[Command] = []
        self.stores = True
        self._sent_ms = 0
        self._items = itertools.count(1)
        self._responses = itertools.count(1)

    # What it asked for --------------------------------------------------------------------------
    def take(self) -> list[Command]:
        while new := self.talk.take():
            self.commands += new
            for command in new:
                if isinstance(command, Begin):
                    self.talk.begun(command)
                elif isinstance(command, ForModel) and isinstance(command.what, deeds.StoreAudio):
                    self._store(command.what)
        return self.commands

    def _store(self, what: deeds.StoreAudio) -> None:
        if self.stores:
            self.talk.stored(what.turn_id, what.seq, what.offset + len(what.audio), self.now)

    def of(self, kind: type[C]) -> list[C]:
        return [c for c in self.take() if isinstance(c, kind)]

    def line(self, kind: type[T]) -> list[T]:
        return [c.what for c in self.of(ForModel) if isinstance(c.what, kind)]

    def deeds(self, kind: type[T]) -> list[T]:
        return [c.what for c in self.of(Extra) if isinstance(c.what, kind)]

    def told(self, kind: str) -> list[dict[str, Any]]:
        return [c.message for c in self.of(Tell) if c.message["type"] == kind]

    def ends(self) -> list[tuple[str, str]]:
        """(outcome, what was heard) of the turns that are over."""
        return [(c.outcome, c.heard) for c in self.of(Finish)]

    @property
    def asked(self) -> list[CreateResponse]:
        return self.line(CreateResponse)

    @property
    def run(self) -> list[str]:
        """Turns that workers are to answer."""
        return [c.turn.id for c in self.of(Run)]

    # The line -----------------------------------------------------------------------------------
    def join(self, history: list[dict[str, str]] | None = None) -> None:
        self.talk.wake(self.now)
        assert self.deeds(deeds.Brief)
        tools = [{"type": "function", "name": "add_todo"}]
        self.talk.handle(events.Briefed("Be brief.", tools, history or []), self.now)
        assert self.line(deeds.Join)
        self.up(protocol.SessionUpdated())
        assert self.talk.on_line

    def up(self, *said: protocol.ServerEvent) -> None:
        for event in said:
            self.talk.upstream(event, self.now)
            self.take()

    def lose(self, code: str = "model_half", **how: bool) -> None:
        self.talk.lost(code, self.now, **how)
        self.take()

    def later(self, seconds: float) -> None:
        """The clock of the hub strikes twice a second."""
        for _ in range(max(1, round(seconds * 2))):
            self.now += seconds / max(1, round(seconds * 2))
            self.talk.tick(self.now)
            self.take()

    # The caller ---------------------------------------------------------------------------------
    def speak(self, words: str | None = None, ms: int = 1000, *, failed: bool = False) -> str:
        """An utterance the model hears to its end; the id of its item."""
        item = self.begin_to_speak(ms)
        end = self._sent_ms
        self.up(protocol.SpeechStopped(item, end), protocol.Committed(item))
        if failed:
            self.up(protocol.NoWords(item, "transcription_failed"))
        elif words is not None:
            self.up(protocol.Words(item, words))
        return item

    def begin_to_speak(self, ms: int = 1000) -> str:
        item = f"said{next(self._items)}"
        start = self._sent_ms
        self.talk.sent(bytes(ms * 8))
        self._sent_ms += ms
        self.up(protocol.SpeechStarted(item, start))
        return item

    # The model ----------------------------------------------------------------------------------
    def respond(self) -> str:
        """It takes up the response that was asked for last; its id."""
        response = f"r{next(self._responses)}"
        self.up(protocol.ResponseCreated(response, self.asked[-1].owner))
        return response

    def talk_on(self, response: str, text: str, ms: int = 1000, *, item: str = "") -> str:
        item = item or f"{response}-item"
        if text:
            self.up(protocol.TextDelta(response, item, text))
        self.up(protocol.AudioDelta(response, item, bytes(ms * 8)))
        return item

    def end(self, response: str, status: str = "completed", code: str = "") -> None:
        usage = protocol.Usage(text_in=10, audio_in=20, text_out=5, audio_out=15)
        self.up(protocol.ResponseDone(response, status, code, usage=usage))

    def answer(self, text: str, ms: int = 1000) -> str:
        """A whole response of one sentence; its id."""
        response = self.respond()
        item = self.talk_on(response, text, ms)
        self.up(protocol.ItemDone(response, item))
        self.end(response)
        return response

    def call_tool(self, response: str, call_id: str, name: str = "add_todo") -> None:
        call = protocol.FunctionCall(call_id, name, '{"title":"milk"}')
        self.up(protocol.ItemDone(response, f"item-{call_id}", call))

    def tool_answers(self, call_id: str, text: str = "Added.", *, end_call: bool = False) -> None:
        turn = self.deeds(deeds.RunTool)[-1].turn_id
        self.talk.handle(events.ToolAnswered(turn, call_id, text, end_call), self.now)
        self.take()

    # The far end --------------------------------------------------------------------------------
    def play(self) -> int:
        """Send what may leave; the ms that are out in all of this turn."""
        while (fetch := self.talk.next_fetch()) is not None:
            self.talk.sending(fetch, self.now)
        self.take()
        current = self.talk.current
        return current.playout.sent_ms if current else 0

    def hear(self, ms: int) -> None:
        """The caller has heard so much of the current reply."""
        turn = self.talk.current
        assert turn is not None
        self.talk.played(turn.id, ms, self.now)
        self.take()

    def hear_all(self) -> None:
        """The current reply, to its end."""
        turn = self.talk.current
        while turn is not None and self.talk.current is turn:
            sent = self.play()
            if self.talk.current is turn:
                assert sent > turn.playout.heard_ms, "nothing more to be heard"
                self.hear(sent)
