"""A model that is not there, or goes: nothing a caller said is lost, and nothing is done twice."""

from __future__ import annotations

import pytest

from tests.voice.realtime.scene import PHONE, SECOND, Scene
from voice import events
from voice.answering import Announcement
from voice.audio import BROWSER
from voice.errors import BrokerLost
from voice.options import CallOptions
from voice.realtime import deeds, protocol, said
from voice.realtime.conversation import RealtimeConversation
from voice.realtime.requests import ClearAudio, Message, SessionUpdate
from voice.turns import Announce, Begin, Drop, Extra, Recognise
from voice.unfinished import Unfinished

AUDIO = bytes(SECOND)


@pytest.fixture
def scene() -> Scene:
    made = Scene()
    made.join()
    return made


def hear_as_worker(scene: Scene, words: str) -> None:
    """What a worker makes of the utterance that was asked about last."""
    asked = scene.deeds(deeds.HearAgain)
    utterance = asked[-1].utterance_id if asked else scene.of(Recognise)[-1].utterance_id
    scene.talk.handle(events.Transcribed(utterance, words), scene.now)
    scene.take()


def chained(scene: Scene, words: str) -> None:
    """An utterance by our own voice gate, recognised by a worker."""
    scene.talk.speech_started(scene.now)
    scene.talk.speech_ended(AUDIO, 600, scene.now)
    utterance = scene.of(Recognise)[-1].utterance_id
    scene.talk.handle(events.Transcribed(utterance, words), scene.now)
    scene.take()


def worker_answers(scene: Scene, text: str) -> None:
    turn = scene.run[-1]
    for event in (
        events.TurnStarted(turn),
        events.SentenceReady(turn, 0, text),
        events.SentenceAudio(turn, 0, SECOND, final=True),
        events.TurnFinished(turn, text, 1),
    ):
        scene.talk.handle(event, scene.now)
    scene.hear_all()


# Before it is there ------------------------------------------------------------------------------
def test_our_own_parts_hold_the_call_until_the_model_is_there() -> None:
    scene = Scene()
    scene.talk.wake(scene.now)
    chained(scene, "add milk")
    worker_answers(scene, "Added milk.")
    assert scene.ends() == [("done", "Added milk.")]


def test_the_model_joins_in_a_pause_and_is_told_what_was_said_meanwhile() -> None:
    scene = Scene()
    scene.talk.wake(scene.now)
    scene.take()
    chained(scene, "add milk")
    scene.talk.handle(events.Briefed("Be brief."), scene.now)
    scene.up(protocol.SessionUpdated())
    assert not scene.talk.on_line
    worker_answers(scene, "Added milk.")
    scene.later(0.5)
    assert scene.talk.on_line
    assert scene.line(Message) == [Message("user", "add milk"), Message("assistant", "Added milk.")]
    assert [one.wanted for one in scene.line(deeds.Listen)] == [True]


def test_the_session_begins_with_the_talk_so_far() -> None:
    scene = Scene()
    scene.join([{"role": "user", "text": "add milk"}, {"role": "assistant", "text": "Added."}])
    join = scene.line(deeds.Join)[0]
    assert join.history == (Message("user", "add milk"), Message("assistant", "Added."))
    assert join.session.instructions == f"Be brief.\n\n{said.RULE}"
    assert join.session.tools == ({"type": "function", "name": "add_todo"},)


def test_a_format_the_model_does_not_take_is_left_to_our_own_parts() -> None:
    talk = RealtimeConversation(BROWSER, CallOptions(), Scene().options)
    talk.wake(1.0)
    talk.tick(60.0)
    assert not [c for c in talk.take() if isinstance(c, Extra)]


