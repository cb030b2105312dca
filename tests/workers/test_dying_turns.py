"""Whatever point a turn dies at, the next turn's messages and its own resumption are valid."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis as redis_library
from django.contrib.auth import get_user_model
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from tests.workers.test_history import check_valid
from voice.models import Call, Checkpoint, Turn
from workers import checkpoint, steps
from workers.errors import LeaseLost
from workers.history import conversation
from workers.past_turns import earlier_turns
from workers.turn_record import TurnRecord

pytestmark = pytest.mark.service
Act = Callable[[TurnRecord], object]

RESULT = {"status": "ok", "said": "Added.", "summary": "added", "change": 3}
# Rounds of tools, each with some words before it; `ok` of each tool.
rounds = st.lists(
    st.tuples(
        st.sampled_from(["", "One moment."]), st.lists(st.booleans(), min_size=1, max_size=3)
    ),
    max_size=3,
)


def acts_of(script: list[tuple[str, list[bool]]]) -> Iterator[Act]:
    """What a worker writes in this turn, one by one."""
    ordinal = 0
    for words, tools in script:
        # As some models do it, every round uses the same ids.
        calls: list[Any] = [
            {"id": f"c{n}", "name": "add", "args": {"n": n}, "type": "tool_call"}
            for n in range(len(tools))
        ]
        message = AIMessage(words, tool_calls=calls)
        if words:
            yield lambda record, words=words: record.words(words)  # type: ignore[misc]
        yield lambda record, message=message: record.step_ended(message)  # type: ignore[misc]
        for call, ok in zip(calls, tools, strict=True):
            began = steps.ToolBegan(ordinal, call["id"], "add", call["args"])
            ended = steps.ToolEnded(ordinal, call["id"], "add", call["args"], RESULT, ok, 1)
            answer = ToolMessage("{}", tool_call_id=call["id"], name="add")
            ordinal += 1
            yield lambda record, began=began: record.tool_began(began)  # type: ignore[misc]
            yield lambda record, ended=ended: record.tool_ended(ended)  # type: ignore[misc]
            yield lambda record, answer=answer: record.step_ended(answer)  # type: ignore[misc]
    yield lambda record: record.words("Done.")
    yield lambda record: record.step_ended(AIMessage("Done."))
    yield lambda record: record.finished()


def valid_so_far(messages: list[BaseMessage]) -> bool:
    """A model may go on from here, or its last wish for tools be carried out."""
    waiting: set[str] = set()
    for message in messages:
        if isinstance(message, ToolMessage):
            waiting.discard(message.tool_call_id)
        else:
            assert not waiting, "a tool call without its result"
            assert isinstance(message, AIMessage)
            waiting = {str(call["id"]) for call in message.tool_calls}
    return not waiting or checkpoint.waits_for_tools(messages)


@pytest.fixture
def turn_of(transactional_db: None) -> Callable[[], Turn]:
    user = get_user_model().objects.create_user("anna")

    def make() -> Turn:
        call = Call.objects.create(user=user)
        return Turn.objects.create(call=call, number=1, state="waiting", transcript="add it")

    return make


@pytest.mark.parametrize("end", ["dies", "fails", "interrupted"])
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(script=rounds, data=st.data())
def test_a_turn_that_ends_anywhere_leaves_valid_messages(
    turn_of: Callable[[], Turn],
    redis: redis_library.Redis,
    end: str,
    script: list[tuple[str, list[bool]]],
    data: st.DataObject,
) -> None:
    turn = turn_of()
    acts = list(acts_of(script))
    record = claimed(turn, redis)
    for act in acts[: data.draw(st.integers(0, len(acts)), label="dies after")]:
        act(record)
    turn.refresh_from_db()
    running = turn.state == Turn.State.THINKING
    if end == "fails" and running:
        record.failed("model")
    elif end == "interrupted" and running:
        record.interrupted()
    check_next(turn)
    if end == "dies" and running:
        check_resumed(turn, record, redis)
    else:
        assert not Checkpoint.objects.filter(turn=turn).exists()


def check_next(turn: Turn) -> None:
    following = Turn(call_id=turn.call_id, number=2, transcript="and now?")
    messages = conversation(earlier_turns(following, 12), following.transcript)
    check_valid(messages)
    assert [m.text for m in messages if isinstance(m, HumanMessage)] == ["add it", "and now?"]


def check_resumed(turn: Turn, dead: TurnRecord, redis: redis_library.Redis) -> None:
    Turn.objects.filter(pk=turn.pk).update(lease_until=None)
    second = claimed(turn, redis)
    assert valid_so_far(second.resume())
    check_next(turn)
    with pytest.raises(LeaseLost):
        dead.words("late")
    with pytest.raises(LeaseLost):
        dead.failed("late")
    second.failed("model")
    check_next(turn)
    assert not Checkpoint.objects.filter(turn=turn).exists()


def claimed(turn: Turn, redis: redis_library.Redis) -> TurnRecord:
    record = TurnRecord.claim(str(turn.pk), redis, 1500)
    assert record is not None
    return record
