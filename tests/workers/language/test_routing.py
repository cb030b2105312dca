"""Who is asked, what callers hear when that fails, and what is put down about it."""

from __future__ import annotations

import asyncio
from time import monotonic

import pytest
from langchain_core.exceptions import (
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelRateLimitError,
    ModelTimeoutError,
)
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage

from tests.workers.language.fakes import (
    LONG,
    SHORT,
    FakeModel,
    Hang,
    Turn,
    calls,
    ending,
    members,
    model,
    routing,
    spoken,
)
from voice.preferences import Chosen
from workers import steps
from workers.errors import LeaseLost, ModelError
from workers.language import routing as routing_module
from workers.language.asking import Asking
from workers.language.models import Member
from workers.uses import Why


async def ask(
    turn: Turn,
    *ordered: Member,
    seconds: float = LONG,
    local: Member | None = None,
    messages: list[BaseMessage] | None = None,
) -> AIMessage:
    made = routing(*ordered, seconds=seconds, local=local)
    return await made.answer(turn.context, messages or spoken(), [])


def kept(turn: Turn) -> list[tuple[str, str, str]]:
    return [(use.provider, use.why, use.error) for use in turn.uses]


@pytest.fixture(autouse=True)
def without_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routing_module, "RETRY_SECONDS", 0.0)


async def test_the_first_of_the_settings_answers_and_is_put_down_with_what_it_took() -> None:
    turn = Turn()
    answer = await ask(turn, *members(a=model(["Hel", "lo.", ending("stop", (12, 3))]), b=model()))
    assert answer.text == turn.said == "Hello."
    (use,) = turn.uses
    assert (use.provider, use.model, use.why, use.error) == ("a", "fake-1", Why.SERVER, "")
    assert (use.tokens_in, use.tokens_out) == (12, 3)
    assert use.first_ms is not None
    assert use.took_ms >= use.first_ms


async def test_words_are_told_as_they_come() -> None:
    turn = Turn()
    await ask(turn, *members(a=model(["Hel", "lo."])))
    words = [step.text for step in turn.steps if isinstance(step, steps.Words)]
    assert words == ["Hel", "lo."]


@pytest.mark.parametrize("why", [Why.USER, Why.BUSINESS])
async def test_who_was_chosen_is_asked_first(why: str) -> None:
    turn = Turn(chosen=Chosen("b", why))
    await ask(turn, *members(a=model(["A."]), b=model(["B."])))
    assert turn.said == "B."
    assert kept(turn) == [("b", why, "")]


async def test_a_choice_that_is_not_offered_any_more_is_passed_over() -> None:
    turn = Turn(chosen=Chosen("gone", Why.USER))
    await ask(turn, *members(a=model(["A."]), b=model(["B."])))
    assert kept(turn) == [("a", Why.SERVER, "")]


async def test_who_is_offered_besides_answers_those_who_chose_it_and_stands_in_for_nobody() -> None:
    (spare,) = members(spare=model(["Spare."]))
    made = routing(*members(a=model([ModelAuthenticationError()])), spare=spare)
    with pytest.raises(ModelError):
        await made.answer(Turn().context, spoken(), [])
    turn = Turn(chosen=Chosen("spare", Why.USER))
    await made.answer(turn.context, spoken(), [])
    assert kept(turn) == [("spare", Why.USER, "")]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ModelAuthenticationError(), "model_auth"),
        (ModelRateLimitError(), "model_rate"),
        (ModelAPIError(), "model_server"),
        (ModelTimeoutError(), "model_timeout"),
        (ModelConnectionError(), "model_unreached"),
        (ValueError("no JSON"), "model_garbage"),
        (RuntimeError("what is that"), "model"),
    ],
)
async def test_when_one_fails_the_next_answers(error: Exception, code: str) -> None:
    turn = Turn()
    await ask(turn, *members(a=model([error]), b=model(["B."])))
    assert turn.said == "B."
    assert kept(turn) == [("a", Why.SERVER, code), ("b", Why.FALLBACK, "")]


async def test_the_words_of_a_broken_answer_are_dropped_before_the_next_ones() -> None:
    turn = Turn()
    broken = model(["I have ", "added", ModelConnectionError()])
    await ask(turn, *members(a=broken, b=model(["Added milk."])))
    assert turn.said == "Added milk."
    assert kept(turn)[0] == ("a", Why.SERVER, "model_half")
    told = [type(step) for step in turn.steps]
    assert told.index(steps.AnswerDropped) == 2
    assert told.count(steps.AnswerDropped) == 1


