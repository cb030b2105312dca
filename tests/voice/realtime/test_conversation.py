"""The conversation with a model on the line: who answers, what is heard, what is taken back."""

from __future__ import annotations

import pytest

from tests.voice.realtime.scene import SECOND, Scene
from voice import events
from voice.errors import BrokerLost
from voice.realtime import deeds, protocol, said
from voice.realtime.requests import CancelResponse, FunctionOutput, Message, Truncate
from voice.turns import Begin, Cancel, Extra, Fill, Finish, HangUp, Recognise


@pytest.fixture
def scene() -> Scene:
    made = Scene()
    made.join()
    return made


# A turn ------------------------------------------------------------------------------------------
def test_a_caller_is_answered_by_the_model(scene: Scene) -> None:
    scene.speak("add milk")
    scene.answer("I added milk.", 1000)
    scene.hear_all()
    assert scene.ends() == [("done", "I added milk.")]
    done = scene.told("turn_done")[0]
    assert (done["reply"], done["answered_by"]) == ("I added milk.", "OpenAI")
    assert scene.run == []


def test_nothing_is_asked_before_the_words_are_kept_and_the_row_is_written() -> None:
    scene = Scene()
    scene.join()
    scene.talk.sent(bytes(8000))
    scene.talk.upstream(protocol.SpeechStarted("a", 0), scene.now)
    scene.talk.upstream(protocol.SpeechStopped("a", 1000), scene.now)
    scene.talk.upstream(protocol.Committed("a"), scene.now)
    commands = scene.talk.take()
    kept = [n for n, c in enumerate(commands) if isinstance(c, Extra)]
    begun = [n for n, c in enumerate(commands) if isinstance(c, Begin)]
    assert kept[0] < begun[0]
    assert not [c for c in commands if "CreateResponse" in repr(c)]
    begin = commands[begun[0]]
    assert isinstance(begin, Begin)
    scene.talk.begun(begin)
    assert [one.owner for one in scene.asked] == [begin.turn.id]


def test_what_is_kept_is_what_the_model_heard(scene: Scene) -> None:
    audio = bytes(n % 251 for n in range(3 * SECOND))
    scene.talk.sent(audio)
    scene.up(protocol.SpeechStarted("a", 1400), protocol.SpeechStopped("a", 2600))
    scene.up(protocol.Committed("a"))
    assert [one.audio for one in scene.deeds(deeds.Keep)] == [audio[1400 * 8 : 2600 * 8]]


def test_a_transcript_may_come_behind_the_answer(scene: Scene) -> None:
    item = scene.speak()
    scene.answer("Done.")
    scene.hear_all()
    assert scene.ends() == [("done", "Done.")]
    scene.up(protocol.Words(item, "add milk"))
    assert [one.turn.transcript for one in scene.deeds(deeds.WriteWords)] == ["add milk"]
    assert scene.told("transcript")[-1]["text"] == "add milk"


def test_the_reply_is_written_before_the_end_is(scene: Scene) -> None:
    scene.speak("add milk")
    scene.answer("Done.")
    scene.hear_all()
    kinds = [c.what if isinstance(c, Extra) else c for c in scene.commands]
    written = [n for n, c in enumerate(kinds) if isinstance(c, deeds.WriteReply)]
    ended = [n for n, c in enumerate(kinds) if isinstance(c, Finish)]
    assert len(written) == 1
    assert written[0] < ended[0]


def test_typed_words_are_an_item_of_the_conversation(scene: Scene) -> None:
    scene.talk.typed("add milk", scene.now)
    scene.take()
    assert scene.line(Message)[-1] == Message("user", "add milk")
    scene.answer("Done.")
    scene.hear_all()
    assert scene.ends() == [("done", "Done.")]


def test_turns_are_answered_one_by_one_in_order(scene: Scene) -> None:
    scene.speak("one")
    scene.speak("two")
    first = scene.asked[0].owner
    assert [one.owner for one in scene.asked] == [first]
    scene.answer("First.")
    scene.hear_all()
    assert len({one.owner for one in scene.asked}) == 2
    scene.answer("Second.")
    scene.hear_all()
    assert scene.ends() == [("done", "First."), ("done", "Second.")]


