"""A running call and a service that speaks the published events: what passes between the two."""

from __future__ import annotations

import hashlib
import logging

import pytest

from tests.voice.realtime.world import FRAME, QUIET, SPEECH, Caller, calling
from voice.audio import PHONE
from voice.realtime import said, storing

UNDERSTOOD = "Add milk to my list."
LONG = " ".join(f"This is sentence number {n}." for n in range(60))
pytestmark = pytest.mark.usefixtures("unhurried")


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Callers speak faster than anybody can."""
    monkeypatch.setattr("voice.limits.BURST_MS", 10**9)
    monkeypatch.setattr("voice.realtime.outgoing.AUDIO_MS", 10**6)
    monkeypatch.setattr("voice.realtime.joining.FIRST_WAIT_SECONDS", 0.0)
    monkeypatch.setattr("voice.upstream.FIRST_WAIT_SECONDS", 0.0)


def answering(caller: Caller, *replies: object, to: str = UNDERSTOOD) -> None:
    desk = caller.service.desk
    desk.heard, desk.speed, desk.transcript_wait = UNDERSTOOD, 1000.0, 0.0
    desk.scripts = {to: list(replies)}  # type: ignore[arg-type]


async def test_a_caller_is_answered_and_the_audio_is_untouched_both_ways() -> None:
    async with calling() as caller:
        answering(caller, {"say": "I added milk."})
        await caller.on_line()
        caller.say(SPEECH + QUIET)
        await caller.ended(1)
        (visit,) = caller.service.visits
        before = visit.appended_bytes - len(SPEECH + QUIET)
        whole = QUIET[:before] + SPEECH + QUIET
        assert visit.appended_sha256 == hashlib.sha256(whole).hexdigest()
        assert caller.world.ends == [("I added milk.", "done", "I added milk.")]
        (audio,) = caller.heard.values()
        assert hashlib.sha256(audio).hexdigest() == visit.responses[0].sha256
        assert caller.told("transcript")[-1]["text"] == UNDERSTOOD
        assert visit.errors == []


async def test_a_tool_is_run_by_a_worker_and_its_answer_goes_to_the_model() -> None:
    async with calling() as caller:
        answering(caller, {"tools": [["add_todo", {"title": "milk"}]]}, {"say": "Added milk."})
        await caller.on_line()
        caller.say(SPEECH + QUIET)
        await caller.ended(1)
        ((turn_id, call_id),) = caller.world.requests
        assert caller.world.requests[turn_id, call_id] == (0, "add_todo", '{"title": "milk"}')
        assert caller.service.visits[0].outputs == {call_id: "Added."}
        assert caller.world.ends == [("Added milk.", "done", "Added milk.")]


async def test_speech_over_a_reply_stops_it_and_the_model_knows_what_was_heard() -> None:
    async with calling() as caller:
        answering(caller, {"say": LONG, "ms": 20_000})
        caller.service.desk.speed = 10.0
        caller.deaf = True
        await caller.on_line()
        caller.write(UNDERSTOOD)
        await caller.world.until(lambda: caller.heard and len(*caller.heard.values()) >= 8000)
        (number,) = caller.heard
        caller.hear(number, 700)
        caller.service.desk.transcripts = ["Stop."]
        caller.service.desk.scripts = {"Stop.": [{"say": "All right."}]}
        caller.deaf = False
        caller.say(SPEECH + QUIET)
        await caller.ended(2)
        assert caller.late_bytes == 0
        (visit,) = caller.service.visits
        first, second = visit.responses[0], visit.responses[-1]
        assert (first.status, first.reason) == ("cancelled", "client_cancelled")
        assert first.late_bytes > 0, "a delta came behind its end"
        cut = next(item for item in visit.items if item.id == first.item_id)
        assert cut.truncated_ms == 700
        assert caller.world.ends[0][1] == "interrupted"
        assert caller.world.ends[1] == ("All right.", "done", "All right.")
        assert second.status == "completed"
        assert visit.errors == []


async def test_a_reply_faster_than_redis_holds_the_service_up_and_loses_nothing() -> None:
    async with calling() as caller:
        answering(caller, {"say": LONG, "ms": 120_000})
        caller.service.desk.speed = 100_000.0
        await caller.on_line()
        caller.world.room.clear()
        caller.write(UNDERSTOOD)
        tally = caller.session._talk._bridge._storing.tally  # type: ignore[union-attr]
        await caller.until(lambda: tally.full)
        caller.world.room.set()
        await caller.ended(1)
        (said_,) = caller.service.visits[0].responses
        (audio,) = caller.heard.values()
        assert len(audio) == PHONE.bytes_of(120_000)
        assert hashlib.sha256(audio).hexdigest() == said_.sha256
        # What was let in, and one message more.
        assert tally.most_waiting_bytes <= storing.MOST_BYTES + 64 * 1024


async def test_a_loss_in_mid_sentence_is_apologised_for_and_the_model_comes_back() -> None:
    async with calling() as caller:
        answering(caller, {"say": "One two three four five.", "ms": 3000, "cut_at_ms": 1000})
        await caller.on_line()
        caller.say(SPEECH + QUIET)
        await caller.ended(1)
        reply, outcome, heard = caller.world.ends[0]
        assert outcome == "failed"
        assert heard == reply
        assert "One two three four five.".startswith(heard.split()[0])
        await caller.world.until(lambda: said.BROKE_OFF in caller.world.sentences.values())
        caller.world.history = [{"role": "user", "text": UNDERSTOOD}]
        await caller.on_line(sockets=2)
        caller.service.desk.scripts = {UNDERSTOOD: [{"say": "I am back."}]}
        caller.say(SPEECH + QUIET)
        await caller.ended(2)
        assert caller.world.ends[-1][:2] == ("I am back.", "done")
        second = caller.service.visits[1]
        assert [item.text for item in second.items][:1] == [UNDERSTOOD]
        assert caller.world.tasks("run_turn") == []


async def test_what_the_service_took_and_did_not_answer_is_answered_by_workers() -> None:
    async with calling() as caller:
        answering(caller, {"say": "Too late.", "wait": 3600})
        caller.service.desk.transcript_wait = 3600
        await caller.on_line()
        caller.say(SPEECH + QUIET)
        visit = caller.service.visits[0]
        await caller.service.until(lambda: bool(visit.events.get("response.create")))
        caller.service.desk.refuse = 1000
        caller.service.cut()
        await caller.ended(1)
        (utterance,) = caller.world.utterances
        assert caller.world.tasks("transcribe") == [[utterance, caller.session.id]]
        assert len(caller.world.tasks("run_turn")) == 1
        assert caller.world.ends == [("From a worker.", "done", "From a worker.")]
        # What is kept of it is speech, and all of it.
        assert len(caller.world.utterances[utterance]) >= len(SPEECH) // 2


@pytest.mark.parametrize("status", [0, 401, 429, 503])
async def test_a_service_that_refuses_leaves_the_call_to_our_own_parts(status: int) -> None:
    async with calling() as caller:
        caller.service.desk.refuse, caller.service.desk.refuse_status = 1000, status
        caller.write("add milk")
        await caller.ended(1)
        assert caller.world.ends == [("From a worker.", "done", "From a worker.")]


async def test_a_service_that_says_nothing_leaves_the_call_to_our_own_parts() -> None:
    async with calling() as caller:
        caller.service.desk.silent = True
        caller.say(SPEECH + QUIET)
        await caller.ended(1)
        assert caller.world.ends == [("From a worker.", "done", "From a worker.")]


async def test_a_session_at_its_end_is_followed_by_another() -> None:
    async with calling() as caller:
        answering(caller, {"say": "Hello."})
        await caller.on_line()
        await caller.service.expire()
        await caller.on_line(sockets=2)
        caller.say(SPEECH + QUIET)
        await caller.ended(1)
        assert caller.world.ends[0][:2] == ("Hello.", "done")


async def test_words_that_were_not_understood_are_asked_for_again() -> None:
    async with calling() as caller:
        answering(caller, {"say": "I deleted all."}, {"say": "What was that?"}, to="")
        caller.service.desk.transcripts = [""]
        await caller.on_line()
        caller.say(SPEECH + QUIET)
        await caller.ended(1)
        assert caller.world.ends == [("What was that?", "done", "What was that?")]
        systems = [i.text for i in caller.service.visits[0].items if i.role == "system"]
        assert systems == [said.UNCLEAR]


async def test_a_caller_who_mutes_in_mid_sentence_is_heard_to_there() -> None:
    async with calling() as caller:
        answering(caller, {"say": "I added milk."})
        await caller.on_line()
        half = len(SPEECH) // 2 // FRAME * FRAME
        caller.say(SPEECH[:half])

        def over() -> bool:
            caller.world.tick(0.0)
            return bool(caller.world.ends)

        await caller.until(over)
        assert caller.world.ends == [("I added milk.", "done", "I added milk.")]


async def test_a_caller_who_hangs_up_at_once_still_gets_it_done() -> None:
    async with calling() as caller:
        answering(caller, {"say": "Too late.", "wait": 3600})
        await caller.on_line()
        caller.say(SPEECH + QUIET)
        visit = caller.service.visits[0]
        await caller.service.until(lambda: bool(visit.events.get("response.create")))
    assert len(caller.world.tasks("run_turn")) == 1


async def test_no_key_and_no_word_of_a_caller_is_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    async with calling() as caller:
        answering(caller, {"say": "I added milk."})
        caller.service.desk.refuse = 1
        await caller.on_line()
        caller.say(SPEECH + QUIET)
        await caller.ended(1)
    ours = [r for r in caplog.records if r.name.startswith(("voice", "websockets.upstream"))]
    assert ours
    text = "\n".join(f"{record.getMessage()} {record.__dict__}" for record in ours)
    assert "milk" not in text
    assert "key-of" not in text
    assert len(QUIET[:FRAME]) == FRAME
