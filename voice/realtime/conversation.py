"""The conversation of a call with a speech-to-speech model on the line.

Pure, and to the call the same as `voice.conversation`, which it is whenever the model is not there:
before it has joined, when it was lost, and while an attendant takes the words. While it is there,
it hears the caller and answers (`voice.realtime.answers`); rows, playout and order stay the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from voice import events, notices
from voice.answering import Announcement
from voice.audio import AudioFormat
from voice.conversation import Conversation
from voice.errors import BrokerLost
from voice.options import CallOptions
from voice.realtime import deeds, protocol, said
from voice.realtime.answers import Answers
from voice.realtime.exchange import Exchange
from voice.realtime.hearing import Hearing
from voice.realtime.joining import Joining, Phase
from voice.realtime.options import FORMATS, RealtimeOptions
from voice.realtime.requests import ClearAudio, Message, SessionUpdate, history
from voice.turns import Begin, Command, Extra, Finish, ForModel, LiveTurn, new_id

# What was said while the model was away, and it is told when it comes.
MOST_SAID = 24


class RealtimeConversation(Conversation):
    """`upstream`, `stored`, `gone`, `lost` and `sent` are the bridge's, all else the call's."""

    def __init__(
        self,
        audio_format: AudioFormat,
        options: CallOptions,
        realtime: RealtimeOptions,
        ids: Callable[[], str] = new_id,
    ) -> None:
        super().__init__(audio_format, options, ids)
        self._format, self._realtime = audio_format, realtime
        self._joining = Joining(realtime)
        self._heard = Hearing(audio_format, options.endpoint.most_ms)
        self._answers = Answers(realtime, self._answering, self._out)
        self._queue: deque[Exchange] = deque()
        self._said: deque[Message] = deque(maxlen=MOST_SAID)
        self._listens = False
        self._greeted = not realtime.greet
        self._now = 0.0
        if audio_format not in FORMATS:
            self._joining.stay_away(0.0)

    @property
    def on_line(self) -> bool:
        """The model answers."""
        return self._joining.live

    @property
    def hearing(self) -> bool:
        return self._unanswered.hearing or self._heard.active

    @property
    def waiting(self) -> bool:
        return self._unanswered.waiting or bool(self._queue)

    def take(self) -> list[Command]:
        self._mind_listening()
        return [one for command in super().take() for one in self._with_what_follows(command)]

    # The line -----------------------------------------------------------------------------------
    def wake(self, now: float) -> None:
        """Join as soon as nothing is in the way."""
        self._now = now
        if self._joining.due(now) and self._calm:
            self._joining.enter(Phase.BRIEFING, now)
            self._said.clear()
            self._out.add(Extra(deeds.Brief()))
        elif self._joining.phase is Phase.READY and self._calm:
            self._go_live(now)

    def caller_known(self) -> None:
        """Who is calling, and what they may do, is another matter now."""
        if self._joining.connected:
            self._out.add(Extra(deeds.Brief()))

    def _briefed(self, event: events.Briefed, now: float) -> None:
        session = SessionUpdate(f"{event.instructions}\n\n{said.RULE}", tuple(event.tools))
        if self._joining.phase is Phase.BRIEFING:
            self._joining.enter(Phase.JOINING, now)
            self._answers.brief(session.instructions)
            self._line(deeds.Join(session, history(event.history)))
        elif self._joining.connected:
            self._answers.brief(session.instructions)
            self._line(session)

    def _go_live(self, now: float) -> None:
        self._joining.enter(Phase.LIVE, now)
        self._heard.reset()
        self._line(*self._said)
        self._said.clear()
        if not self._greeted and self._answering.free:
            self._greeted = True
            turn = self._turns.make("voice")
            turn.announcement, turn.ended_at = True, now
            self._begin(Exchange(turn, written=True), now)

    def lost(self, code: str, now: float, *, hopeless: bool = False) -> None:
        """The socket is gone, or could not be opened."""
        self._now, live = now, self._joining.live
        if self._joining.phase is not Phase.AWAY:
            self._joining.lost(now, hopeless=hopeless)
        if live:
            self._go_without(now)

    def leaving(self, now: float) -> None:
        live = self._joining.live
        self._joining.stay_away(now)
        self._line(deeds.Leave())
        if live:
            self._go_without(now)

    def _hang_up_on_model(self, code: str, now: float) -> None:
        """It is of no use: close the socket and go on without it."""
        self._line(deeds.Leave())
        self.lost(code, now)

    def _mind_listening(self) -> None:
        wanted = self._mine
        if wanted == self._listens:
            return
        self._listens = wanted
        if self._joining.live:
            self._line(deeds.Listen(wanted), *(() if wanted else (ClearAudio(),)))

    # Speech -------------------------------------------------------------------------------------
    @property
    def _mine(self) -> bool:
        """What is said now is for the model: no utterance of our own is under way."""
        unanswered = self._unanswered
        return self._joining.live and not (unanswered.aside or unanswered.hearing)

    def take_words(self, wanted: bool) -> None:
        super().take_words(wanted)
        if wanted and self._joining.live:
            if self._heard.gate_open:
                self._unanswered.started()
            self._heard.reset()

    def speech_started(self, now: float) -> None:
        if not self._mine:
            super().speech_started(now)
            return
        self._heard.gate_started()
        if self._realtime.early:
            self._answering.barge_in(now)

    def speech_paused(self, audio: bytes) -> None:
        if not self._mine:
            super().speech_paused(audio)

    def speech_resumed(self) -> None:
        if not self._mine:
            super().speech_resumed()

    def speech_discarded(self, now: float) -> None:
        if self._mine:
            self._heard.gate_discarded()
            self._start_next(now)
        else:
            super().speech_discarded(now)

    def speech_ended(self, audio: bytes, silence_ms: int, now: float) -> None:
        if self._mine:
            self._heard.gate_ended(audio, silence_ms, now)
            self._start_next(now)
        else:
            super().speech_ended(audio, silence_ms, now)

    def typed(self, text: str, now: float) -> None:
        if not self._joining.live:
            super().typed(text, now)
        elif self._has_room():
            self._answering.barge_in(now)
            turn = self._turns.make("typed")
            turn.ended_at, turn.transcript = now, text
            self._wait(Exchange(turn), now)

    def sent(self, audio: bytes) -> None:
        """This audio of the caller's has gone to the model."""
        self._heard.spoken.add(audio)

    def _utterance(self, item_id: str, now: float) -> None:
        """The model has the whole of what was said."""
        if self._answers.find(item_id=item_id) is not None:
            return
        turn, audio = self._heard.committed(item_id)
        if not self._has_room():
            return
        turn = turn or self._turns.make("voice")
        turn.ended_at = now - self._realtime.vad_silence_ms / 1000
        turn.mark("endpoint", now)
        turn.utterance_ms = self._format.ms_of(len(audio))
        turn.utterance_id = self._turns.new_id()
        self._out.add(Extra(deeds.Keep(turn.utterance_id, audio)))
        self._wait(Exchange(turn, item_id), now)

    def _has_room(self) -> bool:
        if len(self._queue) < self._options.waiting_turns:
            return self._unanswered.has_room()
        self._out.notice(notices.TOO_MANY, "warning", aloud=True)
        return False

    def _wait(self, exchange: Exchange, now: float) -> None:
        self._answers.add(exchange)
        self._queue.append(exchange)
        self._out.add(Begin(exchange.turn, exchange.turn.transcript or ""))
        self._start_next(now)

    # Events -------------------------------------------------------------------------------------
    def upstream(self, event: protocol.ServerEvent, now: float) -> None:
        """What the model says."""
        self._now = now
        match event:
            case protocol.SessionUpdated() if self._joining.phase is Phase.JOINING:
                self._joining.enter(Phase.READY, now)
                self.wake(now)
            case _ if not self._joining.live:
                pass
            case protocol.SpeechStarted(item_id=item_id, start_ms=start_ms):
                if self._mine:
                    self._heard.started(item_id, start_ms, self._turns.make("voice"))
                    self._answering.barge_in(now)
            case protocol.SpeechStopped(item_id=item_id, end_ms=end_ms):
                self._heard.stopped(item_id, end_ms)
            case protocol.Committed(item_id=item_id):
                if self._mine:
                    self._utterance(item_id, now)
            case _:
                code = self._answers.handle(event, now)
                if code:
                    self._hang_up_on_model(code, now)
        self._start_next(now)

    def stored(self, turn_id: str, seq: int, size_bytes: int, now: float) -> None:
        self._answers.stored(turn_id, seq, size_bytes, now)
        self._start_next(now)

    def gone(self, turn_id: str, seq: int, now: float) -> None:
        self._answers.gone(turn_id, seq, now)

    def handle(self, event: events.Event, now: float) -> None:
        self._now = now
        match event:
            case events.Briefed():
                self._briefed(event, now)
            case events.ToolAnswered():
                self._answers.tool_answered(event, now)
                self._start_next(now)
            case events.SentenceReady() | events.SentenceAudio() | events.TurnFinished() if (
                self._answers.holds(event.turn_id)
            ):
                # Told by us, for whoever takes the call should this process die.
                pass
            case events.Transcribed() if self._answers.find(utterance_id=event.utterance_id):
                self._heard_by_worker(event, now)
            case _:
                super().handle(event, now)

    def _heard_by_worker(self, event: events.Transcribed, now: float) -> None:
        """A worker recognised what the model was asked about: perhaps it is answered by then."""
        exchange = self._answers.find(utterance_id=event.utterance_id)
        if exchange is not None and exchange.left and not exchange.over:
            super().handle(event, now)
        elif exchange is not None and event.text:
            self._answers.words(exchange, event.text, now, event.language)

    def tick(self, now: float) -> None:
        self._now = now
        super().tick(now)
        if self._joining.late(now):
            self._hang_up_on_model("model_timeout", now)
        if self._joining.live:
            self._watch(now)
        self.wake(now)

    def _watch(self, now: float) -> None:
        missed = self._heard.missed(now)
        if missed is not None and self._unanswered.ended(missed.audio, missed.silence_ms, now):
            self._start_next(now)
        code = self._answers.tick(now)
        if code:
            self._hang_up_on_model(code, now)
        elif self._joining.old(now) and self._calm:
            self._line(deeds.Leave())
            self._answers.abandon()
            self._joining.rest(now)

    def begun(self, begin: Begin) -> None:
        super().begun(begin)
        self._answers.written(begin.turn.id, self._now)

    def failed(self, command: Command, error: Exception, now: float) -> None:
        what = command.what if isinstance(command, Extra) else None
        if isinstance(what, deeds.Brief):
            self.lost("not briefed", now)
        elif isinstance(what, deeds.Keep | deeds.HearAgain | deeds.RunTool) and isinstance(
            error, BrokerLost
        ):
            self._keep(command)
        elif isinstance(what, deeds.RunTool):
            answer = events.ToolAnswered(what.turn_id, what.call_id, said.NOT_RUN)
            self._answers.tool_answered(answer, now)
        elif what is None:
            super().failed(command, error, now)

    # Going on without ---------------------------------------------------------------------------
    def _go_without(self, now: float) -> None:
        """All that the model has not answered is answered by workers, in order."""
        left = self._answers.abandon()
        self._queue.clear()
        for exchange in left:
            self._hand_on(exchange, now)
        for exchange in self._answers.wordless():
            self._out.add(Extra(deeds.HearAgain(exchange.turn.utterance_id)))
        self._hear_on(now)
        self._start_next(now)

    def _hand_on(self, exchange: Exchange, now: float) -> None:
        turn = exchange.turn
        if turn.announcement or turn.answered:
            self._end_part_way(exchange, now)
        elif exchange.mid_sentence and turn.playout.replying:
            self._end_part_way(exchange, now)
            self._announcements.append(Announcement(said.BROKE_OFF))
        else:
            if turn is self.current:
                # What was said of an answer is void: a worker begins it anew.
                self._answering.handle(events.TurnStarted(turn.id), now)
                self._answering.release()
            self._unanswered.put_back(turn, now)

    def _end_part_way(self, exchange: Exchange, now: float) -> None:
        """What there is of the reply is heard, and then it is over."""
        turn = exchange.turn
        exchange.over = True
        self._answers.end_parts(exchange, now)
        if turn.announcement:
            ended = events.TurnFinished(turn.id, turn.reply, len(exchange.parts))
            self._answering.handle(ended, now)
        elif not turn.answered:
            self._answering.handle(events.TurnFailed(turn.id, "model_half", said.BROKE_OFF), now)
        self._answers.tell_reply(exchange)

    def _hear_on(self, now: float) -> None:
        """What is being said is ours to hear."""
        heard = self._heard
        if heard.gate_open:
            self._unanswered.started()
        elif heard.unconfirmed is not None:
            lone = heard.unconfirmed
            self._unanswered.ended(lone.audio, lone.silence_ms, now)
        elif heard.utterance is not None:
            audio = heard.spoken.cut(heard.utterance.end_ms)
            if self._format.ms_of(len(audio)) >= self._options.endpoint.least_voiced_ms:
                self._unanswered.ended(audio, 0, now)
        heard.reset()

    # Inside -------------------------------------------------------------------------------------
    @property
    def _calm(self) -> bool:
        """Nothing is being said or answered but an announcement."""
        turn = self.current
        return not (self.waiting or self.hearing) and (turn is None or turn.announcement)

    def _start_next(self, now: float) -> None:
        if self._answering.free and self._queue and not self._unanswered.waiting:
            self._begin(self._queue.popleft(), now)
        else:
            super()._start_next(now)

    def _begin(self, exchange: Exchange, now: float) -> None:
        self._answers.add(exchange)
        self._answering.begin(exchange.turn, now, asking=False)
        self._answers.begin(exchange, now)

    def _with_what_follows(self, command: Command) -> Sequence[Command]:
        if not isinstance(command, Finish):
            return [command]
        turn = command.turn
        before = self._answers.finished(turn.id, command.outcome, self._now)
        if before is None:
            before = self._told_to_model(turn, command)
        return [*before, command]

    def _told_to_model(self, turn: LiveTurn, finish: Finish) -> list[Command]:
        """What was said without it."""
        heard = turn.reply if finish.outcome == "done" else finish.heard
        messages = [Message("user", turn.transcript)] if turn.transcript else []
        messages += [Message("assistant", heard)] if heard else []
        if self._joining.live:
            return [ForModel(message) for message in messages]
        self._said += messages
        return []

    def _not_stored(self, some_id: str, now: float) -> None:
        for exchange in [one for one in self._queue if one.turn.id == some_id]:
            self._queue.remove(exchange)
            exchange.turn.error = "not stored"
            self._out.done(exchange.turn, "failed", "")
        super()._not_stored(some_id, now)

    def _line(self, *what: deeds.ToLine) -> None:
        self._out.add(*(ForModel(one) for one in what))
