"""What the grammar is sure of, and that it hands over what turns out not to be found."""

from __future__ import annotations

import json

import pytest
from langchain_core.messages import BaseMessage, ToolMessage

from tests.commands.test_phrases import DATA
from tests.workers.language.fakes import Piece, Turn, members, model, routing, spoken
from tests.workers.language.test_prefer_local import TOOLS
from todo.tools.catalogue import BY_NAME
from workers.language.models import Member
from workers.models_llm.local import LocalCommandModel, is_sure
from workers.uses import Why

NO_SUCH = {"status": "nothing", "said": "I found no todo like that."}
NEAR = {"status": "ask", "said": "Did you mean return the library books?"}
WHICH = {"status": "ask", "said": "Which one do you mean: the lease or the party?"}
DONE = {"status": "ok", "said": "Done: call the plumber."}


@pytest.mark.parametrize(
    "words",
    [
        "I called the plumber, you can tick that off.",  # a remark with its command
        "We are out of milk.",
        "I want to run every Tuesday.",
        "At buy milk.",  # put right before it was understood
        "Dentist tomorrow at nine.",
        "Add salt and vinegar crisps and dips to the shopping list.",  # one, or two, or three
        "Finish the fence and then the gate.",
    ],
)
def test_what_could_mean_something_else_is_not_sure(words: str) -> None:
    assert not is_sure(spoken(words), list(BY_NAME))


def test_most_plain_commands_are_sure() -> None:
    said = [row["say"] for row in DATA["acting"]]
    share = sum(is_sure(spoken(words), list(BY_NAME)) for words in said) / len(said)
    assert share > 0.75


def test_chatter_is_never_acted_on_for_sure() -> None:
    for words in DATA["not_acting"]:
        message = LocalCommandModel().invoke(spoken(words))
        assert not message.tool_calls or not is_sure(spoken(words), list(BY_NAME))


async def second_answer(result: dict[str, str], *script: Piece) -> Turn:
    """What is asked, and said, after the grammar's tool call got that result."""
    turn = Turn()
    made = routing(
        *members(a=model(script or ["Let me see."])), local=Member("local", LocalCommandModel)
    )
    messages: list[BaseMessage] = spoken("Mark the plumber as done")
    wish = await made.answer(turn.context, messages, TOOLS)
    messages += [wish, ToolMessage(json.dumps(result), tool_call_id=wish.tool_calls[0]["id"] or "")]
    await made.answer(turn.context, messages, TOOLS)
    return turn


@pytest.mark.parametrize("result", [NO_SUCH, NEAR])
async def test_what_was_not_found_goes_on_to_the_model(result: dict[str, str]) -> None:
    turn = await second_answer(result)
    assert turn.said == "Let me see."
    assert [(use.provider, use.why) for use in turn.uses] == [
        ("local", Why.SURE),
        ("a", Why.SERVER),
    ]


@pytest.mark.parametrize("result", [DONE, WHICH])
async def test_what_was_done_or_is_asked_needs_no_model(result: dict[str, str]) -> None:
    turn = await second_answer(result)
    assert turn.said == result["said"]
    assert {use.why for use in turn.uses} == {Why.SURE}


async def test_when_the_model_fails_the_grammar_says_what_its_tool_said() -> None:
    turn = await second_answer(NO_SUCH, ConnectionError())
    assert turn.said == NO_SUCH["said"]
    assert turn.uses[-1].why == Why.FALLBACK