def test_more_turns_than_may_wait_are_refused_aloud(scene: Scene) -> None:
    for number in range(7):
        scene.speak(str(number))
    assert len(scene.of(Begin)) == 5
    assert scene.told("notice")


def test_the_model_greets_when_that_is_wished() -> None:
    scene = Scene(greet=True)
    scene.join()
    assert said.GREET in scene.asked[0].instructions
    scene.answer("Hello!")
    scene.hear_all()
    assert scene.of(Begin) == []
    assert scene.deeds(deeds.WriteReply) == []
    scene.speak("add milk")
    assert len(scene.asked) == 2


# Interruption ------------------------------------------------------------------------------------
def test_speech_over_the_reply_cuts_it_to_what_was_heard(scene: Scene) -> None:
    scene.speak("tell me all")
    response = scene.respond()
    item = scene.talk_on(response, "one two three four five six seven eight nine ten", 10_000)
    scene.play()
    scene.hear(1200)
    scene.begin_to_speak()
    assert scene.line(CancelResponse) == [CancelResponse(response)]
    assert scene.line(Truncate) == [Truncate(item, 1200)]
    assert scene.ends() == [("interrupted", "one")]
    assert scene.told("clear")
    assert scene.of(Cancel)


def test_our_own_gate_interrupts_when_it_is_first(scene: Scene) -> None:
    scene.speak("tell me all")
    scene.answer("one two three four", 4000)
    scene.play()
    scene.hear(1000)
    scene.talk.speech_started(scene.now)
    assert scene.ends() == [("interrupted", "one")]


def test_our_own_gate_may_be_left_out_of_it() -> None:
    scene = Scene(early=False)
    scene.join()
    scene.speak("tell me all")
    scene.answer("one two three four", 4000)
    scene.play()
    scene.hear(1000)
    scene.talk.speech_started(scene.now)
    assert scene.ends() == []
    scene.begin_to_speak()
    assert scene.ends() == [("interrupted", "one")]


def test_late_deltas_of_a_cancelled_response_change_nothing(scene: Scene) -> None:
    scene.speak("tell me all")
    response = scene.respond()
    item = scene.talk_on(response, "one two three four", 4000)
    scene.play()
    scene.hear(1000)
    scene.begin_to_speak()
    stored = len(scene.line(deeds.StoreAudio))
    scene.talk_on(response, " five six", 2000, item=item)
    scene.end(response, "cancelled", "client_cancelled")
    scene.talk_on(response, " seven", 2000, item=item)
    scene.up(protocol.ItemDone(response, item))
    assert len(scene.line(deeds.StoreAudio)) == stored
    assert scene.talk.next_fetch() is None
    assert scene.ends() == [("interrupted", "one")]


def test_the_next_response_waits_until_the_cancelled_one_is_over(scene: Scene) -> None:
    scene.speak("tell me all")
    response = scene.respond()
    scene.talk_on(response, "one two three four", 4000)
    scene.play()
    scene.hear(1000)
    scene.speak("stop")
    assert len(scene.asked) == 1
    scene.end(response, "cancelled", "client_cancelled")
    assert len(scene.asked) == 2
    scene.answer("All right.")
    scene.hear_all()
    assert scene.ends() == [("interrupted", "one"), ("done", "All right.")]


def test_a_response_cancelled_before_it_was_created_is_cancelled_then(scene: Scene) -> None:
    scene.speak("tell me all")
    scene.talk.interrupt(scene.now)
    assert scene.line(CancelResponse) == []
    late = scene.respond()
    assert scene.line(CancelResponse) == [CancelResponse(late)]
    scene.talk_on(late, "one")
    assert scene.line(deeds.StoreAudio) == []


def test_a_response_nobody_asked_for_is_cancelled(scene: Scene) -> None:
    scene.up(protocol.ResponseCreated("stray", None))
    scene.talk_on("stray", "Hello there.")
    assert scene.line(CancelResponse) == [CancelResponse("stray")]
    assert scene.line(deeds.StoreAudio) == []


