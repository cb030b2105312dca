"""Who is connected with a person by the local grammar, who ends the call, and who does neither."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from tests.workers.models_llm.test_local import TOOLS, calls, used
from workers.models_llm import replies
from workers.models_llm.local import LocalCommandModel, is_sure

TOOL = "transfer_to_person"
ON_THE_PHONE = [*TOOLS, TOOL]


def reply(*messages: BaseMessage, tools: list[str] = ON_THE_PHONE) -> AIMessage:
    return LocalCommandModel().bind_tools([{"name": name} for name in tools]).invoke(list(messages))


def wish(words: str) -> tuple[str, str] | None:
    """(who, why) of the one call it makes."""
    made = calls(reply(HumanMessage(words)))
    if [name for name, _ in made] != [TOOL]:
        return None
    return made[0][1].get("department", ""), made[0][1]["reason"]


@pytest.mark.parametrize(
    ("words", "who"),
    [
        ("Connect me with sales.", "sales"),
        ("Please connect me to the sales department.", "the sales department"),
        ("Can you put me through to support, please?", "support"),
        ("Transfer me to billing", "billing"),
        ("Could you transfer me to Mr. Smith?", "Mr Smith"),
        ("Can I speak to Anna?", "Anna"),
        ("Hello, may I please speak with Anna Schmidt?", "Anna Schmidt"),
        ("I'd like to talk to somebody from sales", "somebody from sales"),
        ("I would like to speak with technical support, please.", "technical support"),
        ("I want to talk to Anna", "Anna"),
        ("Let me talk to your manager", "your manager"),
        ("I need to speak to someone in accounting", "someone in accounting"),
    ],
)
def test_a_department_or_a_person_is_asked_for(words: str, who: str) -> None:
    assert wish(words) == (who, "")


@pytest.mark.parametrize(
    "words",
    [
        "I want to talk to a person.",
        "I want to speak to a real human being",
        "Can I talk to somebody?",
        "Can I speak with a human, please?",
        "Give me a real person",
        "I need an operator",
        "Operator!",
        "Representative, please.",
        "Is there anybody I can talk to?",
        "Connect me, please.",
        "Put me through",
        "I need to talk to someone",
    ],
)
def test_somebody_is_asked_for(words: str) -> None:
    found = wish(words)
    assert found is not None
    who, why = found
    # What is left of it names nobody: `phone.directory` offers them all.
    assert who in ("", "a person", "somebody", "a human", "someone", "a real human being")
    assert why == ""


@pytest.mark.parametrize(
    ("words", "who", "why"),
    [
        ("Can I speak to Anna about my broken gate?", "Anna", "my broken gate"),
        ("Connect me with sales because my order is wrong.", "sales", "my order is wrong"),
        ("I want to talk to billing regarding the last invoice", "billing", "the last invoice"),
    ],
)
def test_what_it_is_about_is_told(words: str, who: str, why: str) -> None:
    assert wish(words) == (who, why)


@pytest.mark.parametrize(
    "words",
    [
        "Add a todo to call my travel agent.",
        "Add call the agent about the transfer to my list",
        "Remind me tomorrow at five to talk to sales",
        "Add talk to a person at the bank",
        "Transfer the dentist to Friday",
        "Move talk to Anna to Monday",
        "Add connect the printer with the computer",
        "I have to talk to Anna tomorrow at five",
        "I want to talk to Anna tomorrow at five",
        "Remind me in two hours to connect with support",
        "Can I talk to you?",
        "Mark call the operator as done",
        "What do I have to ask the sales department?",
        "Add transfer money to the operator account",
        "Add put me through my paces",
        "Is the talk with the agent today?",
        "Buy a ticket for somebody else",
    ],
)
def test_a_word_for_a_person_in_a_request_connects_nobody(words: str) -> None:
    assert TOOL not in [name for name, _ in calls(reply(HumanMessage(words)))]


def test_it_is_sure_of_who_is_asked_for() -> None:
    assert is_sure([HumanMessage("Connect me with sales.")], ON_THE_PHONE)
    assert is_sure([HumanMessage("I want to talk to a person.")], ON_THE_PHONE)


def test_another_command_comes_first() -> None:
    said = HumanMessage("Add milk to my list and connect me with sales")
    done = {"status": "ok", "said": "Added milk."}
    assert [name for name, _ in calls(reply(said))] == ["add_todos"]
    then = reply(said, *used("add_todos", {}, done))
    assert calls(then) == [(TOOL, {"department": "sales", "reason": ""})]


def test_where_nobody_is_connected_it_says_so() -> None:
    said = reply(HumanMessage("Connect me with sales"), tools=TOOLS)
    assert said.tool_calls == []
    assert said.text == replies.NOT_CONNECTED


# With whom ------------------------------------------------------------------------------------


def asked(*choices: str) -> list[BaseMessage]:
    question = {"status": "ask", "said": "With whom?", "choices": list(choices)}
    arguments: dict[str, Any] = {"reason": "a broken gate"}
    return [
        HumanMessage("I want to talk to a person about a broken gate"),
        *used(TOOL, arguments, question),
        AIMessage("With whom?"),
    ]


@pytest.mark.parametrize(
    ("words", "who"),
    [
        ("Sales.", "Sales"),
        ("Sales, please.", "Sales"),
        ("with support", "support"),
        ("I'd like sales", "sales"),
        ("the second one", "Support"),
        ("The last one, please.", "Support"),
        ("Anna", "Anna"),
    ],
)
def test_the_one_named_then_is_connected_and_told_why(words: str, who: str) -> None:
    message = reply(*asked("Sales", "Support"), HumanMessage(words))
    assert calls(message) == [(TOOL, {"department": who, "reason": "a broken gate"})]


def test_yes_takes_the_only_one_offered() -> None:
    message = reply(*asked("Sales"), HumanMessage("Yes, please."))
    assert calls(message) == [(TOOL, {"department": "Sales", "reason": "a broken gate"})]


@pytest.mark.parametrize("words", ["No.", "never mind", "Nobody, thanks."])
def test_no_connects_nobody(words: str) -> None:
    message = reply(*asked("Sales", "Support"), HumanMessage(words))
    assert (message.tool_calls, message.text) == ([], replies.LEFT_ALONE)


def test_another_command_is_not_taken_for_a_name() -> None:
    message = reply(*asked("Sales", "Support"), HumanMessage("what is overdue"))
    assert calls(message) == [("find_todos", {"when": "overdue"})]


# Waiting --------------------------------------------------------------------------------------


def connecting(**more: Any) -> list[BaseMessage]:
    wanted = {"status": "ok", "said": "I connect you with Sales now.", "ends_call": True, **more}
    return [
        HumanMessage("connect me with sales"),
        *used(TOOL, {"department": "sales", "reason": ""}, wanted),
        AIMessage("I connect you"),
    ]


@pytest.mark.parametrize("words", ["Okay, thank you.", "thanks", "Great!"])
def test_thanks_over_the_sentence_is_answered_by_it(words: str) -> None:
    message = reply(*connecting(), HumanMessage(words))
    assert (message.tool_calls, message.text) == ([], replies.CONNECTING)


def test_thanks_after_a_missed_transfer_is_only_thanks() -> None:
    missed = connecting(outcome="Nobody in Sales answered.")
    assert reply(*missed, HumanMessage("thanks")).text == replies.THANKS


# The end --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        "Goodbye.",
        "Bye bye!",
        "That's all, thank you.",
        "That's it for today, bye.",
        "Hang up.",
        "Please hang up now.",
        "Thank you, goodbye.",
        "I'm done, thanks.",
        "No, that's all.",
        "End the call",
    ],
)
def test_a_goodbye_ends_the_call(words: str) -> None:
    assert calls(reply(HumanMessage(words))) == [("end_call", {})]


@pytest.mark.parametrize(
    "words",
    [
        "Mark the report as done.",
        "Mark the report todo as done",
        "Add say thanks to Anna.",
        "Buy goodbye card",
        "Add buy a goodbye card for Ben",
        "Remind me to say bye to Tom tomorrow at five",
        "Add hang up the laundry",
        "Add hang up the picture tomorrow",
        "Is the dentist done?",
        "What have I finished today?",
        "Add finish the report, that's all of chapter two",
        "Thanks, and add milk",
        "Rename good night story to bedtime story",
        "Add that's all folks to the movie list",
        "What is done?",
        "Thank you.",
        "Done.",
    ],
)
def test_a_word_of_goodbye_in_a_request_ends_nothing(words: str) -> None:
    assert "end_call" not in [name for name, _ in calls(reply(HumanMessage(words)))]
