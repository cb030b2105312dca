"""The conversation of one call: who speaks next, and what becomes of what could not be done.

Pure: speech, events and the clock come in, commands come out through `take()`; `voice.call`
carries them out in order. One turn is answered at a time (`voice.answering`), later ones wait
(`voice.unanswered`), and an event of any turn but the current one changes nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Literal

from voice import events, notices, patience
from voice.answering import Announcement, Answering
from voice.audio import AudioFormat
from voice.errors import BrokerLost
from voice.options import CallOptions
from voice.playout import Fetch
from voice.telling import Telling
from voice.turn_maker import TurnMaker
from voice.turns import Announce, AskAfter, Begin, Command, LiveTurn, Recognise, Run, new_id
from voice.unanswered import Unanswered
from voice.unfinished import Early, Unfinished

# What is left of the call before the socket broke waits so long for a sentence about that.
FIRST_WORD_SECONDS = 3.0


class Conversation:
    def __init__(
        self, audio_format: AudioFormat, options: CallOptions, ids: Callable[[], str] = new_id
    ) -> None:
        self._options = options
        self._out = Telling()
        self._turns = turns = TurnMaker(audio_format, options.playout, ids)
        self._unanswered = Unanswered(audio_format, options, turns, self._out)
        self._answering = Answering(options, turns, self._out)
        self._announcements: deque[Announcement] = deque(maxlen=8)
        self._kept: list[Command] = []
        self._early = Early()
        self._hold_until = 0.0

    def take(self) -> list[Command]:
        """The commands since the last call, a change of state last."""
        self._out.state(self._present_state())
        return self._out.take()

    @property
    def current(self) -> LiveTurn | None:
        """The turn being answered."""
        return self._answering.turn

    @property
    def hearing(self) -> bool:
        """The caller is speaking."""
        return self._unanswered.hearing

    @property
    def waiting(self) -> bool:
        """Something the caller said waits to be answered."""
        return self._unanswered.waiting

    @property
    def settled(self) -> bool:
        """All that was said has been answered, and nothing more is being said."""
        return not (self.current or self.hearing or self.waiting or self.undecided)

    @property
    def undecided(self) -> bool:
        """Something the caller said has not been handed to the agent yet."""
        return bool(self._unanswered.unrecognised())

    def count_from(self, last_turn: int) -> None:
        """The call has had turns before, up to this number."""
        self._turns.count_from(last_turn)

    def say_notices(self) -> None:
        """Nothing can be read at the far end."""
        self._out.say = lambda text: self._announcements.append(Announcement(text))

    def resume(self, turns: Sequence[Unfinished], now: float) -> None:
        """Answer what the call's last socket broke in the middle of; its events are to follow.

        Whoever greets the caller again has the first word.
        """
        if turns and self.current is None:
            self._hold_until = now + FIRST_WORD_SECONDS
        for one in turns:
            turn = self._turns.again(one)
            turn.ended_at = now
            self._early.expect(turn.id)
            self._unanswered.put_back(turn, now)
        self._start_next(now)

    def take_words(self, wanted: bool) -> None:
        """While wanted, what is said comes as `Aside` and is no turn, unless it is `taken_up`."""
        self._unanswered.aside = wanted

    def take_up(self, turn: LiveTurn, now: float) -> None:
        """The words that came as an aside are for the agent after all."""
        if self._unanswered.take_up(turn, now):
            self._start_next(now)

    # Speech ---------------------------------------------------------------------------------
    def speech_started(self, now: float) -> None:
        self._unanswered.started()
        self._answering.barge_in(now)

    def speech_paused(self, audio: bytes) -> None:
        self._unanswered.paused(audio)

    def speech_understood(self, text: str) -> None:
        """The words so far of the caller who is speaking."""
        self._unanswered.interim(text)

    def speech_resumed(self) -> None:
        self._unanswered.resumed()

    def speech_discarded(self, now: float) -> None:
        self._unanswered.discarded()
        self._start_next(now)

    def speech_ended(self, audio: bytes, silence_ms: int, now: float) -> None:
        if self._unanswered.ended(audio, silence_ms, now):
            self._start_next(now)

    def typed(self, text: str, now: float) -> None:
        if self._unanswered.has_room():
            self._answering.barge_in(now)
            self._unanswered.typed(text, now)
            self._start_next(now)

    def interrupt(self, now: float) -> None:
        """The caller asked for silence by a key or a button."""
        if self.current is not None:
            self._answering.stop("interrupted", now)
            self._start_next(now)

    # Reply ----------------------------------------------------------------------------------
    def next_fetch(self) -> Fetch | None:
        """Reply audio that may leave now; an answer to speech waits while the caller speaks."""
        return self._answering.next_fetch(hearing=self.hearing)

    def sending(self, fetch: Fetch, now: float) -> None:
        """The bytes of `fetch` leave now."""
        self._answering.sending(fetch, now)

    def played(self, turn_id: str, heard_ms: int, now: float) -> None:
        if self._answering.played(turn_id, heard_ms, now):
            self._start_next(now)

    def not_filled(self, turn: LiveTurn) -> None:
        """No words were at hand yet: ask again at the next tick."""
        turn.fillers -= 1
        turn.filled_at = 0.0

    # Events ---------------------------------------------------------------------------------
    def handle(self, event: events.Event, now: float) -> None:
        if isinstance(event, events.Transcribed):
            changed = self._unanswered.transcribed(event, now)
            if changed and event.failed:
                self._announcements.append(Announcement(notices.NOT_HEARD))
        elif self._early.keep(event):
            return
        else:
            changed = self._answering.handle(event, now)
        if changed:
            self._start_next(now)

    def announce(self, said: Announcement, now: float) -> None:
        self._announcements.append(said)
        self._start_next(now)

    def be_quiet(self, now: float) -> None:
        """Nothing that was to be announced is said any more."""
        self._announcements.clear()
        self.interrupt(now)

    def tick(self, now: float) -> None:
        """Look at the deadlines; about twice a second."""
        if self._answering.tick(now, hearing=self.hearing):
            self._start_next(now)
        self._ask_after(now)
        self._unanswered.give_up_on_recogniser(now)
        self._start_next(now)

    def broker_changed(self, connected: bool) -> None:
        if connected:
            self._out.add(*self._kept)
            self._kept.clear()
        self._out.notice(
            notices.BROKER_BACK if connected else notices.BROKER_LOST,
            "info" if connected else "error",
        )

    def begun(self, begin: Begin) -> None:
        """The row is written: only now is the caller shown that the words were taken."""
        self._out.begun(begin.turn)

    def failed(self, command: Command, error: Exception, now: float) -> None:
        """A command could not be carried out: keep it, or tell the caller what was not done."""
        if isinstance(command, AskAfter):
            self._worker_missing(command)
        elif isinstance(error, BrokerLost) and isinstance(command, Recognise | Run | Announce):
            self._keep(command)
        elif isinstance(command, Recognise):
            self._not_stored(command.utterance_id, now)
        elif isinstance(command, Begin | Run):
            if isinstance(command, Begin):
                self._out.begun(command.turn, written=False)
            self._not_stored(command.turn.id, now)

    def leaving(self, now: float) -> None:
        """The caller is about to be gone: what was said from here on, `leave` follows."""

    def caller_known(self) -> None:
        """Who is calling is another than was thought."""

    def break_off(self) -> None:
        """The socket broke: what was said is still done, and stays to be heard by the next one."""
        self._announcements.clear()
        self._out.add(*(Run(turn) for turn in self._unanswered.leave()))

    def leave(self, now: float) -> None:
        """The caller is gone: nothing more is heard, but what was said is still done."""
        self._announcements.clear()
        self._answering.leave(now)
        self._out.add(*(Run(turn) for turn in self._unanswered.leave()))

    # Inside ---------------------------------------------------------------------------------
    def _start_next(self, now: float) -> None:
        """Nothing that waits is overtaken by a reminder."""
        if not self._answering.free:
            return
        if self._unanswered.waiting and now >= self._hold_until:
            turn = self._unanswered.take_next()
            if turn is not None:
                self._answering.begin(turn, now)
                for event in self._early.take(turn.id):
                    self._answering.handle(event, now)
        elif self._announcements and not self.hearing:
            self._hold_until = 0.0
            self._answering.announce(self._announcements.popleft(), now)

    def _ask_after(self, now: float) -> None:
        turns = self._unanswered.unrecognised()
        if self.current is not None and not (self.current.started or self.current.answered):
            turns.append(self.current)
        for turn in turns:
            if patience.unattended(turn, now):
                turn.asked_after = True
                role: Literal["agent", "speech"] = "agent" if turn.transcript else "speech"
                self._out.add(AskAfter(turn, role))

    def _keep(self, command: Command) -> None:
        """Until the broker is back."""
        if len(self._kept) < self._options.waiting_turns:
            self._kept.append(command)

    def _worker_missing(self, ask: AskAfter) -> None:
        ask.turn.deadline += patience.KEEP_SECONDS
        # Without the one that speaks it could not be said.
        aloud = ask.role == "agent"
        self._out.notice(notices.worker_missing(ask.role), "error", aloud=aloud)

    def _not_stored(self, some_id: str, now: float) -> None:
        self._out.notice(notices.NOT_STORED, "error", aloud=True)
        self._unanswered.not_stored(some_id, now)
        self._answering.not_stored(some_id, now)
        self._start_next(now)

    def _present_state(self) -> str:
        if self.hearing:
            return "hearing"
        if self.current is not None and self.current.playout.replying:
            return "speaking"
        waits = self.current is not None or self.waiting
        return "thinking" if waits else "listening"
