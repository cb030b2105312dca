"""A turn through a real worker, broker, database and tool server."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis as redis_library
from django.utils import timezone

from tests.stack import wait_until
from tests.workers.conftest import Caller
from tests.workers.processes import Worker
from voice import keys
from voice.events import (
    ReplyDelta,
    SentenceReady,
    ToolFinished,
    ToolStarted,
    TurnFinished,
    TurnStarted,
)
from voice.models import Turn

pytestmark = pytest.mark.service

ADD_MILK: list[dict[str, Any]] = [
    {"say": "One moment.", "tools": [["add", {"what": "milk"}], ["add", {"what": "bread"}]]},
    {"say": "Added milk and bread. Anything else?"},
]


def test_a_turn_is_told_step_by_step_spoken_and_written(
    agent: Worker, caller: Caller, redis: redis_library.Redis
) -> None:
    turn = caller.say(ADD_MILK)
    ended = caller.finish(turn)
    events = caller.events()
    kinds = [type(event) for event in events]
    assert kinds[0] is TurnStarted
    assert kinds[-1] is TurnFinished
    said = "".join(event.text for event in events if isinstance(event, ReplyDelta))
    assert said == ended.reply == "One moment. Added milk and bread. Anything else?"
    assert [(e.seq, e.text) for e in events if isinstance(e, SentenceReady)] == [
        (0, "One moment."),
        (1, "Added milk and bread."),
        (2, "Anything else?"),
    ]
    assert kinds.index(SentenceReady) < kinds.index(ToolStarted) < kinds.index(ToolFinished)
    finished = [event for event in events if isinstance(event, ToolFinished)]
    assert [(e.ok, e.summary, e.change_id, e.todo_ids) for e in finished] == [
        (True, "added: milk", 7, [4]),
        (True, "added: bread", 7, [4]),
    ]
    assert ended.sentences == 3
    assert ended.provider == "ScriptedModel"
    assert not ended.end_call
    spoken = redis.hgetall(keys.reply_text(str(turn.pk)))
    assert spoken == {
        b"call": str(caller.call.pk).encode(),
        b"format": b"pcm16/16000",
        b"0": b"One moment.",
        b"1": b"Added milk and bread.",
        b"2": b"Anything else?",
    }
    assert 0 < redis.ttl(keys.reply_text(str(turn.pk))) <= keys.AUDIO_SECONDS
    assert redis.llen("speech") == 3


def test_a_turns_row_tells_what_happened(agent: Worker, caller: Caller) -> None:
    turn = caller.say(ADD_MILK)
    caller.finish(turn)
    assert turn.state == Turn.State.SPEAKING
    assert turn.reply == "One moment. Added milk and bread. Anything else?"
    assert turn.model_name == "ScriptedModel"
    assert turn.attempts == 1
    assert turn.first_token_ms is not None
    rows = list(turn.tool_calls.all())
    assert [(row.name, row.arguments, row.ok, row.summary) for row in rows] == [
        ("add", {"what": "milk"}, True, "added: milk"),
        ("add", {"what": "bread"}, True, "added: bread"),
    ]
    assert rows[0].result
    assert rows[0].result["said"] == "Added milk."
    assert f"turn_id={turn.pk} ended=well" in agent.output


def test_the_next_turn_knows_the_one_before(agent: Worker, caller: Caller) -> None:
    caller.finish(caller.say(ADD_MILK))
    # The script of the second turn counts answers from its own words on, past the first turn's.
    assert caller.finish(caller.say([{"say": "Still here."}])).reply == "Still here."


def test_saying_goodbye_ends_the_call(agent: Worker, caller: Caller) -> None:
    turn = caller.say([{"tools": [["end_call", {}]]}, {"say": ""}])
    ended = caller.finish(turn)
    assert ended.end_call
    assert ended.reply == "Goodbye."


def test_a_refusal_is_a_result_and_not_a_failure(agent: Worker, caller: Caller) -> None:
    turn = caller.say([{"tools": [["refuse", {}]]}, {"say": "I may not do that."}])
    assert caller.finish(turn).reply == "I may not do that."
    assert [row.ok for row in turn.tool_calls.all()] == [False]


def test_a_tool_that_does_not_exist_is_told_to_the_model(agent: Worker, caller: Caller) -> None:
    turn = caller.say([{"tools": [["fly", {}]]}, {"say": "I cannot fly."}])
    assert caller.finish(turn).reply == "I cannot fly."


def test_a_finished_turn_delivered_again_does_nothing(agent: Worker, caller: Caller) -> None:
    turn = caller.say([{"say": "Hello."}])
    caller.finish(turn)
    for state in (Turn.State.DONE, Turn.State.INTERRUPTED, Turn.State.FAILED):
        Turn.objects.filter(pk=turn.pk).update(state=state)
        before = len(caller.events())
        caller.queue("run_turn", str(turn.pk))
        caller.rest()
        events = [e for e in caller.events()[before:] if getattr(e, "turn_id", "") == str(turn.pk)]
        assert events == []
        turn.refresh_from_db()
        assert (turn.state, turn.attempts) == (state, 1)


@pytest.mark.parametrize("state", [Turn.State.SPEAKING, Turn.State.FAILED])
def test_a_turn_whose_end_was_perhaps_not_told_is_told_again_without_running(
    agent: Worker, caller: Caller, state: Turn.State
) -> None:
    script = ADD_MILK if state == Turn.State.SPEAKING else [{"raise": "secret words"}]
    turn = caller.say(script)
    ended = caller.wait_ended(turn)
    wait_until(lambda: not held(turn), 60, "the worker lets go")
    before = len(caller.events())
    # As its worker leaves it that dies after the last write.
    Turn.objects.filter(pk=turn.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    caller.queue("run_turn", str(turn.pk))
    wait_until(lambda: not held(turn), 60, "the end is told again")
    caller.queue("run_turn", str(turn.pk))
    caller.rest()
    again = [e for e in caller.events()[before:] if getattr(e, "turn_id", "") == str(turn.pk)]
    assert again == [ended]


def over(turn: Turn) -> bool:
    turn.refresh_from_db()
    return turn.state not in (Turn.State.WAITING, Turn.State.THINKING)


def held(turn: Turn) -> bool:
    turn.refresh_from_db()
    return turn.lease_until is not None


def test_an_interruption_ends_the_turn_between_steps(
    agent: Worker,
    caller: Caller,
    redis: redis_library.Redis,
    tmp_path: Path,
) -> None:
    go = tmp_path / "go"
    turn = caller.say(
        [
            {"say": "Let me see.", "until": str(go), "tools": [["add", {"what": "milk"}]]},
            {"say": "Added."},
        ]
    )
    caller.wait_for(ReplyDelta, turn)
    redis.set(keys.cancelled(str(turn.pk)), 1, ex=60)
    wait_until(lambda: over(turn), 60, "the turn is over")
    go.touch()
    assert turn.state == Turn.State.INTERRUPTED
    assert turn.reply.startswith("Let me")
    assert not turn.tool_calls.exists()


def test_a_turn_cancelled_before_it_starts_is_not_run(
    agent: Worker, caller: Caller, redis: redis_library.Redis
) -> None:
    turn = Turn.objects.create(
        call=caller.call, number=1, state=Turn.State.WAITING, transcript='[{"say": "x"}]'
    )
    redis.set(keys.cancelled(str(turn.pk)), 1, ex=60)
    caller.queue("run_turn", str(turn.pk))
    wait_until(lambda: over(turn), 60, "the turn is over")
    assert turn.state == Turn.State.INTERRUPTED
    assert not [e for e in caller.events() if getattr(e, "turn_id", "") == str(turn.pk)]
