"""What the caller says until its answer begins: the speech being heard, and the turns that wait.

Pure, and told by `voice.conversation`. An utterance is recognised at a pause, as a guess that the
caller is done; if so, its transcript is there when the turn begins to wait.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from voice import events, notices
from voice.audio import AudioFormat
from voice.options import CallOptions
from voice.telling import Telling
from voice.turn_maker import TurnMaker
from voice.turns import Aside, Drop, Finish, LiveTurn, Recognise

# Said on the first, then on every so many-th utterance without words.
NOISE_EVERY = 3


@dataclass(slots=True)
class Guess:
    """An utterance recognised at a pause, in case the caller is done."""

    utterance_id: str
    text: str | None = None
    language: str = ""
    failed: bool = False


class Unanswered:
    def __init__(
        self, audio_format: AudioFormat, options: CallOptions, turns: TurnMaker, out: Telling
    ) -> None:
        self._format = audio_format
        self._options = options
        self._turns = turns
        self._out = out
        self._hearing: LiveTurn | None = None
        self._shown = False
        self._guess: Guess | None = None
        self._waiting: deque[LiveTurn] = deque()
        self._asides: deque[LiveTurn] = deque(maxlen=options.waiting_turns)
        self._wordless = 0
        self.aside = False
        """What is said is first for somebody else than the agent."""

    @property
    def hearing(self) -> bool:
        """The caller is speaking."""
        return self._hearing is not None

    @property
    def waiting(self) -> bool:
        return bool(self._waiting)

    def unrecognised(self) -> list[LiveTurn]:
        """Waiting turns whose words are not known yet."""
        return [turn for turn in self._waiting if turn.transcript is None]

    def has_room(self) -> bool:
        """May one more turn wait? If not, the caller is told."""
        if len(self._waiting) < self._options.waiting_turns:
            return True
        self._out.notice(notices.TOO_MANY, "warning", aloud=True)
        return False

    def started(self) -> None:
        self._hearing = self._turns.make("voice")
        self._shown = False

    def paused(self, audio: bytes) -> None:
        self._guess = Guess(self._turns.new_id())
        self._out.add(Recognise(self._guess.utterance_id, audio, aside=self.aside))

    def interim(self, text: str) -> None:
        """Words of the speech being heard, as far as they are known."""
        if self._hearing is not None and not self.aside:
            self._out.transcript(self._hearing, text, final=False)
            self._shown = True

    def resumed(self) -> None:
        self._guess = None

    def discarded(self) -> None:
        self._forget(self._hearing)
        self._hearing = self._guess = None

    def ended(self, audio: bytes, silence_ms: int, now: float) -> bool:
        """The utterance is over; False says that it was refused."""
        turn, guess = self._hearing or self._turns.make("voice"), self._guess
        self._hearing = self._guess = None
        if not self.has_room():
            self._forget(turn)
            return False
        turn.ended_at = now - silence_ms / 1000
        turn.mark("endpoint", now)
        turn.utterance_ms = self._format.ms_of(len(audio))
        turn.utterance_id = guess.utterance_id if guess else self._turns.new_id()
        if self.aside:
            self._set_aside(turn, guess, audio, now)
            return False
        if guess is None or guess.failed:
            self._out.add(Recognise(turn.utterance_id, audio))
        elif guess.text == "":
            self._no_words(turn)
            return True
        elif guess.text is not None:
            turn.transcript, turn.language = guess.text, guess.language
            turn.mark("transcript", now)
        self._wait(turn, now)
        return True

    def typed(self, text: str, now: float) -> None:
        turn = self._turns.make("typed")
        turn.ended_at, turn.transcript = now, text
        self._wait(turn, now)

    def transcribed(self, event: events.Transcribed, now: float) -> bool:
        """Words of an utterance; True says that somebody waits for what comes of them."""
        guess = self._guess
        if guess is not None and event.utterance_id == guess.utterance_id:
            guess.text, guess.language, guess.failed = event.text, event.language, event.failed
            if event.text:
                self.interim(event.text)
            return False
        for turn in self.unrecognised():
            if turn.utterance_id == event.utterance_id:
                self._words(turn, event, now)
                return True
        for turn in self._asides:
            if turn.utterance_id == event.utterance_id:
                return self._aside_words(turn, event, now)
        return False

    def take_up(self, turn: LiveTurn, now: float) -> bool:
        """What was said aside is for the agent; False says that it was refused."""
        if not self.has_room():
            return False
        self._wait(turn, now)
        return True

    def put_back(self, turn: LiveTurn, now: float) -> None:
        """Its row is written, but nobody has answered it: a worker is to do so."""
        turn.started = turn.asked_after = False
        turn.fillers, turn.filled_at = 0, now
        turn.deadline = now + self._options.turn_seconds
        self._waiting.append(turn)

    def take_next(self) -> LiveTurn | None:
        """The turn that is to be answered next, if its words are known: turns keep their order."""
        if not self._waiting or self._waiting[0].transcript is None:
            return None
        self._wordless = 0
        return self._waiting.popleft()

    def leave(self) -> list[LiveTurn]:
        """The caller is gone: the turns whose words are known wait no longer."""
        self._hearing = None
        ready = [turn for turn in self._waiting if turn.transcript is not None]
        self._waiting = deque(self.unrecognised())
        return ready

    def give_up_on_recogniser(self, now: float) -> None:
        for turn in [t for t in self.unrecognised() if now > t.deadline]:
            self._waiting.remove(turn)
            turn.error = "not recognised"
            self._out.notice(notices.NOT_HEARD, "error", aloud=True)
            self._out.add(Finish(turn, "failed", ""))

        for turn in [t for t in self._asides if now > t.deadline]:
            self._aside_heard(turn, "", "", now)

    def not_stored(self, some_id: str, now: float) -> None:
        for turn in [t for t in self._waiting if some_id in (t.id, t.utterance_id)]:
            self._waiting.remove(turn)
            turn.error = "not stored"
            turn.mark("done", now)
            self._out.done(turn, "failed", "")

    # Inside ---------------------------------------------------------------------------------
    def _set_aside(self, turn: LiveTurn, guess: Guess | None, audio: bytes, now: float) -> None:
        turn.deadline = now + self._options.turn_seconds
        self._asides.append(turn)
        if guess is None or guess.failed:
            self._out.add(Recognise(turn.utterance_id, audio, aside=True))
        elif guess.text is not None:
            self._aside_heard(turn, guess.text, guess.language, now)

    def _aside_words(self, turn: LiveTurn, event: events.Transcribed, now: float) -> bool:
        if event.failed:
            self._asides.remove(turn)
            self._out.notice(notices.NOT_HEARD, "warning")
        else:
            self._aside_heard(turn, event.text, event.language, now)
        return event.failed

    def _aside_heard(self, turn: LiveTurn, text: str, language: str, now: float) -> None:
        self._asides.remove(turn)
        turn.transcript, turn.language = text, language
        turn.mark("transcript", now)
        self._out.add(Aside(turn))

    def _wait(self, turn: LiveTurn, now: float) -> None:
        turn.deadline = now + self._options.turn_seconds
        self._waiting.append(turn)
        self._out.begin(turn)

    def _forget(self, turn: LiveTurn | None) -> None:
        """Nothing comes of words that were shown already."""
        if turn is not None and self._shown:
            self._out.transcript(turn, "")

    def _words(self, turn: LiveTurn, event: events.Transcribed, now: float) -> None:
        if event.failed:
            self._not_heard(turn, event.error or "not heard")
            return
        if not event.text:
            self._waiting.remove(turn)
            self._out.add(Drop(turn))
            self._no_words(turn)
            return
        turn.transcript, turn.language = event.text, event.language
        turn.mark("transcript", now)
        self._out.transcript(turn, event.text)

    def _not_heard(self, turn: LiveTurn, code: str) -> None:
        """The recogniser failed: unlike noise, the turn stays on record, with the reason."""
        self._waiting.remove(turn)
        turn.error = code
        self._out.transcript(turn, "")
        self._out.notice(notices.NOT_HEARD, "warning")
        self._out.add(Finish(turn, "failed", ""))

    def _no_words(self, turn: LiveTurn) -> None:
        self._out.transcript(turn, "")
        self._wordless += 1
        if self._wordless % NOISE_EVERY == 0:
            self._out.notice(notices.ONLY_NOISE, "warning", aloud=True)
