"""Hearing or speaking has failed: the caller is told, the row says why, the next turn works."""

from __future__ import annotations

import pytest

from tests.voice.test_conversation import AUDIO, Call
from voice import events, notices
from voice.turns import Announce, Begin, Drop, Finish, Recognise, Run


@pytest.fixture
def call() -> Call:
    return Call()


def not_heard(call: Call, error: str = "speech_auth") -> None:
    """An utterance whose recognition fails, also when it is tried again at the end."""
    call.talk.speech_started(call.now)
    call.talk.speech_paused(AUDIO)
    fail_last(call, error)
    call.talk.speech_ended(AUDIO, 600, call.now)
    fail_last(call, error)


def fail_last(call: Call, error: str) -> None:
    utterance = call.of(Recognise)[-1].utterance_id
    call.talk.handle(events.Transcribed(utterance, "", failed=True, error=error), call.now)


def test_what_could_not_be_heard_stays_on_record_with_the_reason(call: Call) -> None:
    not_heard(call, "speech_rate")
    (finish,) = call.of(Finish)
    assert (finish.turn, finish.outcome) == (call.of(Begin)[0].turn, "failed")
    assert finish.turn.error == "speech_rate"
    assert call.of(Drop) == []


def test_a_caller_who_could_not_be_heard_is_told_so_aloud_and_in_writing(call: Call) -> None:
    not_heard(call)
    assert [notice["text"] for notice in call.told("notice")] == [notices.NOT_HEARD]
    assert [said.text for said in call.of(Announce)] == [notices.NOT_HEARD]
    assert call.state() == "thinking"  # about to speak


def test_after_an_utterance_that_was_not_heard_the_next_is_answered(call: Call) -> None:
    not_heard(call)
    spoken = call.of(Announce)[0].turn.id
    call.talk.handle(events.SentenceAudio(spoken, 0, 3_200, final=True), call.now)
    call.play()
    call.talk.played(spoken, 100, call.now)
    call.speak("add milk")
    call.answer("Added milk.")
    assert [run.turn.transcript for run in call.of(Run)] == ["add milk"]


def test_sound_without_words_is_still_no_turn(call: Call) -> None:
    call.speak("", after=True)
    assert len(call.of(Drop)) == 1
    assert not call.of(Announce)
    assert not call.of(Finish)


def test_a_reply_that_could_not_be_spoken_is_done_and_its_row_says_why(call: Call) -> None:
    call.speak("add milk")
    turn = call.of(Run)[-1].turn
    call.talk.handle(events.SentenceReady(turn.id, 0, "Added milk."), call.now)
    silent = events.SentenceAudio(turn.id, 0, 0, final=True, failed=True, error="speech_timeout")
    call.talk.handle(silent, call.now)
    call.talk.handle(events.TurnFinished(turn.id, "Added milk.", 1), call.now)
    (finish,) = call.of(Finish)
    assert (finish.outcome, turn.error, turn.unsaid) == ("done", "", "speech_timeout")
    assert call.told("notice")[-1]["text"] == notices.NOT_SPOKEN
    call.speak("what is due")
    assert call.of(Run)[-1].turn.transcript == "what is due"
