"""The conversation of a call with a speech-to-speech model on the line.

Pure, and to the call the same as `voice.conversation`, which it is whenever the model is not there
(`voice.realtime.switching`) and while an attendant takes the words. While it is there, it hears the
caller and answers (`voice.realtime.answers`); rows, playout and order stay the same.
"""

from __future__ import annotations

from voice import events, notices
from voice.errors import BrokerLost
from voice.realtime import deeds, protocol, replying, said
from voice.realtime.exchange import Exchange
from voice.realtime.joining import Phase
from voice.realtime.switching import Switching
from voice.turns import Begin, Command, Extra

# The model's voice detection looks at whole frames.
SILENCE_MORE_MS = 200
# After so many it should have heard one.
MOST_SILENCES = 6


class RealtimeConversation(Switching):
    """`upstream`, `stored`, `gone`, `came` and `sent` are the bridge's, all else the call's."""

    # Speech -------------------------------------------------------------------------------------
    def take_words(self, wanted: bool) -> None:
        super().take_words(wanted)
        if wanted and self._joining.live:
            if self._heard.gate_open:
                self._unanswered.started()
            self._heard.stop()
        # Nothing of what was said aside is there to lead in what is not.
        self._listen(False)

    def speech_started(self, now: float) -> None:
        self._heard.gate_started()
        if not self._mine:
            self._heard.gate_open = False
            super().speech_started(now)
        elif self._realtime.early:
            self._answering.barge_in(now)

    def speech_paused(self, audio: bytes) -> None:
        if not self._mine:
            super().speech_paused(self._heard.untaken(audio))

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
            return
        new = self._heard.untaken(audio)
        new_ms = self._format.ms_of(len(new)) - silence_ms
        if len(new) < len(audio) and new_ms < self._options.endpoint.least_voiced_ms:
            super().speech_discarded(now)
        else:
            super().speech_ended(new, silence_ms, now)

    def typed(self, text: str, now: float) -> None:
        if not self._joining.live:
            super().typed(text, now)
        elif self._has_room():
            self._answering.barge_in(now)
            turn = self._turns.make("typed")
            turn.ended_at, turn.transcript = now, text
            self._wait(Exchange(turn), now)

    def came(self, size_bytes: int) -> None:
        """So much audio of the caller's has come, and our own gate is about to hear it."""
        self._heard.came(size_bytes)

    def sent(self, audio: bytes) -> None:
        """This audio of the caller's has gone to the model."""
        self._heard.spoken.add(audio)

    def _utterance(self, item_id: str, now: float) -> None:
        """The model has the whole of what was said."""
        if self._answers.known.find(item_id=item_id) is not None:
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
        self._answers.known.add(exchange)
        self._queue.append(exchange)
        self._out.begin(exchange.turn)
        self._start_next(now)

    # Events -------------------------------------------------------------------------------------
    def upstream(self, event: protocol.ServerEvent, now: float) -> None:
        """What the model says."""
        self._now = now
        match event:
            case protocol.SessionUpdated() if self._joining.phase is Phase.JOINING:
                self._joining.enter(Phase.READY, now)
                self.wake(now)
            case protocol.Error(code=code) if self._joining.phase is Phase.JOINING:
                # The session is not to be had as it is wished; busy services say so.
                over = not code.startswith(("rate", "server"))
                self._hang_up_on_model(f"model_{code}"[:60], now, hopeless=over)
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
        replying.gone(self._answering, turn_id, seq, now)

    def handle(self, event: events.Event, now: float) -> None:
        self._now = now
        match event:
            case events.Briefed():
                self._briefed(event, now)
            case events.ToolAnswered():
                self._answers.tool_answered(event, now)
                self._start_next(now)
            case (
                events.TurnStarted()
                | events.SentenceReady()
                | events.SentenceAudio()
                | events.TurnFinished()
            ) if self._answers.known.holds(event.turn_id):
                # Told by us, for whoever takes the call should this process die.
                pass
            case events.Transcribed() if self._answers.known.find(utterance_id=event.utterance_id):
                self._heard_by_worker(event, now)
            case _:
                super().handle(event, now)

    def _heard_by_worker(self, event: events.Transcribed, now: float) -> None:
        """A worker recognised what the model was asked about: perhaps it is answered by then."""
        exchange = self._answers.known.find(utterance_id=event.utterance_id)
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
        stalled = self._heard.stalled()
        if stalled:
            # Muted in mid-sentence, perhaps: without silence the model hears no end.
            self._line(deeds.Silence(self._realtime.vad_silence_ms + SILENCE_MORE_MS))
        code = self._answers.tick(now) or ("model_deaf" if stalled > MOST_SILENCES else "")
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
        kept = isinstance(what, deeds.Keep | deeds.HearAgain | deeds.RunTool | deeds.Brief)
        if isinstance(what, deeds.Brief) and self._joining.phase is Phase.BRIEFING:
            self.lost("not briefed", now)
        elif kept and isinstance(error, BrokerLost):
            self._keep(command)
        elif isinstance(what, deeds.RunTool):
            answer = events.ToolAnswered(what.turn_id, what.call_id, said.NOT_RUN)
            self._answers.tool_answered(answer, now)
        elif what is None:
            super().failed(command, error, now)

    # Inside -------------------------------------------------------------------------------------
    def _start_next(self, now: float) -> None:
        if self._answering.free and self._queue and not self._unanswered.waiting:
            self._begin(self._queue.popleft(), now)
        else:
            super()._start_next(now)

    def _not_stored(self, some_id: str, now: float) -> None:
        for exchange in [one for one in self._queue if one.turn.id == some_id]:
            self._queue.remove(exchange)
            exchange.turn.error = "not stored"
            self._out.done(exchange.turn, "failed", "")
        super()._not_stored(some_id, now)