def test_an_item_heard_to_its_end_is_not_cut(scene: Scene) -> None:
    scene.speak("tell me all")
    response = scene.respond()
    first = scene.talk_on(response, "One two.", 1000, item="first")
    scene.up(protocol.ItemDone(response, first))
    second = scene.talk_on(response, "Three four.", 1000, item="second")
    scene.play()
    scene.hear(1500)
    scene.begin_to_speak()
    assert scene.line(Truncate) == [Truncate(second, 500)]
    assert scene.ends() == [("interrupted", "One two. Three")]


def test_a_reply_not_heard_at_all_is_taken_back_whole(scene: Scene) -> None:
    scene.speak("tell me all")
    response = scene.respond()
    item = scene.talk_on(response, "one two", 1000)
    scene.talk.interrupt(scene.now)
    assert scene.line(Truncate) == [Truncate(item, 0)]


def test_speech_over_a_filler_ends_only_the_filler(scene: Scene) -> None:
    scene.speak("add milk")
    scene.later(2.0)
    turn = scene.of(Fill)[0].turn
    turn.playout.fill(bytes(SECOND))
    scene.play()
    scene.speak("and bread")
    assert scene.ends() == []
    assert scene.told("clear")
    assert scene.line(CancelResponse) == []
    scene.answer("Added milk.")
    scene.hear_all()
    assert scene.ends() == [("done", "Added milk.")]


def test_the_reply_waits_while_the_caller_goes_on_speaking(scene: Scene) -> None:
    scene.speak("add milk")
    scene.begin_to_speak()
    scene.answer("Added milk.")
    assert scene.talk.next_fetch() is None


# Order and repeats -------------------------------------------------------------------------------
def test_events_told_twice_count_once(scene: Scene) -> None:
    item = scene.speak("add milk")
    scene.up(protocol.Committed(item), protocol.Words(item, "add milk"))
    response = scene.answer("Done.")
    scene.end(response)
    scene.up(protocol.ResponseCreated(response, None))
    scene.hear_all()
    assert len(scene.of(Begin)) == 1
    assert len(scene.deeds(deeds.WriteWords)) == 1
    assert scene.ends() == [("done", "Done.")]


def test_what_was_committed_without_its_start_is_a_turn_all_the_same(scene: Scene) -> None:
    scene.talk.sent(bytes(SECOND))
    scene.up(protocol.Committed("a"))
    assert len(scene.of(Begin)) == 1
    assert len(scene.deeds(deeds.Keep)[0].audio) == SECOND


def test_events_of_a_response_before_its_creation_are_ignored(scene: Scene) -> None:
    scene.speak("add milk")
    scene.talk_on("r9", "Not yet.")
    scene.end("r9")
    assert scene.line(deeds.StoreAudio) == []
    scene.answer("Done.")
    scene.hear_all()
    assert scene.ends() == [("done", "Done.")]


def test_audio_is_stored_in_order_and_heard_as_it_is_stored(scene: Scene) -> None:
    scene.stores = False
    scene.speak("add milk")
    response = scene.respond()
    for _ in range(5):
        scene.talk_on(response, "word ", 100)
    offsets = [one.offset for one in scene.line(deeds.StoreAudio)]
    assert offsets == [0, 800, 1600, 2400, 3200]
    assert scene.talk.next_fetch() is None
    turn = scene.line(deeds.StoreAudio)[0].turn_id
    scene.talk.stored(turn, 0, 1600, scene.now)
    assert scene.play() == 200
    scene.end(response)
    scene.talk.stored(turn, 0, 4000, scene.now)
    scene.hear_all()
    assert scene.ends()[0][0] == "done"


def test_a_refusal_as_too_early_is_asked_again(scene: Scene) -> None:
    scene.speak("add milk")
    asked = scene.asked[0]
    scene.up(protocol.Error("conversation_already_has_active_response", asked.event_id))
    assert len(scene.asked) == 1
    scene.later(1.5)
    assert [one.owner for one in scene.asked] == [asked.owner] * 2
    scene.answer("Done.")
    scene.hear_all()
    assert scene.ends() == [("done", "Done.")]


