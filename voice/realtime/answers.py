"""What the model on the line answers: its events become those by which workers answer a turn.

Pure. One exchange is answered at a time, those that are over are kept for a while: a transcript may
come late. Only events of the wanted response change anything (`voice.realtime.responses`).
"""

from __future__ import annotations

from collections.abc import Iterator

from voice import events, notices
from voice.answering import Answering
from voice.realtime import charging, deeds, protocol, replying, said, wishes
from voice.realtime.exchange import Exchange
from voice.realtime.known import Known
from voice.realtime.options import RealtimeOptions
from voice.realtime.requests import Message, Request, Truncate
from voice.realtime.responses import BUSY, Responses
from voice.telling import Telling
from voice.turns import Command, Extra, ForModel, Outcome
from voice.unanswered import NOISE_EVERY

# Utterances without a word in a row that are asked about.
MOST_QUESTIONS = 2


class Answers:
    def __init__(self, options: RealtimeOptions, answering: Answering, out: Telling) -> None:
        self._options, self._answering, self._out = options, answering, out
        self.responses = Responses(options.answer_seconds)
        self.known = Known()
        self._instructions = ""
        self._wordless = 0
        self.current: Exchange | None = None

    def brief(self, instructions: str) -> None:
        self._instructions = instructions

    # The current one ----------------------------------------------------------------------------
    def begin(self, exchange: Exchange, now: float) -> None:
        """It is answered as soon as its row is written."""
        self.current = exchange
        exchange.turn.started = True
        if exchange.written:
            self._open(exchange, now)

    def written(self, turn_id: str, now: float) -> None:
        exchange = self.known.get(turn_id)
        if exchange is None or exchange.written:
            return
        exchange.written = True
        if exchange is self.current:
            self._open(exchange, now)

    def _open(self, exchange: Exchange, now: float) -> None:
        turn = exchange.turn
        if turn.announcement:
            self._ask(exchange, now, f"{self._instructions}\n\n{said.GREET}")
            return
        if turn.source == "typed":
            self._send(Message("user", turn.transcript or ""))
        if not exchange.unclear:
            self._ask(exchange, now)
        elif self._wordless > MOST_QUESTIONS:
            self._ignore(exchange, now)
        else:
            self._send(Message("system", said.UNCLEAR))
            self._ask(exchange, now)

    def _ignore(self, exchange: Exchange, now: float) -> None:
        """Noise upon noise: whoever is asked again and again hears nothing else."""
        if self._wordless % NOISE_EVERY == 0:
            self._out.notice(notices.ONLY_NOISE, "warning", aloud=True)
        self._answering.handle(exchange.finished(), now)

    def _ask(self, exchange: Exchange, now: float, instructions: str = "") -> None:
        exchange.resting, exchange.asked_at, exchange.first_at = False, now, None
        if not instructions and self.known.follows(exchange):
            instructions = f"{self._instructions}\n\n{said.LATER}"
        self._send(*self.responses.ask(exchange.turn.id, now, instructions))

    # What the model says ------------------------------------------------------------------------
    def handle(self, event: protocol.ServerEvent, now: float) -> str:
        """A code when the line is of no use any more, else empty."""
        match event:
            case protocol.ResponseCreated(response_id=response_id, owner=owner):
                self._send(*self.responses.created(response_id, owner, now))
            case protocol.AudioDelta():
                self._audio(event, now)
            case protocol.TextDelta():
                self._text(event, now)
            case protocol.ItemDone():
                self._item_done(event, now)
            case protocol.ResponseDone():
                return self._response_done(event, now)
            case protocol.Words() | protocol.NoWords():
                self._transcript(event, now)
            case protocol.Error(code=code, event_id=event_id):
                return self._refused(event_id, code, now)
        return ""

    def _refused(self, event_id: str, code: str, now: float) -> str:
        if code == "session_expired":
            return "model_expired"
        asked = self.responses.refused(event_id, code, now)
        return "model_refused" if asked and code != BUSY else ""

    def _of(self, response_id: str, now: float) -> Exchange | None:
        owner = self.responses.owner(response_id, now)
        return self.current if self.current and self.current.turn.id == owner else None

    def _audio(self, event: protocol.AudioDelta, now: float) -> None:
        exchange = self._of(event.response_id, now)
        if exchange is not None and event.audio:
            exchange.first_at = now if exchange.first_at is None else exchange.first_at
            self._line(replying.sound(exchange, event.item_id, event.audio))

    def _text(self, event: protocol.TextDelta, now: float) -> None:
        exchange = self._of(event.response_id, now)
        if exchange is not None and event.text:
            replying.words(self._answering, exchange, event.item_id, event.text, now)

    def _item_done(self, event: protocol.ItemDone, now: float) -> None:
        exchange = self._of(event.response_id, now)
        if exchange is None:
            return
        if event.call is not None:
            self._called(exchange, event.call, now)
        else:
            replying.ended(self._answering, exchange, now, event.item_id)

    def _response_done(self, event: protocol.ResponseDone, now: float) -> str:
        owner, exchange = (
            self.responses.asked_by(event.response_id),
            self._of(event.response_id, now),
        )
        self._out.add(charging.response(event, owner, self.known.get(owner), now))
        self._send(*self.responses.done(event.response_id, now))
        if exchange is None:
            return ""
        exchange.resting = True
        if event.status == "failed":
            return f"model_{event.code or 'failed'}"[:60]
        self.end_parts(exchange, now)
        for call in event.calls if event.status == "completed" else ():
            self._called(exchange, call, now)
        return self._rest(exchange, now)

    def _rest(self, exchange: Exchange, now: float) -> str:
        """The model says no more by itself: it is asked again, or the turn is answered."""
        if not exchange.resting or exchange.open_calls():
            return ""
        if exchange.asks_again:
            exchange.asks_again = False
            self._ask(exchange, now)
        elif exchange.spoken:
            self.tell_reply(exchange)
            self._answering.handle(exchange.finished(), now)
        elif not exchange.empty:
            exchange.empty = True
            self._ask(exchange, now)
        else:
            return "model_empty"
        return ""

    # Reply audio --------------------------------------------------------------------------------
    def stored(self, turn_id: str, seq: int, size_bytes: int, now: float) -> None:
        """So much of this part lies in Redis."""
        exchange = self.known.get(turn_id)
        if exchange is not None:
            # While it is being made, nobody has waited too long for it.
            deadline = now + self._options.answer_seconds
            exchange.turn.deadline = max(exchange.turn.deadline, deadline)
            replying.stored(self._answering, exchange, seq, size_bytes, now)

    def end_parts(self, exchange: Exchange, now: float) -> None:
        """No more of them will come."""
        replying.ended(self._answering, exchange, now)

    # Tools --------------------------------------------------------------------------------------
    def _called(self, exchange: Exchange, call: protocol.FunctionCall, now: float) -> None:
        if wishes.called(exchange, call):
            self._run_tools(exchange, now)

    def _run_tools(self, exchange: Exchange, now: float) -> None:
        self._out.add(*wishes.due(exchange, now, self._options.words_seconds))

    def tool_answered(self, event: events.ToolAnswered, now: float) -> None:
        exchange = self.current
        if exchange is None or exchange.turn.id != event.turn_id:
            return
        output = wishes.answered(exchange, event, now)
        if output is not None:
            self._send(output)
            self._run_tools(exchange, now)
            self._rest(exchange, now)

    # The caller's words -------------------------------------------------------------------------
    def _transcript(self, event: protocol.Words | protocol.NoWords, now: float) -> None:
        exchange = self.known.find(item_id=event.item_id)
        self._out.add(charging.words(event, exchange))
        if exchange is None:
            return
        if isinstance(event, protocol.Words):
            self._wordless = 0 if event.text else self._wordless + 1
        self.words(exchange, event.text if isinstance(event, protocol.Words) else "", now)

    def words(self, exchange: Exchange, text: str, now: float, language: str = "") -> None:
        """What the caller said; empty when it could not be understood."""
        turn = exchange.turn
        if turn.transcript:
            return
        if not text:
            self._not_understood(exchange, now)
            return
        turn.transcript, turn.language = text, language
        turn.mark("transcript", now)
        self._out.transcript(turn, text)
        self._out.add(Extra(deeds.WriteWords(turn)))
        if exchange is self.current:
            self._run_tools(exchange, now)

    def _not_understood(self, exchange: Exchange, now: float) -> None:
        """The model asks again, whatever it was about to say: it may have made words up."""
        if exchange.unclear or exchange.acted or exchange.over or exchange.left:
            return
        exchange.unclear = True
        if exchange is not self.current or not exchange.written:
            return
        self._send(*self._void(exchange, now, said.NOT_UNDERSTOOD))
        self._line(deeds.Forget(exchange.turn.id))
        exchange.parts.clear()
        exchange.taken_back = exchange.taken_back or exchange.told
        exchange.asks_again = exchange.empty = exchange.told = exchange.turn.answered = False
        # To the call it is as if another worker had taken the turn.
        self._answering.handle(events.TurnStarted(exchange.turn.id), now)
        self._open(exchange, now)

    # Its end ------------------------------------------------------------------------------------
    def finished(self, turn_id: str, outcome: Outcome, now: float) -> list[Command] | None:
        """What is to be done before the turn's end is written; None: it was none of the model's."""
        exchange = self.known.get(turn_id)
        if exchange is None or exchange.left:
            return None
        if exchange is self.current:
            self.current = None
        exchange.over = True
        commands: list[Command] = [ForModel(deeds.Forget(turn_id))]
        if outcome != "done":
            commands += [ForModel(r) for r in self._void(exchange, now, said.NOT_KNOWN)]
        if not exchange.told and not exchange.turn.announcement:
            exchange.told = True
            commands.append(Extra(deeds.WriteReply(exchange.turn)))
        return commands

    def _void(self, exchange: Exchange, now: float, output: str) -> Iterator[Request]:
        """Take back what was not heard, and settle what was asked for."""
        yield from self.responses.void(exchange.turn.id, now)
        for item_id, heard_ms in exchange.unheard():
            yield Truncate(item_id, heard_ms)
        yield from wishes.settled(exchange, output)

    def tick(self, now: float) -> str:
        """A code when the model says nothing where it should, else empty."""
        if self.current is not None:
            self._run_tools(self.current, now)
        self._send(*self.responses.tick(now))
        return "model_timeout" if self.responses.stuck(now) else ""

    def abandon(self) -> list[Exchange]:
        """The model is gone. Answers those it left without an answer, the oldest first."""
        self.responses.reset()
        self.current = None
        return self.known.leave()

    # Outside ------------------------------------------------------------------------------------
    def _send(self, *requests: Request) -> None:
        self._out.add(*(ForModel(request) for request in requests))

    def _line(self, what: deeds.ToLine) -> None:
        self._out.add(ForModel(what))

    def tell_reply(self, exchange: Exchange) -> None:
        """It is complete: nobody need answer this turn again, whatever happens to this process."""
        turn = exchange.turn
        if exchange.told or turn.announcement:
            return
        exchange.told = True
        self._out.add(Extra(deeds.WriteReply(turn, exchange.retold())))
