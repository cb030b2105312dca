"""The key-less model behind LangChain's interface: calls, answers, state from messages alone."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from time import process_time
from typing import Any

import pytest
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)

from workers.models_llm import replies
from workers.models_llm.local import LocalCommandModel, respond

TOOLS = [
    "add_todos",
    "find_todos",
    "change_todo",
    "complete_todos",
    "reopen_todo",
    "delete_todos",
    "create_list",
    "delete_list",
    "show_lists",
    "add_reminder",
    "find_reminders",
    "cancel_reminders",
    "undo_last_change",
    "answer_question",
    "end_call",
]


def reply(*messages: BaseMessage, tools: list[str] | None = None) -> AIMessage:
    names = TOOLS if tools is None else tools
    return LocalCommandModel().bind_tools([{"name": name} for name in names]).invoke(list(messages))


def used(name: str, args: dict[str, Any], result: Any, key: str = "a") -> list[BaseMessage]:
    call = {"name": name, "args": args, "id": key, "type": "tool_call"}
    content = result if isinstance(result, str) else json.dumps(result)
    return [AIMessage("", tool_calls=[call]), ToolMessage(content, tool_call_id=key, name=name)]


def calls(message: AIMessage) -> list[tuple[str, dict[str, Any]]]:
    return [(call["name"], call["args"]) for call in message.tool_calls]


OK = {"status": "ok", "said": "Added milk."}
WHICH: dict[str, Any] = {
    "status": "ask",
    "said": "Which one: 1, the dentist, or 2, the bank?",
    "question": {"id": "q7", "kind": "which", "options": []},
}
CONFIRM: dict[str, Any] = {
    "status": "ask",
    "said": "Shall I delete three todos?",
    "question": {"id": "q8", "kind": "confirm", "options": []},
}


def test_says_what_the_tool_said() -> None:
    message = reply(HumanMessage("add milk"), *used("add_todos", {}, OK))
    assert message.text == "Added milk."
    assert message.tool_calls == []


def test_does_not_claim_success_when_the_tool_gave_no_answer() -> None:
    for broken in ("Error: boom", "[1, 2]", '{"status": "failed"}'):
        message = reply(HumanMessage("add milk"), *used("add_todos", {}, broken))
        assert message.text == replies.TOOL_FAILED


def test_calls_no_tool_that_is_not_bound() -> None:
    message = reply(HumanMessage("add milk"), tools=["find_todos"])
    assert message.tool_calls == []
    assert message.text == replies.NO_TOOL


def test_the_same_messages_give_the_same_calls_and_ids() -> None:
    first, second = (reply(HumanMessage("add milk")) for _ in range(2))
    assert first.tool_calls == second.tool_calls


def test_two_commands_are_called_side_by_side() -> None:
    message = reply(HumanMessage("add milk and remind me at five to call mum"))
    assert [name for name, _ in calls(message)] == ["add_todos", "add_reminder"]
    assert len({call["id"] for call in message.tool_calls}) == 2


def test_a_command_about_the_one_before_waits_for_it() -> None:
    said = HumanMessage("add milk and mark it as done")
    first = reply(said)
    assert [name for name, _ in calls(first)] == ["add_todos"]
    second = reply(said, *used("add_todos", {}, OK))
    assert calls(second) == [("complete_todos", {"which": "last"})]


def test_a_question_stops_the_commands_after_it() -> None:
    message = reply(HumanMessage("delete it and hang up"), *used("delete_todos", {}, WHICH))
    assert message.tool_calls == []
    assert message.text == WHICH["said"]


def test_yes_answers_the_question_of_the_turn_before() -> None:
    before = [HumanMessage("delete everything"), *used("delete_todos", {}, CONFIRM)]
    message = reply(*before, AIMessage("Shall I delete three todos?"), HumanMessage("Yes, please."))
    assert calls(message) == [("answer_question", {"answer": "yes", "question": "q8"})]


def test_no_answers_it_too() -> None:
    before = [HumanMessage("delete everything"), *used("delete_todos", {}, CONFIRM)]
    message = reply(*before, AIMessage("Shall I?"), HumanMessage("no, leave it"))
    assert calls(message) == [("answer_question", {"answer": "no", "question": "q8"})]


def test_yes_is_asked_back_when_the_question_was_answered_already() -> None:
    before = [HumanMessage("delete everything"), *used("delete_todos", {}, CONFIRM)]
    between = [HumanMessage("yes"), *used("answer_question", {"answer": "yes"}, OK, "b")]
    message = reply(
        *before, AIMessage("?"), *between, AIMessage("Done."), HumanMessage("yes please")
    )
    assert message.tool_calls == []
    assert message.text == replies.NOTHING_ASKED


@pytest.mark.parametrize("words", ["the second one", "number two", "the dentist", "both", "2"])
def test_words_choose_among_what_was_offered(words: str) -> None:
    before = [HumanMessage("delete the appointment"), *used("delete_todos", {}, WHICH)]
    message = reply(*before, AIMessage(WHICH["said"]), HumanMessage(words))
    assert calls(message) == [("answer_question", {"answer": words, "question": "q7"})]


def test_a_new_command_is_not_taken_for_an_answer() -> None:
    before = [HumanMessage("delete the appointment"), *used("delete_todos", {}, WHICH)]
    message = reply(*before, AIMessage(WHICH["said"]), HumanMessage("what is overdue"))
    assert calls(message) == [("find_todos", {"when": "overdue"})]


@pytest.mark.parametrize(
    ("arguments", "words", "expected"),
    [
        (
            {"title": "buy thirty eggs"},
            "no I said thirteen not thirty",
            {"title": "buy thirteen eggs"},
        ),
        ({"title": "buy 30 eggs"}, "No, I said 13, not 30.", {"title": "buy 13 eggs"}),
        (
            {"title": "call mum", "due": "at five thirty"},
            "no i said five forty not five thirty",
            {"due": "at five forty"},
        ),
        ({"title": "call mum", "due": "friday"}, "sorry I meant monday", {"due": "monday"}),
        ({"title": "buy milk"}, "I said oat milk not milk", {"title": "buy oat milk"}),
        ({"title": "buy 30 eggs"}, "no I said thirteen", {"title": "buy thirteen eggs"}),
    ],
)
def test_a_correction_changes_the_last_todo(
    arguments: dict[str, str], words: str, expected: dict[str, str]
) -> None:
    before = [HumanMessage("add it"), *used("add_todos", {"items": [arguments]}, OK)]
    message = reply(*before, AIMessage("Added."), HumanMessage(words))
    assert calls(message) == [("change_todo", {"which": "last", **expected})]


def test_a_corrected_reminder_replaces_the_wrong_one() -> None:
    wrong = {"text": "feed the cat", "when": "in thirty minutes"}
    before = [HumanMessage("remind me"), *used("add_reminder", wrong, OK), AIMessage("Set.")]
    said = HumanMessage("no i said thirteen not thirty")
    first = reply(*before, said)
    assert calls(first) == [("undo_last_change", {})]
    second = reply(*before, said, *used("undo_last_change", {}, OK, "b"))
    assert calls(second) == [
        ("add_reminder", {"text": "feed the cat", "when": "in thirteen minutes"})
    ]


def test_a_correction_that_fits_nothing_is_asked_back() -> None:
    before = [HumanMessage("add milk"), *used("add_todos", {"items": [{"title": "milk"}]}, OK)]
    message = reply(*before, AIMessage("Added."), HumanMessage("no i said thirteen not thirty"))
    assert message.tool_calls == []
    assert message.text == replies.NOT_CORRECTED


def test_the_hour_asked_for_completes_the_reminder() -> None:
    before = [HumanMessage("remind me to call mum"), AIMessage(replies.REMIND_WHEN)]
    message = reply(*before, HumanMessage("tomorrow at five"))
    assert calls(message) == [("add_reminder", {"text": "call mum", "when": "tomorrow at five"})]


def test_a_wish_for_a_call_says_that_it_is_a_reminder() -> None:
    result = {"status": "ok", "said": "Reminder set for tomorrow at 6:30 AM: wake up."}
    message = reply(
        HumanMessage("call me at six thirty tomorrow morning"), *used("add_reminder", {}, result)
    )
    assert message.text == f"{replies.RINGS} {result['said']}"


def test_the_clock_of_the_instructions_is_told() -> None:
    system = SystemMessage("It is Sunday, 22 November 2026, 16:05 (Europe/Berlin).")
    assert reply(system, HumanMessage("what time is it")).text == "It is 4:05 PM."
    assert (
        reply(system, HumanMessage("what day is it")).text == "Today is Sunday, 22 November 2026."
    )


def test_streams_words_and_whole_calls() -> None:
    model = LocalCommandModel().bind_tools([{"name": name} for name in TOOLS])
    chunks = list(model.stream([HumanMessage("hello")]))
    assert len(chunks) > 3
    assert "".join(chunk.text for chunk in chunks) == replies.GREETING
    whole: AIMessageChunk | None = None
    for chunk in model.stream([HumanMessage("add milk")]):
        assert isinstance(chunk, AIMessageChunk)
        whole = chunk if whole is None else whole + chunk
    assert whole is not None
    assert calls(whole) == [("add_todos", {"items": [{"title": "milk"}]})]


async def test_streams_the_same_from_async_code() -> None:
    model = LocalCommandModel().bind_tools([{"name": name} for name in TOOLS])
    text = "".join([chunk.text async for chunk in model.astream([HumanMessage("hello")])])
    assert text == replies.GREETING


@pytest.mark.parametrize(
    "words",
    ["", "   ", "?!", "\x00\x01", "🙂", "a" * 5000, "add " * 500, "{which} <the> [x] (a|b)"],
)
def test_garbage_is_answered_and_harms_nothing(words: str) -> None:
    message = reply(HumanMessage(words))
    assert message.text or all(name == "add_todos" for name, _ in calls(message))


def test_a_sentence_takes_milliseconds() -> None:
    words = [
        "what is on my list today",
        "mark the dentist todo as done",
        "blah foo bar",
        "add milk",
    ]
    reply(HumanMessage("warm up"))
    taken = []
    for sentence in words * 5:
        start = process_time()
        reply(HumanMessage(sentence))
        taken.append(process_time() - start)
    assert statistics.median(taken) < 0.05


@pytest.mark.service
def test_importing_it_loads_no_provider_and_no_django() -> None:
    code = (
        "import sys, workers.models_llm.local; "
        "print([n for n in ('django', 'openai', 'anthropic', 'numpy', 'mcp') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stderr


def test_cancel_that_undoes_the_last_change() -> None:
    before = [HumanMessage("add milk"), *used("add_todos", {"items": [{"title": "milk"}]}, OK)]
    message = reply(*before, AIMessage("Added."), HumanMessage("no, cancel that"))
    assert calls(message) == [("undo_last_change", {})]


def test_cancel_that_declines_an_open_question() -> None:
    before = [HumanMessage("delete everything"), *used("delete_todos", {}, CONFIRM)]
    message = reply(*before, AIMessage("Shall I?"), HumanMessage("cancel that"))
    assert calls(message) == [("answer_question", {"answer": "no", "question": "q8"})]


def test_a_guest_is_told_what_it_takes() -> None:
    asked: list[BaseMessage] = [HumanMessage("add milk to my list")]
    for tools in (["end_call"], ["end_call", "transfer_to_person"]):
        assert respond(asked, tools).text == replies.NOT_KNOWN
    assert respond(asked, []).text == replies.NO_TOOL