def test_a_model_that_says_nothing_twice_is_replaced_by_a_worker(scene: Scene) -> None:
    scene.speak("add milk")
    scene.end(scene.respond())
    assert len(scene.asked) == 2
    scene.end(scene.respond())
    assert scene.line(deeds.Leave)
    assert scene.run == [scene.asked[0].owner]


# Tools -------------------------------------------------------------------------------------------
def test_two_tool_calls_are_run_in_order_and_answered_before_the_model_goes_on(
    scene: Scene,
) -> None:
    scene.speak("add milk and bread")
    response = scene.respond()
    scene.call_tool(response, "c1")
    scene.call_tool(response, "c2")
    scene.end(response)
    # Workers are many: the second is asked for once the first is done.
    assert [one.call_id for one in scene.deeds(deeds.RunTool)] == ["c1"]
    scene.tool_answers("c1", "Added milk.")
    asked = [(one.call_id, one.ordinal, one.name) for one in scene.deeds(deeds.RunTool)]
    assert asked == [("c1", 0, "add_todo"), ("c2", 1, "add_todo")]
    assert len(scene.asked) == 1
    scene.tool_answers("c2", "Added bread.")
    assert len(scene.asked) == 2
    outputs = [(one.call_id, one.text) for one in scene.line(FunctionOutput)]
    assert outputs == [("c1", "Added milk."), ("c2", "Added bread.")]
    scene.answer("Both are there.")
    scene.hear_all()
    assert scene.ends() == [("done", "Both are there.")]


def test_a_tool_call_that_an_interruption_kept_from_beginning_is_told_as_not_done(
    scene: Scene,
) -> None:
    scene.speak("add milk and bread")
    response = scene.respond()
    scene.talk_on(response, "One moment.", 1000)
    scene.call_tool(response, "c1")
    scene.call_tool(response, "c2")
    scene.end(response)
    scene.play()
    scene.hear(300)
    scene.begin_to_speak()
    outputs = {one.call_id: one.text for one in scene.line(FunctionOutput)}
    assert outputs == {"c1": said.NOT_KNOWN, "c2": said.NOT_BEGUN}
    assert [one.call_id for one in scene.deeds(deeds.RunTool)] == ["c1"]


def test_ordinals_go_on_over_the_responses_of_a_turn(scene: Scene) -> None:
    scene.speak("add milk, then bread")
    response = scene.respond()
    scene.call_tool(response, "c1")
    scene.end(response)
    scene.tool_answers("c1")
    response = scene.respond()
    scene.call_tool(response, "c2")
    scene.end(response)
    assert [one.ordinal for one in scene.deeds(deeds.RunTool)] == [0, 1]


def test_a_tool_call_told_twice_is_run_once(scene: Scene) -> None:
    scene.speak("add milk")
    response = scene.respond()
    scene.call_tool(response, "c1")
    scene.call_tool(response, "c1")
    call = protocol.FunctionCall("c1", "add_todo", '{"title":"milk"}')
    scene.up(protocol.ResponseDone(response, "completed", calls=(call,)))
    assert len(scene.deeds(deeds.RunTool)) == 1
    scene.tool_answers("c1")
    scene.tool_answers("c1")
    assert len(scene.line(FunctionOutput)) == 1
    assert len(scene.asked) == 2


def test_a_tool_call_told_only_with_the_end_is_run(scene: Scene) -> None:
    scene.speak("add milk")
    call = protocol.FunctionCall("c1", "add_todo", "{}")
    scene.up(protocol.ResponseDone(scene.respond(), "completed", calls=(call,)))
    assert [one.call_id for one in scene.deeds(deeds.RunTool)] == ["c1"]


def test_a_tool_call_that_was_broken_off_is_not_run(scene: Scene) -> None:
    scene.speak("add milk")
    response = scene.respond()
    call = protocol.FunctionCall("c1", "add_todo", '{"tit', complete=False)
    scene.up(protocol.ItemDone(response, "i", call))
    assert scene.deeds(deeds.RunTool) == []


