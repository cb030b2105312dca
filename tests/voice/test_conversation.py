"""The conversation: speech, events and the clock in, commands out."""

from __future__ import annotations

import itertools
from typing import Any, TypeVar

import pytest

from voice import events
from voice import notices as words
from voice.answering import Announcement
from voice.audio import BROWSER
from voice.conversation import Conversation
from voice.errors import BrokerLost, WorkerMissing
from voice.options import CallOptions
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
    Recognise,
    Run,
    Tell,
)

C = TypeVar("C", bound=Command)
SECOND = BROWSER.bytes_per_second
AUDIO = bytes(SECOND)


class Call:
    """A conversation with a clock and a record of what it asked for."""

    def __init__(self) -> None:
        ids = itertools.count(1)
        self.talk = Conversation(BROWSER, CallOptions(), ids=lambda: f"id{next(ids)}")
        self.now = 100.0
        self.commands: list[Command] = []

    def take(self) -> list[Command]:
        while new := self.talk.take():
            self.commands += new
            for begin in new:
                if isinstance(begin, Begin):
                    self.talk.begun(begin)
        return self.commands

    def of(self, kind: type[C]) -> list[C]:
        return [c for c in self.take() if isinstance(c, kind)]

    def told(self, kind: str) -> list[dict[str, Any]]:
        return [c.message for c in self.of(Tell) if c.message["type"] == kind]

    def state(self) -> str:
        return str(self.told("state")[-1]["state"])

    def speak(self, text: str | None, *, after: bool = False) -> None:
        """An utterance whose transcript arrives at the pause, or with `after` once it ended."""
        self.talk.speech_started(self.now)
        self.talk.speech_paused(AUDIO)
        utterance = self.of(Recognise)[-1].utterance_id
        heard = events.Transcribed(utterance, text or "")
        if not after and text is not None:
            self.talk.handle(heard, self.now)
        self.talk.speech_ended(AUDIO, 600, self.now)
        if after and text is not None:
            self.talk.handle(heard, self.now)

    def answer(self, *sentences: str, end_call: bool = False, seconds: float = 1.0) -> str:
        turn = self.of(Run)[-1].turn.id
        for seq, text in enumerate(sentences):
            self.talk.handle(events.SentenceReady(turn, seq, text), self.now)
            size = int(seconds * SECOND) & ~1
            self.talk.handle(events.SentenceAudio(turn, seq, size, final=True), self.now)
        reply = " ".join(sentences)
        self.talk.handle(
            events.TurnFinished(turn, reply, len(sentences), end_call=end_call), self.now
        )
        return turn

    def play(self) -> int:
        """Send what may leave; the number of messages."""
        sent = 0
        while (fetch := self.talk.next_fetch()) is not None:
            self.talk.sending(fetch, self.now)
            sent += 1
        return sent


@pytest.fixture
def call() -> Call:
    return Call()


def test_an_utterance_becomes_a_turn_that_runs(call: Call) -> None:
    call.speak("add milk")
    assert [type(c) for c in call.take() if not isinstance(c, Tell)] == [Recognise, Begin, Run]
    assert call.of(Run)[0].turn.transcript == "add milk"
    assert call.told("transcript")[-1]["final"] is True
    assert call.state() == "thinking"


@pytest.mark.parametrize(
    ("provider", "label"), [("local", "Local commands"), ("my.own.Model", "Model"), ("", "")]
)
def test_the_caller_is_told_who_answered(call: Call, provider: str, label: str) -> None:
    call.speak("add milk")
    turn = call.of(Run)[0].turn.id
    call.talk.handle(events.TurnFinished(turn, "Done.", 0, provider=provider), call.now)
    assert call.told("turn_done")[-1]["answered_by"] == label


def test_recognition_begins_at_the_pause_and_is_not_repeated_at_the_end(call: Call) -> None:
    call.speak("add milk", after=True)
    assert len(call.of(Recognise)) == 1
    assert call.of(Run)[0].turn.timings_ms["endpoint"] == 600


def test_speech_that_goes_on_after_a_pause_is_recognised_as_a_whole(call: Call) -> None:
    call.talk.speech_started(call.now)
    call.talk.speech_paused(AUDIO)
    first = call.of(Recognise)[0].utterance_id
    call.talk.speech_resumed()
    call.talk.handle(events.Transcribed(first, "add"), call.now)
    call.talk.speech_paused(2 * AUDIO)
    second = call.of(Recognise)[1].utterance_id
    call.talk.speech_ended(2 * AUDIO, 600, call.now)
    assert call.of(Run) == []
    call.talk.handle(events.Transcribed(second, "add milk"), call.now)
    assert [run.turn.transcript for run in call.of(Run)] == ["add milk"]