@pytest.mark.parametrize("why", ["no answer", "not queued"])
def test_a_briefing_that_does_not_come_is_asked_for_again(why: str) -> None:
    scene = Scene()
    scene.talk.wake(scene.now)
    brief = scene.of(Extra)[0]
    if why == "not queued":
        scene.talk.failed(brief, BrokerLost(), scene.now)
    else:
        scene.later(11.0)
    scene.later(3.0)
    assert len(scene.deeds(deeds.Brief)) == 2


def test_a_model_that_does_not_come_is_asked_for_ever_more_rarely(scene: Scene) -> None:
    scene.lose()
    scene.later(60.0)
    first = len(scene.deeds(deeds.Brief))
    scene.later(600.0)
    second = len(scene.deeds(deeds.Brief))
    assert first >= 4
    # Ten seconds each for an answer that does not come, and a minute between.
    assert 8 <= second - first <= 10


def test_a_refusal_that_will_not_change_is_the_last(scene: Scene) -> None:
    scene.lose("model_auth", hopeless=True)
    scene.later(60.0)
    assert len(scene.deeds(deeds.Brief)) == 1


@pytest.mark.parametrize(("code", "again"), [("invalid_value", 0), ("rate_limit_exceeded", 1)])
def test_a_session_that_is_refused_as_it_is_wished_is_not_wished_again(
    code: str, again: int
) -> None:
    scene = Scene()
    scene.talk.wake(scene.now)
    scene.talk.handle(events.Briefed("Be brief."), scene.now)
    scene.take()
    scene.up(protocol.Error(code, ""))
    assert scene.line(deeds.Leave)
    scene.later(5.0)
    assert len(scene.deeds(deeds.Brief)) == 1 + again


def test_losses_far_apart_are_forgiven(scene: Scene) -> None:
    for number in range(8):
        scene.later(120.0)
        scene.lose()
        scene.later(2.0)
        assert len(scene.deeds(deeds.Brief)) == number + 2
        scene.talk.handle(events.Briefed("Be brief."), scene.now)
        scene.up(protocol.SessionUpdated())
        assert scene.talk.on_line


# In the middle -----------------------------------------------------------------------------------
def test_what_the_model_has_not_answered_a_worker_answers(scene: Scene) -> None:
    scene.speak("add milk")
    scene.lose()
    assert scene.run == [scene.asked[0].owner]
    assert len(scene.of(Begin)) == 1
    worker_answers(scene, "Added milk.")
    assert scene.ends() == [("done", "Added milk.")]


def test_words_nobody_knows_yet_are_recognised_from_what_is_kept(scene: Scene) -> None:
    scene.speak()
    scene.lose()
    kept = scene.deeds(deeds.Keep)[0].utterance_id
    assert [one.utterance_id for one in scene.deeds(deeds.HearAgain)] == [kept]
    assert scene.run == []
    hear_as_worker(scene, "add milk")
    assert len(scene.run) == 1
    worker_answers(scene, "Added milk.")
    assert scene.ends() == [("done", "Added milk.")]


def test_noise_that_waits_when_the_model_goes_is_dropped(scene: Scene) -> None:
    scene.speak()
    scene.lose()
    hear_as_worker(scene, "")
    assert len(scene.of(Drop)) == 1
    assert scene.run == []


def test_turns_that_wait_keep_their_order(scene: Scene) -> None:
    scene.speak("one")
    scene.speak("two")
    scene.speak("three")
    scene.lose()
    for answer in ("First.", "Second.", "Third."):
        worker_answers(scene, answer)
    assert [heard for _, heard in scene.ends()] == ["First.", "Second.", "Third."]
    begun = [one.turn.id for one in scene.of(Begin)]
    assert scene.run == begun


def test_typed_words_are_not_lost_either(scene: Scene) -> None:
    scene.talk.typed("add milk", scene.now)
    scene.take()
    scene.lose()
    assert len(scene.run) == 1