def test_no_tool_runs_before_the_words_are_known(scene: Scene) -> None:
    item = scene.speak()
    response = scene.respond()
    scene.call_tool(response, "c1")
    assert scene.deeds(deeds.RunTool) == []
    scene.up(protocol.Words(item, "add milk"))
    assert len(scene.deeds(deeds.RunTool)) == 1


def test_a_transcript_that_does_not_come_holds_no_tool_for_ever(scene: Scene) -> None:
    scene.speak()
    response = scene.respond()
    scene.call_tool(response, "c1")
    scene.later(1.5)
    assert scene.deeds(deeds.RunTool) == []
    scene.later(1.0)
    assert len(scene.deeds(deeds.RunTool)) == 1


def test_the_call_ends_after_the_goodbye_was_heard(scene: Scene) -> None:
    scene.speak("bye")
    response = scene.respond()
    scene.call_tool(response, "c1", "end_call")
    scene.end(response)
    scene.tool_answers("c1", "Goodbye.", end_call=True)
    scene.answer("Goodbye!")
    scene.play()
    assert scene.of(HangUp) == []
    scene.hear_all()
    assert [one.reason for one in scene.of(HangUp)] == ["said goodbye"]


def test_a_tool_that_runs_long_is_bridged_by_a_filler(scene: Scene) -> None:
    scene.speak("add milk")
    response = scene.respond()
    scene.call_tool(response, "c1")
    scene.end(response)
    scene.later(2.0)
    assert len(scene.of(Fill)) == 1


def test_a_tool_interrupted_before_it_answered_is_settled_with_the_model(scene: Scene) -> None:
    scene.speak("add milk")
    response = scene.respond()
    scene.talk_on(response, "Let me see.", 1000)
    scene.call_tool(response, "c1")
    scene.end(response)
    scene.play()
    scene.hear(300)
    scene.begin_to_speak()
    assert scene.line(FunctionOutput) == [FunctionOutput("c1", said.NOT_KNOWN)]
    scene.tool_answers("c1", "Added.")
    assert len(scene.line(FunctionOutput)) == 1


def test_a_tool_that_cannot_be_queued_is_told_to_the_model(scene: Scene) -> None:
    scene.speak("add milk")
    response = scene.respond()
    scene.call_tool(response, "c1")
    scene.end(response)
    command = next(c for c in scene.of(Extra) if isinstance(c.what, deeds.RunTool))
    scene.talk.failed(command, ValueError("full"), scene.now)
    assert scene.line(FunctionOutput) == [FunctionOutput("c1", said.NOT_RUN)]


def test_a_tool_call_is_queued_again_when_the_broker_is_back(scene: Scene) -> None:
    scene.speak("add milk")
    response = scene.respond()
    scene.call_tool(response, "c1")
    command = next(c for c in scene.of(Extra) if isinstance(c.what, deeds.RunTool))
    scene.talk.failed(command, BrokerLost(), scene.now)
    scene.talk.broker_changed(connected=True)
    assert len(scene.deeds(deeds.RunTool)) == 2


# Words that were not understood ------------------------------------------------------------------
@pytest.mark.parametrize("how", ["empty", "failed"])
def test_unclear_audio_is_answered_by_a_question(scene: Scene, how: str) -> None:
    item = scene.speak()
    response = scene.respond()
    scene.talk_on(response, "I deleted everything.", 2000)
    scene.call_tool(response, "c1")
    event = protocol.Words(item, "") if how == "empty" else protocol.NoWords(item, "failed")
    scene.up(event)
    assert scene.line(CancelResponse) == [CancelResponse(response)]
    assert scene.line(Message)[-1] == Message("system", said.UNCLEAR)
    assert scene.line(FunctionOutput) == [FunctionOutput("c1", said.NOT_UNDERSTOOD)]
    scene.end(response, "cancelled", "client_cancelled")
    scene.answer("Sorry, what did you say?")
    scene.hear_all()
    assert scene.deeds(deeds.RunTool) == []
    assert scene.ends() == [("done", "Sorry, what did you say?")]
    assert scene.told("turn_done")[0]["reply"] == "Sorry, what did you say?"


