"""With PREFER_LOCAL, what the grammar is sure of is answered by it, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.exceptions import ModelAPIError
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.tools import StructuredTool

from tests.workers.language.fakes import Turn, members, model, routing, spoken
from workers.language.models import Member
from workers.models_llm.local import LocalCommandModel, is_sure
from workers.uses import Why

NAMES = ("add_todos", "find_todos", "complete_todos", "delete_todos", "change_todo", "end_call")


async def _not_called(**_: Any) -> None:
    raise AssertionError("no tool is called here")


TOOLS = [
    StructuredTool(name=name, description=name, args_schema={}, coroutine=_not_called)
    for name in NAMES
]


def local() -> Member:
    return Member("local", LocalCommandModel)


def sure(words: str) -> bool:
    return is_sure(spoken(words), NAMES)


@pytest.mark.parametrize(
    "words",
    [
        "Add buy milk for tomorrow at five",
        "What is on my list today?",
        "Please mark the dentist as done",
        "Delete the grocery shopping todo",
        "What time is it?",
        "Thank you",
        "Goodbye",
    ],
)
def test_commands_and_courtesies_are_sure(words: str) -> None:
    assert sure(words)


@pytest.mark.parametrize(
    "words",
    [
        "",
        "What will the weather be tomorrow?",
        "Send an email to Anna",
        "Buy milk",
        "Flibber the gronk",
        "Add milk, no wait, make that oat milk",
        "Delete everything except the dentist",
        "Move it if it rains tomorrow",
        "Add the thing that Anna told me about when we met for lunch at the harbour on Sunday",
    ],
)
def test_guesses_and_what_it_cannot_do_are_not_sure(words: str) -> None:
    assert not sure(words)


def test_without_the_tool_it_is_not_sure() -> None:
    assert not is_sure(spoken("Add buy milk"), ["find_todos"])


async def test_what_is_sure_is_answered_without_asking_anybody() -> None:
    remote, turn = model(["A."]), Turn()
    made = routing(*members(a=remote), local=local())
    answer = await made.answer(turn.context, spoken("Add buy milk"), TOOLS)
    assert [call["name"] for call in answer.tool_calls] == ["add_todos"]
    assert remote.asked == []
    assert [(use.provider, use.model, use.why) for use in turn.uses] == [("local", "", Why.SURE)]


async def test_a_turn_begun_by_the_grammar_is_ended_by_it() -> None:
    remote, turn = model(["A."]), Turn()
    made = routing(*members(a=remote), local=local())
    messages: list[BaseMessage] = spoken("Add buy milk")
    wish = await made.answer(turn.context, messages, TOOLS)
    result = '{"status": "ok", "said": "Added buy milk."}'
    messages += [wish, ToolMessage(result, tool_call_id=wish.tool_calls[0]["id"] or "")]
    answer = await made.answer(turn.context, messages, TOOLS)
    assert answer.text == "Added buy milk."
    assert remote.asked == []
    assert turn.uses[-1].why == Why.SURE


async def test_the_rest_goes_to_the_model() -> None:
    turn = Turn()
    made = routing(*members(a=model(["A."])), local=local())
    await made.answer(turn.context, spoken("Tell me a joke"), TOOLS)
    assert [(use.provider, use.why) for use in turn.uses] == [("a", Why.SERVER)]


async def test_a_turn_begun_by_a_model_stays_with_it_though_the_grammar_is_sure() -> None:
    begun = AIMessage(
        "",
        tool_calls=[{"id": "t1", "name": "find_todos", "args": {}, "type": "tool_call"}],
        response_metadata={"convonet_asked": "a"},
    )
    messages = [*spoken("Add buy milk"), begun, ToolMessage("{}", tool_call_id="t1")]
    turn = Turn()
    await routing(*members(a=model(["A."])), local=local()).answer(turn.context, messages, TOOLS)
    assert turn.said == "A."


async def test_it_knows_no_other_language_than_english() -> None:
    turn = Turn(language="de")
    made = routing(*members(a=model(["A."])), local=local())
    await made.answer(turn.context, spoken("Add buy milk"), TOOLS)
    assert turn.said == "A."


async def test_without_the_preference_it_answers_only_in_its_place() -> None:
    turn = Turn()
    made = routing(*members(a=model([ModelAPIError()])), local())
    answer = await made.answer(turn.context, spoken("Add buy milk"), TOOLS)
    assert answer.tool_calls
    assert [(use.provider, use.why) for use in turn.uses] == [
        ("a", Why.SERVER),
        ("local", Why.FALLBACK),
    ]