def test_a_loss_in_mid_sentence_keeps_what_was_heard_and_says_so(scene: Scene) -> None:
    scene.speak("tell me all")
    scene.talk_on(scene.respond(), "one two three four", 1000)
    scene.play()
    scene.hear(500)
    scene.lose()
    assert scene.run == []
    scene.hear_all()
    assert scene.ends()[0][0] == "failed"
    assert scene.deeds(deeds.WriteReply)[0].turn.error == "model_half"
    assert scene.deeds(deeds.WriteReply)[0].turn.reply == "one two three four"
    assert [one.text for one in scene.of(Announce)] == [said.BROKE_OFF]


def test_a_reply_that_was_complete_is_heard_to_its_end(scene: Scene) -> None:
    scene.speak("tell me all")
    scene.answer("one two three four", 4000)
    scene.play()
    scene.hear(500)
    scene.lose()
    scene.hear_all()
    assert scene.ends() == [("done", "one two three four")]
    assert scene.of(Announce) == []


def test_a_complete_reply_still_gets_its_words_from_a_worker(scene: Scene) -> None:
    scene.speak()
    scene.answer("Done.")
    scene.lose()
    hear_as_worker(scene, "add milk")
    assert scene.deeds(deeds.WriteWords)[0].turn.transcript == "add milk"
    assert scene.run == []


def test_a_reply_not_heard_yet_is_answered_anew(scene: Scene) -> None:
    scene.speak("tell me all")
    scene.talk_on(scene.respond(), "one two", 1000)
    scene.lose()
    assert len(scene.run) == 1
    worker_answers(scene, "Three four.")
    assert scene.ends() == [("done", "Three four.")]
    assert scene.told("reply_delta")[-1]["restart"]


def test_a_turn_whose_tool_runs_goes_on_with_a_worker(scene: Scene) -> None:
    scene.speak("add milk")
    response = scene.respond()
    scene.call_tool(response, "c1")
    scene.end(response)
    scene.lose()
    assert scene.run == [scene.asked[0].owner]
    scene.tool_answers("c1")
    worker_answers(scene, "Added milk.")
    assert scene.ends() == [("done", "Added milk.")]


def test_what_is_said_when_the_model_goes_is_heard_by_a_worker(scene: Scene) -> None:
    scene.talk.speech_started(scene.now)
    scene.begin_to_speak()
    scene.lose()
    scene.talk.speech_ended(AUDIO, 600, scene.now)
    assert [one.audio for one in scene.of(Recognise)] == [AUDIO]
    hear_as_worker(scene, "add milk")
    assert len(scene.run) == 1


def test_what_was_said_just_before_the_model_went_is_heard_by_a_worker(scene: Scene) -> None:
    scene.talk.speech_started(scene.now)
    scene.talk.speech_ended(AUDIO, 600, scene.now)
    scene.lose()
    assert [one.audio for one in scene.of(Recognise)] == [AUDIO]


def test_what_only_the_model_heard_is_not_lost_with_it(scene: Scene) -> None:
    scene.begin_to_speak(ms=800)
    scene.lose()
    assert [len(one.audio) for one in scene.of(Recognise)] == [800 * 8]


def test_what_the_model_took_is_not_heard_a_second_time(scene: Scene) -> None:
    scene.talk.speech_started(scene.now)
    scene.speak("add milk")
    scene.talk.speech_ended(AUDIO, 600, scene.now)
    scene.later(5.0)
    scene.lose()
    assert scene.of(Recognise) == []
    assert len(scene.run) == 1


@pytest.mark.parametrize("more_ms", [0, 1000])
def test_only_what_came_after_it_is_heard_of_speech_the_model_took_in_part(
    scene: Scene, more_ms: int
) -> None:
    scene.talk.came(SECOND)
    scene.talk.speech_started(scene.now)
    scene.speak("add milk")
    after = b"\1" * (more_ms * 8) + bytes(600 * 8)
    scene.talk.came(len(after))
    scene.lose()
    scene.talk.speech_ended(AUDIO + after, 600, scene.now)
    assert [one.audio for one in scene.of(Recognise)] == ([after] if more_ms else [])
    assert len(scene.run) == 1


