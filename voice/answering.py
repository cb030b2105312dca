"""The turn that is being answered, from its start until its reply was heard or stopped.

Pure: `voice.conversation` gives it one turn at a time, its events and the clock, and begins the
next when told that this one ended. What the caller is told goes into the shared `Telling`.
"""

from __future__ import annotations

from dataclasses import dataclass

from voice import events, notices, patience
from voice.late import LateAnswers
from voice.options import CallOptions
from voice.playout import ROUNDING_MS, Fetch
from voice.telling import Telling
from voice.turn_maker import TurnMaker
from voice.turns import Announce, Cancel, Fill, HangUp, LiveTurn, Outcome, Run, Stage

# The code of a turn whose speech never came, as far as the call was told.
UNSAID = "not spoken"


@dataclass(frozen=True, slots=True)
class Announcement:
    """A sentence that is no answer; `then` the call ends, once it was heard."""

    text: str
    reminder_id: int | None = None
    then: HangUp | None = None


class Answering:
    def __init__(self, options: CallOptions, turns: TurnMaker, out: Telling) -> None:
        self._options = options
        self._turns = turns
        self._out = out
        self._late = LateAnswers(out)
        self._ending = False
        self.turn: LiveTurn | None = None

    @property
    def free(self) -> bool:
        """Another turn may begin: none is being answered, and the call is not about to end."""
        return self.turn is None and not self._ending

    def begin(self, turn: LiveTurn, now: float, *, asking: bool = True) -> None:
        """Have a worker answer it; without `asking` somebody else does."""
        self.turn = turn
        turn.stage = Stage.RUNNING
        turn.deadline = now + self._options.turn_seconds
        if asking:
            self._out.add(Run(turn))

    def release(self) -> None:
        """The turn is not answered here after all, and not over."""
        self.turn = None

    def announce(self, said: Announcement, now: float) -> None:
        """A turn of one sentence that nobody asked for."""
        self.turn = turn = self._turns.make("voice")
        text = said.text
        turn.announcement, turn.reminder_id, turn.reply = True, said.reminder_id, text
        turn.hang_up = said.then
        turn.ended_at, turn.deadline = now, now + self._options.turn_seconds
        turn.playout.sentence_ready(0, text)
        turn.playout.finished(1)
        turn.answered, turn.progress_at = True, now
        self._out.add(Announce(turn, text))

    def handle(self, event: events.Event, now: float) -> bool:
        """True says that the turn ended by itself."""
        turn = self.turn
        if turn is None or getattr(event, "turn_id", None) != turn.id:
            self._late.handle(event)
            return False
        self._apply(event, turn, now)
        return self._end_if_heard(turn, now)

    def played(self, turn_id: str, heard_ms: int, now: float) -> bool:
        """The client has played so much. True says that the turn ended by itself."""
        turn = self.turn
        if turn is None or turn.id != turn_id:
            return False
        turn.playout.acknowledge(heard_ms)
        turn.last_ack_at = now
        return self._end_if_heard(turn, now)

    def tick(self, now: float, *, hearing: bool) -> bool:
        """Look at the deadlines; `hearing`: the caller is speaking.

        True says that the turn ended by itself, not by `stop`.
        """
        turn = self.turn
        if turn is None:
            return False
        ended = self._watch(turn, now, hearing=hearing)
        if turn is self.turn and not (hearing or turn.announcement) and patience.silent(turn, now):
            turn.fillers, turn.filled_at = turn.fillers + 1, now
            self._out.add(Fill(turn))
        return ended

    def next_fetch(self, *, hearing: bool) -> Fetch | None:
        """Reply audio that may leave now; an answer to speech waits while the caller speaks."""
        turn = self.turn
        if turn is None or (hearing and turn.source == "voice"):
            return None
        return turn.playout.next_fetch()

    def sending(self, fetch: Fetch, now: float) -> None:
        """The bytes of `fetch` leave now."""
        turn = self.turn
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

    def barge_in(self, now: float) -> None:
        """Speech over the reply ends its turn; over a filler only the filler: the turn goes on."""
        turn = self.turn
        if turn is None or not turn.playout.waiting_to_be_heard:
            return
        if turn.playout.replying:
            self.stop("interrupted", now)
        else:
            self._clear(turn)
            turn.playout.stop_filling()

    def stop(self, outcome: Outcome, now: float) -> None:
        turn = self.turn
        if turn is None:
            return
        self._out.clear(turn)
        self._out.add(Cancel(turn))
        self._done(turn, outcome, turn.playout.heard_text(), now)

    def leave(self, now: float) -> None:
        """The caller is gone: a finished answer ends here, an unfinished one goes on unheard."""
        if self.turn is not None and self.turn.answered:
            self.stop("interrupted", now)
        self.turn = None

    def not_stored(self, some_id: str, now: float) -> None:
        if self.turn is not None and self.turn.id == some_id:
            self.turn.error = "not stored"
            self.stop("failed", now)

    # Inside ---------------------------------------------------------------------------------
    def _apply(self, event: events.Event, turn: LiveTurn, now: float) -> None:
        match event:
            case events.TurnStarted():
                self._taken_up(turn)
            case events.ReplyDelta(text=text, restart=restart):
                turn.mark("first_token", now)
                turn.reply = text if restart else turn.reply + text
                flag = {"restart": True} if restart else {}
                self._out.tell("reply_delta", turn=turn.id, text=text, **flag)
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
                    turn.unsaid = event.error or UNSAID
                    self._out.notice(notices.NOT_SPOKEN, "warning")
            case events.TurnFinished(reply=reply, sentences=sentences, end_call=end_call):
                turn.answered, turn.reply, turn.end_call = True, reply, end_call
                turn.answered_by, turn.progress_at = event.provider, now
                turn.playout.finished(sentences)
            case events.TurnFailed(code=code, message=message):
                turn.answered, turn.error, turn.progress_at = True, code, now
                turn.reply = turn.reply or message
                turn.playout.finished()
                self._out.notice(message, "error")

    def _taken_up(self, turn: LiveTurn) -> None:
        """A worker has the turn; not the first one starts it over, and so does the reply."""
        if turn.started:
            if turn.playout.sent_ms:
                self._clear(turn)
            turn.playout = self._turns.playout()
            turn.reply = ""
            self._out.tell("reply_delta", turn=turn.id, text="", restart=True)
        turn.started = True

    def _clear(self, turn: LiveTurn) -> None:
        """Sent audio is void; under a new number, for late audio of the old is ignored."""
        self._out.clear(turn)
        self._turns.renumber(turn)

    def _watch(self, turn: LiveTurn, now: float, *, hearing: bool) -> bool:
        if patience.unread(turn, now, self._options.playout.stalled_seconds):
            self._hang_up(HangUp(4408, "not reading", notices.NOT_READING))
        elif patience.overdue(turn, now):
            turn.error = "deadline"
            self._out.notice(notices.TOO_LONG, "error", aloud=True)
            self._out.clear(turn)
            self._late.expect(turn.id)
            self._done(turn, "failed", turn.playout.heard_text(), now)
        elif not hearing and patience.mute(turn, now):
            turn.unsaid = UNSAID
            self._out.notice(notices.NOT_SPOKEN, "warning")
            self._end(turn, turn.playout.heard_text(), now)
            return True
        else:
            return self._end_if_heard(turn, now)
        return False

    def _end_if_heard(self, turn: LiveTurn, now: float) -> bool:
        if not (turn.answered and turn.playout.all_heard):
            return False
        # What may count as heard before it was would be cut off by the end of the call.
        if (turn.end_call or turn.hang_up) and not self._heard_out(turn, now):
            return False
        self._end(turn, turn.reply, now)
        return True

    def _heard_out(self, turn: LiveTurn, now: float) -> bool:
        """To the last sound; or as close to it as a client's rounding comes, a moment later."""
        playout = turn.playout
        rounded = not playout.waiting_to_be_heard and now - turn.last_ack_at > ROUNDING_MS / 1000
        return playout.heard_ms >= playout.sent_ms or rounded

    def _end(self, turn: LiveTurn, heard: str, now: float) -> None:
        self._done(turn, "failed" if turn.error else "done", heard, now)
        if turn.hang_up is not None:
            self._hang_up(turn.hang_up)
        elif turn.end_call:
            self._hang_up(HangUp(1000, "said goodbye", notices.GOODBYE))

    def _done(self, turn: LiveTurn, outcome: Outcome, heard: str, now: float) -> None:
        self.turn = None
        turn.mark("done", now)
        self._out.done(turn, outcome, heard)

    def _hang_up(self, end: HangUp) -> None:
        self._ending = True
        self._out.add(end)