def test_a_question_back_replaces_a_reply_that_is_being_heard(scene: Scene) -> None:
    item = scene.speak()
    scene.answer("I deleted everything, as you wished.", 3000)
    scene.play()
    scene.hear(500)
    scene.up(protocol.Words(item, ""))
    assert scene.told("clear")
    assert [one.heard_ms for one in scene.line(Truncate)] == [500]
    scene.answer("Sorry, what did you say?")
    scene.hear_all()
    assert scene.ends() == [("done", "Sorry, what did you say?")]


def test_unclear_words_that_wait_are_asked_about_in_their_turn(scene: Scene) -> None:
    scene.speak("one")
    scene.speak("", ms=500)
    assert scene.line(Message) == []
    scene.answer("First.")
    scene.hear_all()
    assert scene.line(Message)[-1] == Message("system", said.UNCLEAR)


def make_noise(scene: Scene) -> None:
    """The model begins to answer it, and then it was no words."""
    item = scene.speak()
    response = scene.respond()
    scene.up(protocol.Words(item, ""))
    scene.end(response, "cancelled", "client_cancelled")


def test_noise_upon_noise_is_not_asked_about_for_ever(scene: Scene) -> None:
    for _ in range(2):
        make_noise(scene)
        scene.answer("Sorry, what did you say?")
        scene.hear_all()
    for _ in range(4):
        make_noise(scene)
        assert scene.talk.current is None
    assert len(scene.line(Message)) == 2
    assert [outcome for outcome, _ in scene.ends()] == ["done"] * 6
    assert len(scene.told("notice")) == 2
    scene.speak("add milk")
    scene.answer("Done.")
    scene.hear_all()
    make_noise(scene)
    assert len(scene.line(Message)) == 3


def test_the_model_answers_one_wish_at_a_time_though_it_knows_the_next(scene: Scene) -> None:
    scene.speak("add milk")
    response = scene.respond()
    scene.call_tool(response, "c1")
    scene.end(response)
    scene.speak("and bread")
    scene.tool_answers("c1")
    assert [one.instructions for one in scene.asked] == [
        "",
        f"Be brief.\n\n{said.RULE}\n\n{said.LATER}",
    ]
    scene.answer("Added milk.")
    scene.hear_all()
    assert scene.asked[-1].instructions == ""


def test_a_caller_who_mutes_in_mid_sentence_is_answered(scene: Scene) -> None:
    scene.talk.came(SECOND)
    scene.begin_to_speak()
    scene.later(0.5)
    assert scene.line(deeds.Silence) == []
    scene.later(0.5)
    assert [one.ms for one in scene.line(deeds.Silence)] == [700]
    scene.talk.came(SECOND)
    scene.later(0.5)
    assert len(scene.line(deeds.Silence)) == 1


def test_a_model_that_hears_no_end_of_silence_is_hung_up_on(scene: Scene) -> None:
    scene.begin_to_speak()
    scene.later(6.0)
    assert scene.line(deeds.Leave)
    assert len(scene.of(Recognise)) == 1


# What it costs -----------------------------------------------------------------------------------
def test_each_response_is_charged_also_one_that_was_cancelled(scene: Scene) -> None:
    scene.speak("tell me all")
    response = scene.respond()
    scene.talk_on(response, "one two", 4000)
    scene.play()
    scene.hear(1000)
    scene.begin_to_speak()
    scene.end(response, "cancelled", "client_cancelled")
    charge = scene.deeds(deeds.ChargeResponse)[0]
    assert (charge.usage.audio_out, charge.error) == (15, "client_cancelled")


def test_events_of_other_turns_pass_through(scene: Scene) -> None:
    scene.speak("add milk")
    scene.talk.handle(events.ToolStarted(scene.asked[0].owner, "0:c1", "add_todo"), scene.now)
    assert scene.told("tool")[0]["name"] == "add_todo"