def test_words_are_shown_while_they_are_spoken(call: Call) -> None:
    call.talk.speech_understood("nobody speaks")
    call.talk.speech_started(call.now)
    call.talk.speech_understood("add")
    call.talk.speech_understood("add milk")
    shown = call.told("transcript")
    assert [(m["text"], m["final"]) for m in shown] == [("add", False), ("add milk", False)]
    call.talk.speech_ended(AUDIO, 600, call.now)
    assert call.of(Begin)[0].turn.id == shown[0]["turn"]


def test_words_shown_of_what_was_no_utterance_are_taken_back(call: Call) -> None:
    call.talk.speech_started(call.now)
    call.talk.speech_understood("uh")
    call.talk.speech_discarded(call.now)
    shown = call.told("transcript")
    assert [(m["text"], m["final"]) for m in shown] == [("uh", False), ("", True)]
    call.talk.speech_started(call.now)
    call.talk.speech_discarded(call.now)
    assert call.told("transcript") == shown


@pytest.mark.parametrize("after", [False, True])
def test_a_turn_knows_the_language_of_its_words(call: Call, after: bool) -> None:
    call.talk.speech_started(call.now)
    call.talk.speech_paused(AUDIO)
    utterance = call.of(Recognise)[-1].utterance_id
    heard = events.Transcribed(utterance, "Milch kaufen", language="de")
    if not after:
        call.talk.handle(heard, call.now)
    call.talk.speech_ended(AUDIO, 600, call.now)
    if after:
        call.talk.handle(heard, call.now)
    assert call.of(Run)[0].turn.language == "de"


def test_a_failed_early_recognition_is_tried_again_at_the_end(call: Call) -> None:
    call.talk.speech_started(call.now)
    call.talk.speech_paused(AUDIO)
    first = call.of(Recognise)[0].utterance_id
    call.talk.handle(events.Transcribed(first, "", failed=True), call.now)
    call.talk.speech_ended(AUDIO, 600, call.now)
    assert len(call.of(Recognise)) == 2


def test_sound_without_words_makes_no_turn(call: Call) -> None:
    call.speak("")
    assert call.of(Begin) == []
    assert call.state() == "listening"


def test_sound_that_proves_wordless_later_is_dropped(call: Call) -> None:
    call.speak("", after=True)
    assert [d.turn.id for d in call.of(Drop)] == [b.turn.id for b in call.of(Begin)]


def test_noise_is_pointed_out_but_not_every_time(call: Call) -> None:
    for _ in range(7):
        call.speak("")
    assert [n["text"] for n in call.told("notice")] == [words.ONLY_NOISE] * 2


def test_a_second_utterance_waits_for_the_first_answer(call: Call) -> None:
    call.speak("add milk")
    call.speak("add eggs")
    assert [run.turn.transcript for run in call.of(Run)] == ["add milk"]
    turn = call.answer("Added milk.")
    call.play()
    call.talk.played(turn, 1000, call.now)
    assert [run.turn.transcript for run in call.of(Run)] == ["add milk", "add eggs"]


def test_more_waiting_turns_than_the_bound_are_refused_aloud(call: Call) -> None:
    for _ in range(CallOptions().waiting_turns + 2):
        call.talk.typed("add milk", call.now)
    assert [n["text"] for n in call.told("notice")] == [words.TOO_MANY]


def test_a_heard_reply_ends_the_turn_as_done(call: Call) -> None:
    call.speak("add milk")
    turn = call.answer("Added milk.")
    call.play()
    assert call.state() == "speaking"
    call.talk.played(turn, 1000, call.now)
    assert [(f.outcome, f.heard) for f in call.of(Finish)] == [("done", "Added milk.")]
    assert call.state() == "listening"


def test_speech_over_the_reply_stops_it_and_keeps_what_was_heard(call: Call) -> None:
    call.speak("what is on my list")
    turn = call.answer("First of all.", "one two three four five six seven eight nine ten")
    call.play()
    call.talk.played(turn, 1500, call.now)
    call.talk.speech_started(call.now)
    assert call.told("clear")[0]["turn"] == turn
    assert [c.turn.id for c in call.of(Cancel)] == [turn]
    finish = call.of(Finish)[0]
    assert finish.outcome == "interrupted"
    assert finish.heard == "First of all. one two three four five"
    assert call.talk.next_fetch() is None


def test_late_events_of_an_interrupted_turn_change_nothing(call: Call) -> None:
    call.speak("what is on my list")
    turn = call.answer("First.")
    call.play()
    call.talk.interrupt(call.now)
    before = len(call.take())
    call.talk.handle(events.SentenceAudio(turn, 1, SECOND, final=True), call.now)
    call.talk.handle(events.ReplyDelta(turn, "more"), call.now)
    assert len(call.take()) == before
    assert call.talk.next_fetch() is None