async def test_nothing_is_dropped_where_nothing_was_said() -> None:
    turn = Turn()
    await ask(turn, *members(a=model([ModelAPIError()]), b=model(["B."])))
    assert steps.AnswerDropped() not in turn.steps


async def test_an_answer_that_ends_without_a_reason_is_half() -> None:
    turn = Turn()
    remote = Member("a", lambda: model(["I have"]), tells_end=True)
    await ask(turn, remote, *members(b=model(["B."])))
    assert kept(turn)[0][2] == "model_half"
    assert turn.said == "B."


async def test_an_empty_answer_is_garbage() -> None:
    turn = Turn()
    await ask(turn, *members(a=model([" ", ending("stop")]), b=model(["B."])))
    assert kept(turn)[0][2] == "model_garbage"


async def test_a_provider_that_is_too_slow_leaves_time_for_the_next() -> None:
    turn = Turn()
    await ask(turn, *members(a=model(["Well", Hang()]), b=model(["B."])), seconds=SHORT)
    assert kept(turn) == [("a", Why.SERVER, "model_timeout"), ("b", Why.FALLBACK, "")]
    assert turn.said == "B."


async def test_several_slow_ones_share_what_is_left_of_the_turn() -> None:
    turn = Turn(seconds=0.3)
    hanging = [Hang()]
    await ask(turn, *members(a=model(hanging), b=model(hanging), c=model(["C."])))
    assert [use.error for use in turn.uses] == ["model_timeout", "model_timeout", ""]


async def test_when_all_fail_the_turn_hears_the_last_reason() -> None:
    turn = Turn()
    with pytest.raises(ModelError) as caught:
        await ask(turn, *members(a=model([ModelAPIError()]), b=model([ModelRateLimitError()])))
    assert caught.value.code == "model_rate"


async def test_the_only_provider_is_asked_once_more_after_a_passing_failure() -> None:
    turn = Turn()
    await ask(turn, *members(a=model(["Well", ModelAPIError()], ["Hello."])))
    assert turn.said == "Hello."
    assert kept(turn) == [("a", Why.SERVER, "model_server"), ("a", Why.SERVER, "")]


@pytest.mark.parametrize("error", [ModelAuthenticationError(), ModelTimeoutError()])
async def test_the_only_provider_is_not_asked_again_for_the_same_refusal(error: Exception) -> None:
    turn, one = Turn(), model([error], ["Hello."])
    with pytest.raises(ModelError):
        await ask(turn, *members(a=one))
    assert len(one.asked) == 1


async def test_a_dead_provider_costs_its_time_once_and_not_every_turn() -> None:
    dead = model([Hang()])
    made = routing(*members(a=dead, b=model(["B."])), seconds=SHORT)
    for _ in range(3):
        turn = Turn()
        await made.answer(turn.context, spoken(), [])
    assert len(dead.asked) == 1
    assert kept(turn) == [("b", Why.FALLBACK, "")]


async def test_a_provider_that_rests_is_asked_when_nobody_else_can_answer() -> None:
    ill, other = model([ModelTimeoutError()], ["A."]), model(["B."], [ModelAPIError()])
    made = routing(*members(a=ill, b=other))
    await made.answer(Turn().context, spoken(), [])
    turn = Turn()
    await made.answer(turn.context, spoken(), [])
    assert turn.said == "A."


async def test_the_only_provider_answers_the_turn_after_its_failure() -> None:
    made = routing(*members(a=model([ModelTimeoutError()], ["A."])))
    with pytest.raises(ModelError):
        await made.answer(Turn().context, spoken(), [])
    turn = Turn()
    await made.answer(turn.context, spoken(), [])
    assert turn.said == "A."


