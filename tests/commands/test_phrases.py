"""Many ways to say things: the calls they mean, and that the rest changes and claims nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from tests.commands.agent import Caller, person
from tests.commands.state import Snapshot
from todo import demo
from todo.actor import Actor
from todo.tools.catalogue import BY_NAME
from todo.tools.running import run_tool
from workers.models_llm.local import LocalCommandModel
from workers.prompts import system_prompt

DATA = yaml.safe_load((Path(__file__).parent / "phrases.yaml").read_text(encoding="utf-8"))
BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=BERLIN)
CLAIMS = ("added", "done.", "deleted", "moved", "set for", "created", "completed", "cancelled")


def with_demo_list(name: str = "dana", *, groceries: bool = False) -> Caller:
    user = person(name)
    demo.reset(user, NOW, groceries=groceries)
    return Caller(LocalCommandModel(), Actor(user, BERLIN, NOW))


def state_of(caller: Caller) -> Snapshot:
    return Snapshot.of(caller.actor.user)


def answer(words: str) -> AIMessage:
    model = LocalCommandModel().bind_tools([{"name": name} for name in BY_NAME])
    return model.invoke([SystemMessage(system_prompt(NOW, "Dana")), HumanMessage(words)])


@pytest.mark.parametrize("row", DATA["acting"], ids=lambda row: row["say"])
def test_a_phrase_becomes_the_calls_it_means(row: dict[str, Any]) -> None:
    expected = [(name, arguments) for call in row["calls"] for name, arguments in call.items()]
    found = [(call["name"], call["args"]) for call in answer(row["say"]).tool_calls]
    # What speaks of the call before it is made in a step of its own.
    assert found == expected[: len(found)]
    assert len(found) == len(expected) or expected[len(found)][0] in (
        "end_call",
        "undo_last_change",
    )


@pytest.mark.parametrize("words", DATA["not_acting"])
def test_what_is_no_command_calls_nothing_and_claims_nothing(words: str) -> None:
    message = answer(words)
    assert message.tool_calls == []
    assert message.text
    assert not any(claim in message.text.lower() for claim in CLAIMS)


@pytest.mark.parametrize(
    "name", sorted({name for row in DATA["acting"] for c in row["calls"] for name in c})
)
def test_every_argument_is_one_the_tool_knows(name: str) -> None:
    tool = BY_NAME[name]
    for row in DATA["acting"]:
        for call in row["calls"]:
            assert set(call.get(name) or {}) <= set(tool.properties)
            if name in call:
                assert set(tool.required) <= set(call[name])


@pytest.mark.django_db
@pytest.mark.parametrize("row", DATA["acting"][::11], ids=lambda row: row["say"])
def test_the_loop_leaves_the_state_that_the_calls_leave(row: dict[str, Any]) -> None:
    spoken = with_demo_list("spoken", groceries=True)
    called = with_demo_list("called", groceries=True)
    spoken.say(row["say"])
    for call in row["calls"]:
        for name, arguments in call.items():
            run_tool(replace(called.actor, call_id=None), name, arguments)
    assert comparable(state_of(spoken)) == comparable(state_of(called))


def comparable(state: Snapshot) -> list[Any]:
    rows = [
        {key: value for key, value in row.items() if key not in ("id", "list_id")}
        for _, row in sorted(state.todos.items())
    ]
    return [rows, state.reminders, state.lists]


@pytest.mark.django_db
def test_a_question_of_a_tool_is_answered_in_the_next_turn() -> None:
    caller = with_demo_list()
    caller.say("add buy bread to the bakery list")
    assert state_of(caller).lists == {"todo"}
    caller.say("yes please")
    state = state_of(caller)
    assert state.lists == {"todo", "bakery"}
    assert [row["title"] for row in state.todos.values()][-1] == "buy bread"


@pytest.mark.django_db
def test_a_number_heard_wrong_is_corrected_in_the_last_change() -> None:
    caller = with_demo_list()
    caller.say("add buy thirty chairs")
    caller.say("no i said thirteen not thirty")
    titles = [row["title"] for row in state_of(caller).todos.values()]
    assert titles[-1] == "buy thirteen chairs"
    assert len(titles) == 12


@pytest.mark.django_db
def test_undo_takes_back_what_this_call_added() -> None:
    caller = with_demo_list()
    before = state_of(caller)
    caller.say("add buy milk to my list for tomorrow at five pm")
    caller.actor = replace(caller.actor, now=caller.actor.now + timedelta(seconds=20))
    caller.say("undo that")
    left = [row for row in state_of(caller).todos.values() if row["deleted_at"] is None]
    assert left == list(before.todos.values())


@pytest.mark.django_db
def test_two_commands_of_one_sentence_are_both_done() -> None:
    caller = with_demo_list()
    reply = caller.say("add milk and remind me at five to call mum")
    state = state_of(caller)
    assert [row["title"] for row in state.todos.values()][-1] == "milk"
    assert state.reminders[0]["due_at"] == datetime(2026, 11, 22, 16, tzinfo=UTC)
    assert "milk" in reply
    assert "call mum" in reply