def test_an_answer_is_held_back_while_the_caller_speaks(call: Call) -> None:
    call.speak("add milk")
    call.talk.speech_started(call.now)
    turn = call.answer("Added milk.")
    assert call.play() == 0
    call.talk.speech_discarded(call.now)
    assert call.play() > 0
    assert call.told("clear") == []
    assert call.talk.current is not None
    assert call.talk.current.id == turn


def test_goodbye_hangs_up_only_after_it_was_heard(call: Call) -> None:
    call.speak("goodbye")
    turn = call.answer("Goodbye, Anna.", end_call=True)
    call.play()
    assert call.of(HangUp) == []
    call.talk.played(turn, 1000, call.now)
    assert [h.code for h in call.of(HangUp)] == [1000]


def test_a_turn_taken_over_by_another_worker_starts_its_reply_again(call: Call) -> None:
    call.speak("add milk")
    turn = call.of(Run)[0].turn
    call.talk.handle(events.TurnStarted(turn.id), call.now)
    call.talk.handle(events.ReplyDelta(turn.id, "Add"), call.now)
    call.talk.handle(events.SentenceReady(turn.id, 0, "Add"), call.now)
    call.talk.handle(events.SentenceAudio(turn.id, 0, SECOND, final=False), call.now)
    call.play()
    first = turn.number
    call.talk.handle(events.TurnStarted(turn.id), call.now)
    call.answer("Added milk.")
    call.play()
    assert [c["number"] for c in call.told("clear")] == [first]
    assert call.told("reply_delta")[-1]["restart"] is True
    assert [s["number"] for s in call.told("sentence")] == [first, turn.number]
    assert turn.playout.sent_ms == 1000


def test_words_of_an_answer_that_broke_off_give_way_to_the_next_ones(call: Call) -> None:
    call.speak("what is on my list")
    turn = call.of(Run)[0].turn
    call.talk.handle(events.TurnStarted(turn.id), call.now)
    call.talk.handle(events.ReplyDelta(turn.id, "You have. I ca"), call.now)
    call.talk.handle(events.ReplyDelta(turn.id, "You have. ", restart=True), call.now)
    call.talk.handle(events.ReplyDelta(turn.id, "Two."), call.now)
    assert turn.reply == "You have. Two."
    told = [(message["text"], "restart" in message) for message in call.told("reply_delta")]
    assert told == [("You have. I ca", False), ("You have. ", True), ("Two.", False)]
    assert call.told("clear") == []


def test_an_answer_that_cannot_be_spoken_is_left_to_be_read(call: Call) -> None:
    call.speak("add milk")
    turn = call.of(Run)[0].turn.id
    call.talk.handle(events.SentenceReady(turn, 0, "Added milk."), call.now)
    call.talk.handle(events.TurnFinished(turn, "Added milk.", 1), call.now)
    call.talk.tick(call.now + 10)
    assert call.of(Finish) == []
    call.talk.tick(call.now + 16)
    assert call.told("notice")[-1]["text"] == words.NOT_SPOKEN
    assert [(f.outcome, f.heard) for f in call.of(Finish)] == [("done", "")]


def test_a_sentence_that_fails_to_be_made_does_not_hold_up_the_next(call: Call) -> None:
    call.speak("add milk")
    turn = call.of(Run)[0].turn.id
    call.talk.handle(events.SentenceReady(turn, 0, "Added milk."), call.now)
    call.talk.handle(events.SentenceAudio(turn, 0, 0, final=True, failed=True), call.now)
    call.talk.handle(events.TurnFinished(turn, "Added milk.", 1), call.now)
    assert call.told("notice")[-1]["text"] == words.NOT_SPOKEN
    assert [f.outcome for f in call.of(Finish)] == ["done"]


def test_a_caller_who_waits_in_silence_is_told_so_and_not_too_often(call: Call) -> None:
    call.speak("add milk")
    call.talk.handle(events.TurnStarted(call.of(Run)[0].turn.id), call.now)
    for half_seconds in range(20):
        call.talk.tick(call.now + half_seconds / 2)
    assert len(call.of(Fill)) == 2


def test_an_answer_in_time_needs_no_filler(call: Call) -> None:
    call.speak("add milk")
    call.answer("Added milk.")
    call.play()
    call.talk.tick(call.now + 5)
    assert call.of(Fill) == []


def test_speech_over_a_filler_stops_it_and_not_the_turn(call: Call) -> None:
    call.speak("add milk")
    turn = call.of(Run)[0].turn
    call.talk.tick(call.now + 2)
    turn.playout.fill(AUDIO)
    call.play()
    call.talk.speech_started(call.now + 2)
    assert len(call.told("clear")) == 1
    assert call.of(Cancel) == []
    call.talk.speech_discarded(call.now + 2)
    call.answer("Added milk.")
    call.play()
    call.talk.played(turn.id, 5000, call.now + 3)
    assert [(f.outcome, f.heard) for f in call.of(Finish)] == [("done", "Added milk.")]