async def test_after_its_rest_a_provider_gets_a_short_trial_while_another_is_ready(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[float] = []
    real = Asking.run

    async def noted(self: object, *args: object, first_seconds: float, **kwargs: object) -> object:
        asked.append(first_seconds)
        return await real(self, *args, first_seconds=first_seconds, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(Asking, "run", noted)
    first, second = members(a=model(["A."]), b=model(["B."]))
    made = routing(first, second, seconds=9.0)
    first.breaker.failed(0.0, rest_seconds=1.0)
    assert first.breaker.on_trial(monotonic())
    turn = Turn()
    await made.answer(turn.context, spoken(), [])
    await made.answer(turn.context, spoken(), [])
    assert turn.said == "A.A."
    assert asked == [pytest.approx(3.0), pytest.approx(9.0)]


async def test_the_trial_is_for_the_first_piece_alone() -> None:
    one = model(["Slow", Hang()])
    asking = asyncio.create_task(ask(Turn(), *members(a=one), seconds=LONG))
    await asyncio.wait_for(one.hanging.wait(), LONG)
    assert not asking.done()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_a_turn_stays_with_who_began_it() -> None:
    a, b = model([ModelAPIError()], ["A."]), model([calls("add")], ["B."])
    made = routing(*members(a=a, b=b))
    turn, messages = Turn(), spoken()
    wish = await made.answer(turn.context, messages, [])
    messages += [wish, ToolMessage("done", tool_call_id=wish.tool_calls[0]["id"] or "")]
    await made.answer(turn.context, messages, [])
    assert turn.said == "B."
    assert kept(turn)[-1] == ("b", Why.FALLBACK, "")


async def test_another_provider_reads_the_turn_without_its_makers_own_blocks() -> None:
    blocks = AIMessage(
        [{"type": "thinking", "thinking": "hm", "signature": "x"}, {"type": "text", "text": "So"}],
        tool_calls=[{"id": "t1", "name": "add", "args": {"what": "milk"}, "type": "tool_call"}],
        response_metadata={"convonet_asked": "a"},
    )
    messages = [*spoken(), blocks, ToolMessage("done", tool_call_id="t1")]
    a, b = model([ModelAPIError()]), model(["B."])
    await ask(Turn(), *members(a=a, b=b), messages=messages)
    assert a.asked[0][2].content == blocks.content
    read = b.asked[0][2]
    assert isinstance(read, AIMessage)
    assert read.content == "So"
    assert read.tool_calls == blocks.tool_calls


async def test_out_of_memory_is_not_a_reason_to_ask_the_next() -> None:
    turn, other = Turn(), model(["B."])
    with pytest.raises(MemoryError):
        await ask(turn, *members(a=model([MemoryError()]), b=other))
    assert other.asked == []


async def test_a_lost_lease_is_not_a_reason_to_ask_the_next() -> None:
    other = model(["B."])
    with pytest.raises(LeaseLost):
        await ask(Turn(), *members(a=model([LeaseLost()]), b=other))
    assert other.asked == []


@pytest.mark.parametrize("before", [[], ["Hel"]])
async def test_being_stopped_ends_the_question_and_asks_nobody_else(before: list[str]) -> None:
    turn, one, other = Turn(), model([*before, Hang()]), model(["B."])
    asking = asyncio.create_task(ask(turn, *members(a=one, b=other)))
    await asyncio.wait_for(one.hanging.wait(), LONG)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert other.asked == []
    assert [use.error for use in turn.uses] == ["cancelled"]


async def test_being_stopped_does_not_speak_against_the_provider() -> None:
    one = model([Hang()], ["Hello."])
    (member,) = members(a=one)
    asking = asyncio.create_task(ask(Turn(), member))
    await asyncio.wait_for(one.hanging.wait(), LONG)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert member.breaker.allows(monotonic())


async def test_a_model_that_cannot_be_made_is_passed_over() -> None:
    def broken() -> FakeModel:
        raise ImportError("no such SDK")

    turn = Turn()
    await ask(turn, Member("a", broken), *members(b=model(["B."])))
    assert kept(turn) == [("a", Why.SERVER, "model"), ("b", Why.FALLBACK, "")]


async def test_a_failure_is_one_log_line_without_what_was_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    await ask(Turn(), *members(a=model(["Geheim", ValueError("secret")]), b=model(["B."])))
    (line,) = [record for record in caplog.records if record.name == "workers.language"]
    assert line.getMessage() == "language model failed"
    assert (line.__dict__["provider"], line.__dict__["code"]) == ("a", "model_garbage")
    assert line.__dict__["turn_id"] == "turn-1"
    assert "secret" not in str(line.__dict__)
    assert "Geheim" not in str(line.__dict__)
