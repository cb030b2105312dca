"""The conversation of one call: who speaks, which turn runs, what the caller is told.

Pure: speech, events and the clock come in, commands come out through `take()`; `voice.call`
carries them out in order. One turn runs at a time, later ones wait, and an event of any turn but
the current one changes nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from voice import events, notices
from voice.audio import AudioFormat
from voice.errors import BrokerLost
from voice.options import CallOptions
from voice.playout import Fetch, ReplyPlayout
from voice.telling import Telling
from voice.turns import (
    Announce,
    AskAfter,
    Begin,
    Cancel,
    Command,
    Drop,
    Fill,
    Finish,
    HangUp,
    LiveTurn,
    Outcome,
    Recognise,
    Run,
    Source,
    Stage,
    new_id,
)

# Said on the first, then on every so many-th utterance without words.
NOISE_EVERY = 3
# A healthy worker takes a turn up within milliseconds; past this the caller is told why.
ASK_AFTER_SECONDS = 3.0
# Silence before the caller is told to wait, and between such words; a turn ends at its deadline.
FILL_AFTER_SECONDS = 1.3
FILL_AGAIN_SECONDS = 7.0
MOST_FILLERS = 4
# How long a turn is kept for a worker that is not running.
KEEP_SECONDS = 120.0
# A sentence is spoken within milliseconds and a speech worker back within seconds of its death.
SPEECH_STALL_SECONDS = 15.0


@dataclass(slots=True)
class Guess:
    """An utterance recognised at a pause, in case the caller is done."""

    utterance_id: str
    text: str | None = None
    failed: bool = False


class Conversation:
    def __init__(
        self, audio_format: AudioFormat, options: CallOptions, ids: Callable[[], str] = new_id
    ) -> None:
        self._format = audio_format
        self._options = options
        self._new_id = ids
        self._out = Telling()
        self._numbers = 0
        self._hearing: LiveTurn | None = None
        self._guess: Guess | None = None
        self._waiting: deque[LiveTurn] = deque()
        self._announcements: deque[tuple[int, str]] = deque(maxlen=8)
        self._kept: list[Command] = []
        self._wordless = 0
        self._ending = False
        self.current: LiveTurn | None = None

    def take(self) -> list[Command]:
        """The commands since the last call, a change of state last."""
        self._out.state(self._present_state())
        return self._out.take()

    @property
    def idle(self) -> bool:
        return self.current is None and not self._waiting and self._hearing is None

    @property
    def undecided(self) -> bool:
        """Something the caller said has not been handed to the agent yet."""
        return any(turn.transcript is None for turn in self._waiting)

    def next_fetch(self) -> Fetch | None:
        """Reply audio that may leave now; an answer to speech waits while the caller speaks."""
        turn = self.current
        if turn is None or (self._hearing is not None and turn.source == "voice"):
            return None
        return turn.playout.next_fetch()

    # Speech ---------------------------------------------------------------------------------
    def speech_started(self, now: float) -> None:
        self._hearing = self._new_turn("voice")
        self._barge_in(now)

    def speech_paused(self, audio: bytes) -> None:
        self._guess = Guess(self._new_id())
        self._out.add(Recognise(self._guess.utterance_id, audio))

    def speech_resumed(self) -> None:
        self._guess = None

    def speech_discarded(self, now: float) -> None:
        self._hearing = self._guess = None
        self._start_next(now)

    def speech_ended(self, audio: bytes, silence_ms: int, now: float) -> None:
        turn, guess = self._hearing or self._new_turn("voice"), self._guess
        self._hearing = self._guess = None
        if len(self._waiting) >= self._options.waiting_turns:
            self._out.notice(notices.TOO_MANY, "warning")
            return
        turn.ended_at = now - silence_ms / 1000
        turn.mark("endpoint", now)
        turn.utterance_ms = self._format.ms_of(len(audio))
        turn.utterance_id = guess.utterance_id if guess else self._new_id()
        if guess is None or guess.failed:
            self._out.add(Recognise(turn.utterance_id, audio))
        elif guess.text is not None:
            turn.transcript = guess.text
            if not guess.text:
                self._no_words(turn, now)
                return
            turn.mark("transcript", now)
        turn.deadline = now + self._options.turn_seconds
        self._waiting.append(turn)
        self._out.add(Begin(turn))
        if turn.transcript:
            self._out.transcript(turn, turn.transcript)
        self._start_next(now)

    def typed(self, text: str, now: float) -> None:
        if len(self._waiting) >= self._options.waiting_turns:
            self._out.notice(notices.TOO_MANY, "warning")
            return
        self._barge_in(now)
        turn = self._new_turn("typed")
        turn.ended_at, turn.transcript = now, text
        turn.deadline = now + self._options.turn_seconds
        self._waiting.append(turn)
        self._out.add(Begin(turn))
        self._out.transcript(turn, text)
        self._start_next(now)

    def interrupt(self, now: float) -> None:
        """The caller asked for silence by a key or a button."""
        if self.current is not None:
            self._stop_current("interrupted", now)
            self._start_next(now)

    def announce(self, reminder_id: int, text: str, now: float) -> None:
        self._announcements.append((reminder_id, text))
        self._start_next(now)

    # Events ---------------------------------------------------------------------------------
    def handle(self, event: events.Event, now: float) -> None:
        if isinstance(event, events.Transcribed):
            self._transcribed(event, now)
            return
        turn = self.current
        if turn is None or getattr(event, "turn_id", None) != turn.id:
            return
        match event:
            case events.TurnStarted():
                self._taken_up(turn)
            case events.ReplyDelta(text=text):
                turn.mark("first_token", now)
                turn.reply += text
                self._out.tell("reply_delta", turn=turn.id, text=text)
            case events.ToolStarted():
                self._out.tool_started(event)
            case events.ToolFinished():
                self._out.tool_finished(event)
            case events.SentenceReady(seq=seq, text=text):
                turn.mark("first_token", now)
                turn.playout.sentence_ready(seq, text)
            case events.SentenceAudio(seq=seq, size_bytes=size, final=final, failed=failed):
                turn.playout.audio_ready(seq, size, final=final)
                turn.progress_at = now
                if failed:
                    self._out.notice(notices.NOT_SPOKEN, "warning")
            case events.TurnFinished(reply=reply, sentences=sentences, end_call=end_call):
                turn.answered, turn.reply, turn.end_call = True, reply, end_call
                turn.progress_at = now
                turn.playout.finished(sentences)
            case events.TurnFailed(code=code, message=message):
                turn.answered, turn.error, turn.progress_at = True, code, now
                turn.reply = turn.reply or message
                turn.playout.finished()
                self._out.notice(message, "error")
        self._end_if_heard(now)

    def played(self, turn_id: str, heard_ms: int, now: float) -> None:
        turn = self.current
        if turn is not None and turn.id == turn_id:
            turn.playout.acknowledge(heard_ms)
            turn.last_ack_at = now
            self._end_if_heard(now)

    def sending(self, fetch: Fetch, now: float) -> None:
        """The bytes of `fetch` leave now."""
        turn = self.current
        if turn is None:
            return
        if not turn.playout.waiting_to_be_heard:
            turn.last_ack_at = now
        if not fetch.filler:
            turn.mark("first_audio", now)
        if fetch.sentence is not None:
            self._out.tell(
                "sentence",
                turn=turn.id,
                number=turn.number,
                seq=fetch.seq,
                text=fetch.sentence.text,
                from_ms=fetch.at_ms,
            )
        turn.playout.sent(fetch)
        turn.progress_at = now

    def tick(self, now: float) -> None:
        """Look at the deadlines; about twice a second."""
        turn = self.current
        if turn is not None:
            stalled = now - turn.last_ack_at > self._options.playout.stalled_seconds
            if turn.playout.waiting_to_be_heard and stalled:
                self._hang_up(4408, "not reading", notices.NOT_READING)
            elif not turn.answered and now > turn.deadline:
                turn.error = "deadline"
                self._out.notice(notices.TOO_LONG, "error")
                self._stop_current("failed", now)
            elif self._is_mute(turn, now):
                self._out.notice(notices.NOT_SPOKEN, "warning")
                self._end_current(turn, now, turn.playout.heard_text())
            else:
                self._end_if_heard(now)
            if turn is self.current and not turn.announcement:
                self._fill_silence(turn, now)
        self._ask_after(now)
        self._give_up_on_recogniser(now)
        self._start_next(now)

    def failed(self, command: Command, error: Exception, now: float) -> None:
        """A command could not be carried out: keep it, or tell the caller what was not done."""
        if isinstance(command, AskAfter):
            self._worker_missing(command)
        elif isinstance(error, BrokerLost) and isinstance(command, Recognise | Run | Announce):
            if len(self._kept) < self._options.waiting_turns:
                self._kept.append(command)
        elif isinstance(command, Recognise):
            self._not_stored(command.utterance_id, now)
        elif isinstance(command, Begin | Run):
            self._not_stored(command.turn.id, now)

    def not_filled(self, turn: LiveTurn) -> None:
        """No words were at hand yet: ask again at the next tick."""
        turn.fillers -= 1
        turn.filled_at = 0.0

    def broker_changed(self, connected: bool) -> None:
        if connected:
            self._out.add(*self._kept)
            self._kept.clear()
        self._out.notice(
            notices.BROKER_BACK if connected else notices.BROKER_LOST,
            "info" if connected else "error",
        )

    def leave(self, now: float) -> None:
        """The caller is gone: nothing more is heard, but what was said is still done."""
        self._announcements.clear()
        self._hearing = None
        turn = self.current
        if turn is not None and turn.answered:
            self._stop_current("interrupted", now)
        self.current = None
        for waiting in [t for t in self._waiting if t.transcript is not None]:
            self._waiting.remove(waiting)
            self._out.add(Run(waiting))

    def _worker_missing(self, ask: AskAfter) -> None:
        ask.turn.deadline += KEEP_SECONDS
        self._out.notice(notices.worker_missing(ask.role), "error")

    def _not_stored(self, some_id: str, now: float) -> None:
        self._out.notice(notices.NOT_STORED, "error")
        for turn in [t for t in self._waiting if some_id in (t.id, t.utterance_id)]:
            self._waiting.remove(turn)
            turn.error = "not stored"
            self._done(turn, "failed", "", now)
        if self.current is not None and self.current.id == some_id:
            self.current.error = "not stored"
            self._stop_current("failed", now)
        self._start_next(now)

    # Inside ---------------------------------------------------------------------------------
    def _new_turn(self, source: Source) -> LiveTurn:
        self._numbers += 1
        playout = ReplyPlayout(self._format, self._options.playout)
        return LiveTurn(playout=playout, number=self._numbers, source=source, id=self._new_id())

    def _transcribed(self, event: events.Transcribed, now: float) -> None:
        guess = self._guess
        if guess is not None and event.utterance_id == guess.utterance_id:
            guess.text, guess.failed = event.text, event.failed
            if self._hearing is not None and event.text:
                self._out.transcript(self._hearing, event.text, final=False)
            return
        for turn in self._waiting:
            if turn.utterance_id == event.utterance_id and turn.transcript is None:
                self._words(turn, event, now)
                return

    def _words(self, turn: LiveTurn, event: events.Transcribed, now: float) -> None:
        if not event.text:
            self._waiting.remove(turn)
            self._out.add(Drop(turn))
            self._no_words(turn, now, failed=event.failed)
            return
        turn.transcript = event.text
        turn.mark("transcript", now)
        self._out.transcript(turn, event.text)
        self._start_next(now)

    def _no_words(self, turn: LiveTurn, now: float, *, failed: bool = False) -> None:
        self._out.transcript(turn, "")
        self._wordless += 1
        if failed:
            self._out.notice(notices.NOT_HEARD, "warning")
        elif self._wordless % NOISE_EVERY == 0:
            self._out.notice(notices.ONLY_NOISE, "warning")
        self._start_next(now)

    def _ask_after(self, now: float) -> None:
        turns = [t for t in self._waiting if t.transcript is None]
        if self.current is not None and not (self.current.started or self.current.answered):
            turns.append(self.current)
        for turn in turns:
            if not turn.asked_after and now - turn.ended_at > ASK_AFTER_SECONDS:
                turn.asked_after = True
                role: Literal["agent", "speech"] = "agent" if turn.transcript else "speech"
                self._out.add(AskAfter(turn, role))

    def _give_up_on_recogniser(self, now: float) -> None:
        for turn in [t for t in self._waiting if t.transcript is None and now > t.deadline]:
            self._waiting.remove(turn)
            turn.error = "not recognised"
            self._out.notice(notices.NOT_HEARD, "error")
            self._out.add(Finish(turn, "failed", ""))

    def _start_next(self, now: float) -> None:
        if self.current is not None or self._ending:
            return
        if self._waiting:
            if self._waiting[0].transcript is not None:
                self._wordless = 0
                self.current = turn = self._waiting.popleft()
                turn.stage = Stage.RUNNING
                turn.deadline = now + self._options.turn_seconds
                self._out.add(Run(turn))
        elif self._announcements and self._hearing is None:
            reminder_id, text = self._announcements.popleft()
            self.current = turn = self._new_turn("voice")
            turn.announcement, turn.reminder_id, turn.reply = True, reminder_id, text
            turn.ended_at, turn.deadline = now, now + self._options.turn_seconds
            turn.playout.sentence_ready(0, text)
            turn.playout.finished(1)
            turn.answered = True
            self._out.add(Announce(turn, text))

    def _stop_current(self, outcome: Outcome, now: float) -> None:
        turn = self.current
        if turn is None:
            return
        self.current = None
        self._out.clear(turn)
        self._out.add(Cancel(turn))
        self._done(turn, outcome, turn.playout.heard_text(), now)

    def _taken_up(self, turn: LiveTurn) -> None:
        """A worker has the turn; not the first one starts it over, and so does the reply."""
        if turn.started:
            self._forget_audio(turn)
            turn.reply = ""
            self._out.tell("reply_delta", turn=turn.id, text="", restart=True)
        turn.started = True

    def _forget_audio(self, turn: LiveTurn) -> None:
        """Start the turn's audio over; under a new number, for late audio of the old is ignored."""
        if turn.playout.sent_ms:
            self._out.clear(turn)
            self._numbers += 1
            turn.number = self._numbers
        turn.playout = ReplyPlayout(self._format, self._options.playout)

    def _barge_in(self, now: float) -> None:
        """Speech over the reply ends its turn; over a filler only the filler: the turn goes on."""
        turn = self.current
        if turn is None or not turn.playout.waiting_to_be_heard:
            return
        if turn.playout.replying:
            self._stop_current("interrupted", now)
        else:
            self._out.clear(turn)
            self._numbers += 1
            turn.number = self._numbers
            turn.playout.stop_filling()

    def _fill_silence(self, turn: LiveTurn, now: float) -> None:
        silent_since = max(turn.ended_at, turn.filled_at)
        wait = FILL_AGAIN_SECONDS if turn.fillers else FILL_AFTER_SECONDS
        quiet = not turn.playout.replying and self._hearing is None
        if quiet and turn.fillers < MOST_FILLERS and now - silent_since > wait:
            turn.fillers, turn.filled_at = turn.fillers + 1, now
            self._out.add(Fill(turn))

    def _is_mute(self, turn: LiveTurn, now: float) -> bool:
        """The answer is there, all that was sent is heard, and no more audio comes."""
        waiting = turn.playout.waiting_to_be_heard or self._hearing is not None
        return turn.answered and not waiting and now - turn.progress_at > SPEECH_STALL_SECONDS

    def _end_if_heard(self, now: float) -> None:
        turn = self.current
        if turn is not None and turn.answered and turn.playout.all_heard:
            self._end_current(turn, now, turn.reply)

    def _end_current(self, turn: LiveTurn, now: float, heard: str) -> None:
        self.current = None
        self._done(turn, "failed" if turn.error else "done", heard, now)
        if turn.end_call:
            self._hang_up(1000, "said goodbye", notices.GOODBYE)
        self._start_next(now)

    def _done(self, turn: LiveTurn, outcome: Outcome, heard: str, now: float) -> None:
        turn.mark("done", now)
        self._out.done(turn, outcome, heard)

    def _hang_up(self, code: int, reason: str, text: str) -> None:
        self._ending = True
        self._out.add(HangUp(code, reason, text))

    def _present_state(self) -> str:
        if self._hearing is not None:
            return "hearing"
        turn = self.current
        if turn is not None and turn.playout.replying:
            return "speaking"
        return "thinking" if turn is not None or self._waiting else "listening"