def test_a_failed_turn_tells_its_sentence_and_ends_as_failed(call: Call) -> None:
    call.speak("add milk")
    turn = call.of(Run)[0].turn.id
    call.talk.handle(events.TurnFailed(turn, "model", "Nothing was changed."), call.now)
    assert call.told("notice")[0]["text"] == "Nothing was changed."
    assert [f.outcome for f in call.of(Finish)] == ["failed"]


def test_a_turn_past_its_deadline_is_apologised_for_and_its_late_answer_shown(call: Call) -> None:
    call.speak("add milk")
    turn = call.of(Run)[0].turn.id
    call.talk.handle(events.TurnStarted(turn), call.now)
    call.talk.tick(call.now + CallOptions().turn_seconds + 1)
    assert call.told("notice")[-1]["text"] == words.TOO_LONG
    assert call.of(Finish)[0].turn.error == "deadline"
    call.speak("add eggs")
    assert call.of(Run)[-1].turn.transcript == "add eggs"
    call.talk.handle(events.SentenceAudio(turn, 0, SECOND, final=True), call.now)
    call.talk.handle(events.TurnFinished(turn, "Added milk.", 1), call.now)
    assert call.told("notice")[-1]["text"] == words.late_answer("Added milk.")
    assert call.talk.next_fetch() is None
    assert [f.outcome for f in call.of(Finish)] == ["failed"]


def test_a_reminder_waits_for_its_audio(call: Call) -> None:
    call.talk.announce(Announcement("Reminder: call Anna.", 7), call.now)
    call.talk.tick(call.now + 5)
    assert call.told("notice") == []


def test_a_turn_nobody_takes_up_is_asked_after_once_and_kept(call: Call) -> None:
    call.speak("add milk")
    for seconds in (1, 4, 5):
        call.talk.tick(call.now + seconds)
    (ask,) = call.of(AskAfter)
    assert ask.role == "agent"
    call.talk.failed(ask, WorkerMissing("agent"), call.now)
    assert "thinking is not running" in call.told("notice")[-1]["text"]
    call.talk.tick(call.now + CallOptions().turn_seconds + 1)
    assert call.of(Cancel) == []


def test_an_unrecognised_utterance_is_asked_after_and_then_given_up(call: Call) -> None:
    call.speak(None)
    call.talk.tick(call.now + 4)
    assert [ask.role for ask in call.of(AskAfter)] == ["speech"]
    call.talk.tick(call.now + CallOptions().turn_seconds + 1)
    assert [f.outcome for f in call.of(Finish)] == ["failed"]


def test_what_a_lost_broker_did_not_take_is_sent_when_it_is_back(call: Call) -> None:
    call.speak("add milk")
    call.talk.failed(call.of(Run)[0], BrokerLost("gone"), call.now)
    call.talk.broker_changed(False)
    assert len(call.of(Run)) == 1
    call.talk.broker_changed(True)
    assert len(call.of(Run)) == 2


def test_a_turn_that_could_not_be_written_is_asked_for_again(call: Call) -> None:
    call.speak("add milk")
    call.talk.failed(call.of(Begin)[0], RuntimeError("disk full"), call.now)
    assert call.told("notice")[-1]["text"] == words.NOT_STORED
    assert call.told("turn_done")[-1]["state"] == "failed"


def test_a_caller_that_stops_playing_is_hung_up_on(call: Call) -> None:
    call.speak("add milk")
    call.answer("Added milk.")
    call.play()
    call.talk.tick(call.now + 11)
    assert [h.code for h in call.of(HangUp)] == [4408]


def test_a_reminder_waits_for_the_running_turn(call: Call) -> None:
    call.speak("add milk")
    call.talk.announce(Announcement("Reminder: call Anna.", 7), call.now)
    assert call.of(Announce) == []
    turn = call.answer("Added milk.")
    call.play()
    call.talk.played(turn, 1000, call.now)
    assert [a.turn.reminder_id for a in call.of(Announce)] == [7]


def test_leaving_hands_on_what_waits_and_keeps_what_runs(call: Call) -> None:
    call.speak("add milk")
    call.speak("add eggs")
    call.talk.leave(call.now)
    assert [run.turn.transcript for run in call.of(Run)] == ["add milk", "add eggs"]
    assert call.of(Cancel) == []


def test_leaving_while_the_reply_plays_notes_what_was_heard(call: Call) -> None:
    call.speak("add milk")
    turn = call.answer("Added milk.")
    call.play()
    call.talk.played(turn, 100, call.now)
    call.talk.leave(call.now)
    assert [f.outcome for f in call.of(Finish)] == ["interrupted"]
