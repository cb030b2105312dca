"""Whether a model holds the conversation now, and what becomes of it when that changes.

Pure. The conversation is `voice.conversation`'s own whenever the model is not there; what that one
says and hears is told to the model when it comes, and what the model has not answered when it goes
is answered by workers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from voice import events, notices
from voice.answering import Announcement
from voice.audio import AudioFormat
from voice.conversation import Conversation
from voice.options import CallOptions
from voice.realtime import deeds, said
from voice.realtime.answers import Answers
from voice.realtime.exchange import Exchange
from voice.realtime.hearing import Hearing
from voice.realtime.joining import Joining, Phase
from voice.realtime.options import FORMATS, RealtimeOptions
from voice.realtime.requests import ClearAudio, Message, SessionUpdate, history
from voice.turns import Command, Extra, Finish, ForModel, LiveTurn, new_id

# What was said while the model was away, and it is told when it comes.
MOST_SAID = 24


class Switching(Conversation):
    """`wake` and `lost` are the bridge's; what is said and heard is `RealtimeConversation`'s."""

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
        self._heard = Hearing(
            audio_format,
            lead_in_ms=realtime.vad_prefix_ms,
            most_ms=options.endpoint.most_ms,
        )
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

    @property
    def _mine(self) -> bool:
        """What is said now is for the model: no utterance of our own is under way."""
        unanswered = self._unanswered
        return self._joining.live and not (unanswered.aside or unanswered.hearing)

    @property
    def _calm(self) -> bool:
        """Nothing is being said or answered but an announcement."""
        turn = self.current
        return not (self.waiting or self.hearing) and (turn is None or turn.announcement)

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

    def _hang_up_on_model(self, code: str, now: float, *, hopeless: bool = False) -> None:
        """It is of no use: close the socket and go on without it."""
        self._line(deeds.Leave())
        self.lost(code, now, hopeless=hopeless)

    def _mind_listening(self) -> None:
        if self._mine != self._listens:
            self._listen(self._mine)

    def _listen(self, wanted: bool) -> None:
        if self._listens and self._joining.live:
            self._line(ClearAudio())
        self._line(deeds.Listen(wanted))
        self._listens = wanted

    # Going on without ---------------------------------------------------------------------------
    def _go_without(self, now: float) -> None:
        """All that the model has not answered is answered by workers, in order."""
        left = self._answers.abandon()
        self._queue.clear()
        for exchange in left:
            self._hand_on(exchange, now)
        for exchange in self._answers.known.wordless():
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
        elif exchange.taken_back:
            # Its row says that it is answered: no worker would take it.
            self._end_part_way(exchange, now)
            self._announcements.append(Announcement(notices.for_ears(notices.NOT_HEARD)))
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
    def _begin(self, exchange: Exchange, now: float) -> None:
        self._answers.known.add(exchange)
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

    def _line(self, *what: deeds.ToLine) -> None:
        self._out.add(*(ForModel(one) for one in what))