def test_an_utterance_after_the_loss_is_heard_whole(scene: Scene) -> None:
    scene.talk.came(SECOND)
    scene.talk.speech_started(scene.now)
    scene.speak("add milk")
    scene.lose()
    scene.talk.speech_discarded(scene.now)
    scene.talk.came(SECOND)
    scene.talk.speech_started(scene.now)
    scene.talk.came(100)
    scene.talk.speech_ended(AUDIO, 600, scene.now)
    assert [one.audio for one in scene.of(Recognise)] == [AUDIO]


def test_speech_the_model_does_not_hear_goes_to_a_worker(scene: Scene) -> None:
    scene.talk.speech_started(scene.now)
    scene.talk.speech_ended(AUDIO, 600, scene.now)
    scene.later(4.0)
    assert [one.audio for one in scene.of(Recognise)] == [AUDIO]
    hear_as_worker(scene, "add milk")
    worker_answers(scene, "Added milk.")
    assert scene.line(Message)[-2:] == [
        Message("user", "add milk"),
        Message("assistant", "Added milk."),
    ]


def test_a_model_that_falls_silent_is_hung_up_on(scene: Scene) -> None:
    scene.speak("add milk")
    scene.respond()
    scene.later(scene.options.answer_seconds + 1)
    assert scene.line(deeds.Leave)
    assert len(scene.run) == 1


@pytest.mark.parametrize("code", ["rate_limit_exceeded", ""])
def test_a_response_that_fails_is_given_to_a_worker(scene: Scene, code: str) -> None:
    scene.speak("add milk")
    scene.end(scene.respond(), "failed", code)
    assert scene.line(deeds.Leave)
    assert len(scene.run) == 1


def test_the_model_comes_back_and_knows_what_was_said(scene: Scene) -> None:
    scene.speak("add milk")
    scene.lose()
    worker_answers(scene, "Added milk.")
    scene.later(3.0)
    assert len(scene.deeds(deeds.Brief)) == 2
    scene.talk.handle(
        events.Briefed("Be brief.", history=[{"role": "user", "text": "add milk"}]), scene.now
    )
    scene.up(protocol.SessionUpdated())
    assert scene.talk.on_line
    assert scene.line(deeds.Join)[1].history == (Message("user", "add milk"),)
    scene.speak("and bread")
    scene.answer("Bread, too.")
    scene.hear_all()
    assert scene.ends()[-1] == ("done", "Bread, too.")


def test_late_events_of_a_lost_socket_change_nothing(scene: Scene) -> None:
    scene.speak("add milk")
    response = scene.respond()
    scene.lose()
    stored = len(scene.line(deeds.StoreAudio))
    scene.talk_on(response, "Hello.")
    scene.end(response)
    assert len(scene.line(deeds.StoreAudio)) == stored


def test_a_session_is_replaced_in_a_pause_before_the_service_ends_it() -> None:
    scene = Scene(renew_seconds=100.0)
    scene.join()
    scene.later(99.0)
    assert scene.line(deeds.Leave) == []
    scene.later(2.0)
    assert scene.line(deeds.Leave)
    assert len(scene.deeds(deeds.Brief)) == 2


# Leaving -----------------------------------------------------------------------------------------
def test_what_was_said_before_hanging_up_is_still_done(scene: Scene) -> None:
    scene.speak("add milk")
    scene.talk.leaving(scene.now)
    assert not scene.talk.undecided
    scene.talk.leave(scene.now)
    assert len(scene.run) == 1
    assert scene.line(deeds.Leave)


def test_a_caller_who_hangs_up_at_once_is_waited_for_to_be_understood(scene: Scene) -> None:
    scene.speak()
    scene.talk.leaving(scene.now)
    assert scene.talk.undecided
    hear_as_worker(scene, "add milk")
    assert not scene.talk.undecided
    scene.talk.leave(scene.now)
    assert len(scene.run) == 1


