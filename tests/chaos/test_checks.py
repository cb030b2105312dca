"""Made-up runs: each broken promise is found, and an honest run has none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from tests.chaos.checks import history_problems, violations
from tests.chaos.facts import (
    Attempt,
    ChangeRow,
    Chip,
    Kill,
    ReminderRow,
    Snapshot,
    TodoRow,
    TurnRow,
)


def said(kind: str, title: str, reply: str, turn: str, **more: Any) -> Attempt:
    at = float(turn.removeprefix("t")) * 10
    values: dict[str, Any] = {
        "caller": "anna",
        "user": 1,
        "call": "c",
        "kind": kind,
        "text": f"{kind} {title}",
        "title": title,
        "sent_at": at,
        "done_at": at + 5,
        "turn": turn,
        "transcript": f"{kind} {title}",
        "outcome": "done",
        "reply": reply,
    }
    return Attempt(**(values | more))


def row(turn: str, state: str = "done", **more: Any) -> TurnRow:
    return TurnRow(turn, "c", 1, state, more.pop("transcript", "words"), **more)


def change(turn: str, opened: int = 0, **more: Any) -> ChangeRow:
    number = int(turn.removeprefix("t"))
    return ChangeRow(number, 1, turn, "", number * 10 + 1.0, opened=opened, **more)


def honest() -> tuple[list[Attempt], Snapshot]:
    attempts = [
        said("add", "milk", "Added milk.", "t1"),
        said("complete", "milk", "Done: milk.", "t2"),
        said("undo", "milk", "Undone: milk is open again.", "t3"),
        said("count", "", "You have one open todo.", "t4"),
        said("remind", "call mum", "Reminder set for tomorrow at 9 AM: call mum.", "t5"),
    ]
    snapshot = Snapshot(
        turns=[row(f"t{number}") for number in range(1, 6)],
        changes=[change("t1", 1), change("t2", -1, undone_at=31.0), change("t5")],
        todos=[TodoRow(1, "milk")],
        reminders=[ReminderRow(1, "call mum")],
        undo_turns=["t3"],
    )
    return attempts, snapshot


def rules(attempts: list[Attempt], snapshot: Snapshot, *kills: Kill) -> list[str]:
    return [one.rule for one in violations(attempts, kills, snapshot)]


def test_an_honest_run_breaks_nothing() -> None:
    assert violations(*_with_kill(honest())) == []


def _with_kill(
    run: tuple[list[Attempt], Snapshot],
) -> tuple[list[Attempt], list[Kill], Snapshot]:
    return run[0], [Kill("agent child", 7, 1.0, "tool", 0.2)], run[1]


@pytest.mark.parametrize("state", ["transcribing", "waiting", "thinking", "speaking"])
def test_a_turn_that_never_ends_is_lost(state: str) -> None:
    attempts, snapshot = honest()
    snapshot.turns[0] = row("t1", state)
    assert rules(attempts, snapshot) == ["lost turn"]


def test_a_turn_whose_caller_hears_no_end_is_lost() -> None:
    attempts, snapshot = honest()
    attempts[0].outcome = "silent"
    assert rules(attempts, snapshot) == ["lost turn"]


def test_words_that_were_accepted_and_left_no_row_are_lost() -> None:
    attempts, snapshot = honest()
    attempts.append(said("list", "", "", "t6", outcome="cut"))
    assert rules(attempts, snapshot) == ["lost turn"]


def test_a_failure_without_a_word_on_what_became_of_it_is_a_lost_turn() -> None:
    attempts, snapshot = honest()
    snapshot.turns.append(row("t6", "failed"))
    told = ["I lost touch with my workers. Your call stays up while I reconnect."]
    attempts.append(said("list", "", "", "t6", outcome="failed", notices=told))
    assert rules(attempts, snapshot) == ["lost turn"]


def test_a_call_that_the_server_ends_by_itself_is_found() -> None:
    attempts, snapshot = honest()
    attempts[0].bye = "not reading"
    assert rules(attempts, snapshot) == ["hung up"]


def test_a_todo_made_twice_is_found() -> None:
    attempts, snapshot = honest()
    snapshot.todos.append(TodoRow(1, "Milk"))
    assert rules(attempts, snapshot) == ["done twice"]


def test_a_reminder_made_twice_is_found() -> None:
    attempts, snapshot = honest()
    snapshot.reminders.append(ReminderRow(1, "call mum"))
    assert rules(attempts, snapshot) == ["done twice"]


def test_a_turn_with_two_changes_is_found_even_without_a_second_row() -> None:
    attempts, snapshot = honest()
    snapshot.changes.append(replace(change("t2"), id=99))
    assert rules(attempts, snapshot) == ["done twice"]


def test_one_undo_carried_out_twice_is_found() -> None:
    attempts, snapshot = honest()
    snapshot.changes[0] = change("t1", 1, undone_at=32.0)
    assert "done twice" in rules(attempts, snapshot)
    snapshot.undo_turns.append("t3")
    assert "done twice" in rules(attempts, snapshot)


def test_said_done_but_absent_is_a_contradiction() -> None:
    attempts, snapshot = honest()
    snapshot.turns.append(row("t6"))
    attempts.append(said("add", "eggs", "Added eggs.", "t6"))
    found = violations(attempts, [], snapshot)
    assert [one.rule for one in found] == ["contradiction", "contradiction"]
    assert found[0].turn == "t6"


@pytest.mark.parametrize(
    "words",
    [
        "Something went wrong on my side. Nothing was changed. Please try again.",
        "I could not take that in, so nothing was done with it. Please say it again.",
    ],
)
def test_said_not_done_but_present_is_a_contradiction(words: str) -> None:
    attempts, snapshot = honest()
    snapshot.turns.append(row("t6", "failed"))
    snapshot.changes.append(change("t6", 1))
    snapshot.todos.append(TodoRow(1, "eggs"))
    attempts.append(said("add", "eggs", words, "t6", outcome="failed"))
    assert set(rules(attempts, snapshot)) == {"contradiction"}


def test_an_apology_that_leaves_it_open_contradicts_nothing() -> None:
    attempts, snapshot = honest()
    snapshot.turns.append(row("t6", "failed"))
    snapshot.changes.append(change("t6", 1))
    snapshot.todos.append(TodoRow(1, "eggs"))
    words = "I am not sure whether it was done; please ask me to check."
    attempts.append(said("add", "eggs", words, "t6", outcome="failed"))
    assert rules(attempts, snapshot) == []


def test_a_chip_that_says_done_over_words_that_deny_it_is_a_contradiction() -> None:
    attempts, snapshot = honest()
    attempts[0].reply = "Nothing was changed. Please try again."
    attempts[0].chips = {"x": Chip("add_todos", "done", "added: milk")}
    assert "contradiction" in rules(attempts, snapshot)


def test_a_chip_counts_when_the_caller_was_cut_off_before_the_words() -> None:
    attempts, snapshot = honest()
    snapshot.turns.append(row("t6"))
    chips = {"x": Chip("add_todos", "done", "added: eggs")}
    attempts.append(said("add", "eggs", "", "t6", outcome="cut", chips=chips))
    assert set(rules(attempts, snapshot)) == {"contradiction"}


def test_an_undo_of_another_thing_is_a_contradiction() -> None:
    attempts, snapshot = honest()
    attempts[2].reply = "Undone: bread is open again."
    assert rules(attempts, snapshot) == ["contradiction"]


@pytest.mark.parametrize(("what", "rule"), [("milk", []), ("bread", ["contradiction"])])
def test_an_undo_cut_before_its_words_is_held_to_its_chip(what: str, rule: list[str]) -> None:
    attempts, snapshot = honest()
    cut = attempts[2]
    cut.reply, cut.outcome, cut.notices = "", "cut", ["I am back, and go on with what you said."]
    cut.chips = {"x": Chip("undo_last_change", "done", f"undone: done: {what}")}
    assert rules(attempts, snapshot) == rule


def test_a_count_that_was_never_true_is_a_contradiction() -> None:
    attempts, snapshot = honest()
    attempts[3].reply = "You have two open todos."
    assert rules(attempts, snapshot) == ["contradiction"]


def test_a_count_may_be_the_one_before_or_after_a_change_meanwhile() -> None:
    attempts, snapshot = honest()
    snapshot.changes.append(replace(change("t4", 1), turn=""))
    for words in ("one open todo", "two open todos"):
        attempts[3].reply = f"You have {words}."
        assert rules(attempts, snapshot) == []
    attempts[3].reply = "You have three open todos."
    assert rules(attempts, snapshot) == ["contradiction"]


@pytest.mark.parametrize(
    "todo",
    [
        TodoRow(1, "milk", done=True),
        TodoRow(1, "milk", high=True),
        TodoRow(1, "milk", deleted=True),
    ],
)
def test_a_todo_in_another_state_than_was_told_last_is_a_contradiction(todo: TodoRow) -> None:
    attempts, snapshot = honest()
    snapshot.todos = [todo]
    assert rules(attempts, snapshot) == ["contradiction"]


def test_nothing_is_expected_of_a_todo_whose_caller_was_cut_off() -> None:
    attempts, snapshot = honest()
    snapshot.turns.append(row("t6", "interrupted", transcript="delete milk"))
    snapshot.changes.append(change("t6", -1))
    snapshot.todos = [TodoRow(1, "milk", deleted=True)]
    attempts.append(replace(said("delete", "milk", "", "t6", outcome="cut"), turn=""))
    assert rules(attempts, snapshot) == []


def test_words_nobody_here_understands_are_no_proof_of_anything() -> None:
    attempts, snapshot = honest()
    attempts[0].reply = "Blue."
    assert "not understood" in rules(attempts, snapshot)


def test_what_is_left_over_is_found() -> None:
    attempts, snapshot = honest()
    snapshot.histories = ["x"]
    snapshot.orphans = ["123 celery"]
    snapshot.keys_for_ever = ["convonet:reply:1"]
    snapshot.left_in_queues = {"agent": 0, "unacked": 2}
    kill = Kill("broker", 7, 1.0, "any", None)
    assert rules(attempts, snapshot, kill) == [
        "invalid history",
        "orphan process",
        "key for ever",
        "left in a queue",
        "not recovered",
    ]


def call(*ids: str) -> AIMessage:
    return AIMessage("", tool_calls=[{"id": one, "name": "add", "args": {}} for one in ids])


def result(one: str) -> ToolMessage:
    return ToolMessage("{}", tool_call_id=one)


def test_a_history_in_which_every_call_has_its_result_is_valid() -> None:
    messages = [HumanMessage("a"), call("1", "2"), result("2"), result("1"), AIMessage("b")]
    assert history_problems([*messages, HumanMessage("c"), call("1"), result("1")]) == []


@pytest.mark.parametrize(
    "messages",
    [
        [HumanMessage("a"), call("1")],
        [HumanMessage("a"), call("1"), AIMessage("b")],
        [HumanMessage("a"), call("1"), HumanMessage("b"), result("1")],
        [HumanMessage("a"), call("1"), result("1"), result("1")],
        [HumanMessage("a"), call("1", "1"), result("1"), result("1")],
        [HumanMessage("a"), result("1")],
    ],
)
def test_a_history_that_a_provider_would_refuse_is_found(messages: list[BaseMessage]) -> None:
    assert history_problems(messages)
