"""A call that goes on after its socket broke, and what is said where nothing can be read."""

from __future__ import annotations

from typing import Any

import pytest

from tests.voice.test_conversation import SECOND, Call
from voice import events, notices
from voice.answering import Announcement
from voice.conversation import FIRST_WORD_SECONDS
from voice.turns import Announce, Begin, HangUp, Run
from voice.unfinished import MOST_EVENTS, Early, Unfinished

WORDS = Unfinished(turn_id="old", number=4, transcript="add milk")
SOUND = Unfinished(turn_id="old", number=4, utterance_id="u1")


@pytest.fixture
def call() -> Call:
    return Call()


def told_again(call: Call, turn: str = "old", *, end_call: bool = False) -> None:
    """What a worker has told of the turn, while nobody listened."""
    for event in (
        events.TurnStarted(turn),
        events.SentenceReady(turn, 0, "Added milk."),
        events.SentenceAudio(turn, 0, SECOND, final=True),
        events.TurnFinished(turn, "Added milk.", 1, end_call=end_call),
    ):
        call.talk.handle(event, call.now)


def hear(call: Call) -> None:
    """Play the turn that is being said to its end."""
    turn = call.talk.current
    assert turn is not None
    while call.talk.current is turn:
        assert call.play() > 0
        call.talk.played(turn.id, turn.playout.sent_ms, call.now)


def announced(call: Call) -> list[str]:
    return [command.text for command in call.of(Announce)]


def say_announcement(call: Call) -> None:
    turn = call.talk.current
    assert turn is not None
    call.talk.handle(events.SentenceAudio(turn.id, 0, SECOND, final=True), call.now)
    hear(call)


def test_an_answer_made_meanwhile_is_heard_after_the_first_words(call: Call) -> None:
    call.talk.count_from(4)
    call.talk.announce(Announcement("Sorry, I lost you."), call.now)
    call.talk.resume([WORDS], call.now)
    told_again(call)
    assert call.of(Run) == []
    say_announcement(call)
    assert [command.turn.id for command in call.of(Run)] == ["old"]
    hear(call)
    (done,) = [one for one in call.told("turn_done") if one["turn"] == "old"]
    assert (done["state"], done["heard"]) == ("done", "Added milk.")
    assert call.of(Begin) == []


def test_first_words_that_come_a_little_later_still_come_first(call: Call) -> None:
    call.talk.resume([WORDS], call.now)
    told_again(call)
    call.now += FIRST_WORD_SECONDS / 2
    call.talk.tick(call.now)
    assert call.of(Run) == []
    call.talk.announce(Announcement("Sorry, I lost you."), call.now)
    assert announced(call) == ["Sorry, I lost you."]
    say_announcement(call)
    assert len(call.of(Run)) == 1


def test_without_first_words_the_answer_is_not_kept_back_for_long(call: Call) -> None:
    call.talk.resume([WORDS], call.now)
    call.now += FIRST_WORD_SECONDS
    call.talk.tick(call.now)
    assert len(call.of(Run)) == 1
    told_again(call)
    hear(call)
    assert call.told("turn_done")[-1]["state"] == "done"


def test_words_that_were_recognised_meanwhile_are_answered(call: Call) -> None:
    call.talk.resume([SOUND], call.now)
    call.now += FIRST_WORD_SECONDS
    call.talk.tick(call.now)
    assert call.of(Run) == []
    call.talk.handle(events.Transcribed("u1", "add milk"), call.now)
    assert [(run.turn.id, run.turn.transcript) for run in call.of(Run)] == [("old", "add milk")]


def test_several_unheard_answers_are_heard_in_their_order(call: Call) -> None:
    later = Unfinished(turn_id="later", number=5, transcript="and bread")
    call.talk.resume([WORDS, later], call.now)
    told_again(call, "later")
    told_again(call, "old")
    call.now += FIRST_WORD_SECONDS
    call.talk.tick(call.now)
    hear(call)
    hear(call)
    assert [one["turn"] for one in call.told("turn_done")] == ["old", "later"]


def test_a_goodbye_nobody_heard_is_said_and_ends_the_call(call: Call) -> None:
    call.talk.resume([WORDS], call.now)
    call.now += FIRST_WORD_SECONDS
    call.talk.tick(call.now)
    told_again(call, end_call=True)
    hear(call)
    assert [end.reason for end in call.of(HangUp)] == ["said goodbye"]


def test_a_call_with_nothing_left_begins_at_once(call: Call) -> None:
    call.talk.resume([], call.now)
    call.speak("add milk")
    assert len(call.of(Run)) == 1


def test_what_is_being_said_when_the_socket_breaks_stays_to_be_heard(call: Call) -> None:
    call.speak("add milk")
    call.answer("Added milk.")
    call.speak("and bread")
    call.talk.break_off()
    assert call.told("turn_done") == []
    assert [run.turn.transcript for run in call.of(Run)] == ["add milk", "and bread"]


def test_events_kept_for_a_turn_are_bounded() -> None:
    early = Early()
    early.expect("t")
    kept = [early.keep(events.ReplyDelta("t", "x")) for _ in range(MOST_EVENTS + 10)]
    assert all(kept)
    assert len(early.take("t")) == MOST_EVENTS
    assert not early.keep(events.ReplyDelta("t", "x"))


# Without a screen -------------------------------------------------------------------------------
def late_answer(call: Call) -> None:
    call.speak("add milk")
    call.now += 41
    call.talk.tick(call.now)
    turn = call.of(Run)[-1].turn.id
    call.talk.handle(events.TurnFinished(turn, "Added milk.", 1), call.now)


def test_a_late_answer_is_shown_where_there_is_a_screen(call: Call) -> None:
    late_answer(call)
    assert call.told("notice")[-1]["text"] == notices.late_answer("Added milk.")
    assert announced(call) == []


def test_a_late_answer_is_said_where_there_is_none(call: Call) -> None:
    call.talk.say_notices()
    late_answer(call)
    call.talk.tick(call.now)
    assert announced(call) == [notices.for_ears(notices.TOO_LONG)]
    say_announcement(call)
    assert announced(call)[-1] == notices.late_answer("Added milk.")


def test_a_late_failure_is_said_where_there_is_no_screen(call: Call) -> None:
    call.talk.say_notices()
    call.speak("add milk")
    call.now += 41
    call.talk.tick(call.now)
    turn = call.of(Run)[-1].turn.id
    call.talk.handle(events.TurnFailed(turn, "model", "It did not work."), call.now)
    call.talk.tick(call.now)
    say_announcement(call)
    assert announced(call)[-1] == "It did not work."


def test_nobody_is_asked_to_type_on_a_telephone(call: Call) -> None:
    call.talk.say_notices()
    call.speak(None)
    call.now += 41
    call.talk.tick(call.now)
    assert announced(call) == [notices.for_ears(notices.NOT_HEARD)]
    assert all("type" not in notices.for_ears(text) for text in _spoken())


def _spoken() -> list[Any]:
    return [notices.NOT_HEARD, notices.ONLY_NOISE, notices.TOO_LONG, notices.TOO_MANY]