def test_an_answer_that_was_complete_is_not_given_again_after_hanging_up(scene: Scene) -> None:
    scene.speak("add milk")
    scene.answer("Added milk.", 3000)
    scene.play()
    scene.hear(500)
    scene.talk.leaving(scene.now)
    scene.talk.leave(scene.now)
    assert scene.run == []
    assert scene.ends()[0][0] == "interrupted"


# Beside the agent --------------------------------------------------------------------------------
def test_words_taken_by_an_attendant_never_reach_the_model(scene: Scene) -> None:
    scene.talk.take_words(True)
    scene.take()
    assert [one.wanted for one in scene.line(deeds.Listen)][-1] is False
    assert scene.line(ClearAudio)
    scene.talk.speech_started(scene.now)
    scene.talk.speech_ended(AUDIO, 600, scene.now)
    assert len(scene.of(Recognise)) == 1
    scene.speak("1234")
    assert scene.of(Begin) == []
    assert scene.line(Message) == []
    scene.talk.take_words(False)
    scene.take()
    # Forgets what came just before, and only then listens.
    assert [one.wanted for one in scene.line(deeds.Listen)][-2:] == [False, True]


def test_the_models_clock_runs_on_while_words_are_taken(scene: Scene) -> None:
    scene.talk.sent(bytes(5 * SECOND))
    scene.talk.take_words(True)
    scene.talk.take_words(False)
    scene.take()
    scene.talk.sent(b"\1" * SECOND)
    scene.up(protocol.SpeechStarted("a", 5200), protocol.SpeechStopped("a", 5900))
    scene.up(protocol.Committed("a"))
    assert [one.audio for one in scene.deeds(deeds.Keep)] == [b"\1" * (700 * 8)]


def test_a_caller_known_while_the_broker_is_away_is_told_later(scene: Scene) -> None:
    scene.talk.caller_known()
    brief = scene.of(Extra)[-1]
    scene.talk.failed(brief, BrokerLost(), scene.now)
    assert scene.talk.on_line
    scene.talk.broker_changed(connected=True)
    assert len(scene.deeds(deeds.Brief)) == 3


def test_a_caller_who_is_known_now_is_told_to_the_model(scene: Scene) -> None:
    scene.talk.caller_known()
    scene.take()
    assert len(scene.deeds(deeds.Brief)) == 2
    scene.talk.handle(events.Briefed("For Ann."), scene.now)
    scene.take()
    assert scene.line(SessionUpdate)[-1].instructions == f"For Ann.\n\n{said.RULE}"
    assert len(scene.line(deeds.Join)) == 1


def test_an_announcement_is_spoken_as_ever_and_told_to_the_model(scene: Scene) -> None:
    scene.talk.announce(Announcement("Your tea is ready."), scene.now)
    turn = scene.of(Announce)[0].turn
    scene.talk.handle(events.SentenceAudio(turn.id, 0, SECOND, final=True), scene.now)
    scene.hear_all()
    assert scene.line(Message) == [Message("assistant", "Your tea is ready.")]


def test_formats_are_those_of_the_api() -> None:
    assert str(PHONE) == "mulaw/8000"


def test_a_complete_reply_is_played_by_whoever_takes_the_call_next(scene: Scene) -> None:
    scene.speak("add milk")
    scene.answer("Added milk.", 3000)
    scene.play()
    scene.hear(500)
    written = scene.deeds(deeds.WriteReply)[0]
    after = Scene()
    after.talk.resume(
        [Unfinished(turn_id=written.turn.id, number=1, transcript="add milk")], after.now
    )
    after.later(10.0)
    for event in written.told:
        after.talk.handle(event, after.now)
    after.hear_all()
    assert after.ends() == [("done", "Added milk.")]
    assert after.told("turn_done")[0]["answered_by"] == "OpenAI"
