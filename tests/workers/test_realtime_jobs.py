"""What an agent worker does for a speech-to-speech model: who calls, and its tool calls."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import redis as redis_library

from tests.stack import wait_until
from tests.workers.conftest import Caller, Environment
from tests.workers.processes import TodoServer, ToolServer, Worker
from todo.models import Todo
from voice import keys
from voice.events import Briefed, ToolAnswered, ToolFinished, ToolStarted
from voice.models import Call, ToolCall, Turn

pytestmark = pytest.mark.service
StartWorker = Callable[..., Worker]


class Line:
    """A call that such a model holds, as the web process keeps it."""

    def __init__(self, caller: Caller, redis: redis_library.Redis) -> None:
        self.caller, self._redis = caller, redis

    def turn(self, words: str = "Add milk.", **values: Any) -> Turn:
        number = self.caller.call.turns.count() + 1
        state = values.pop("state", Turn.State.SPEAKING)
        return Turn.objects.create(
            call=self.caller.call, number=number, state=state, transcript=words, **values
        )

    def ask(self, turn: Turn, name: str, arguments: Any, ordinal: int = 0, key: str = "c") -> None:
        """The model calls a tool; arguments that are no text are written as JSON."""
        text = arguments if isinstance(arguments, str) else json.dumps(arguments)
        request = keys.tool_request(str(turn.pk), key)
        for field, value in (("ordinal", ordinal), ("name", name), ("arguments", text)):
            self._redis.hset(request, field, value)
        self.again(turn, key)

    def again(self, turn: Turn, key: str = "c") -> None:
        self.caller.queue("run_tool", str(turn.pk), key)

    def answers(self, turn: Turn, most: int = 1) -> list[ToolAnswered]:
        def found() -> list[ToolAnswered]:
            told = [event for event in self.caller.events() if isinstance(event, ToolAnswered)]
            return [event for event in told if event.turn_id == str(turn.pk)]

        wait_until(lambda: len(found()) >= most, 60, f"{most} answers")
        return found()

    def answer(self, turn: Turn) -> tuple[ToolAnswered, dict[str, Any]]:
        told = self.answers(turn)[0]
        return told, json.loads(told.text)

    def brief(self) -> Briefed:
        def found() -> list[Briefed]:
            return [event for event in self.caller.events() if isinstance(event, Briefed)]

        before = len(found())
        self.caller.queue("brief", str(self.caller.call.pk))
        wait_until(lambda: len(found()) > before, 60, "the briefing")
        return found()[-1]


@pytest.fixture
def line(caller: Caller, redis: redis_library.Redis) -> Line:
    return Line(caller, redis)


@pytest.fixture
def todo_server(
    base_env: Environment, own_broker: str, transactional_db: None, tmp_path: Path
) -> Iterator[TodoServer]:
    env = base_env | {"CONVONET_VAR": str(tmp_path), "TEST_REDIS_URL": own_broker}
    server = TodoServer(env, tmp_path / "mcp.log")
    yield server
    server.stop()


def test_a_model_is_told_who_calls_what_it_can_do_and_what_was_said(
    agent: Worker, line: Line
) -> None:
    done, cut = Turn.State.DONE, Turn.State.INTERRUPTED
    line.turn("Add milk.", reply="Added milk.", heard="Added milk.", state=done)
    line.turn("Read my list.", reply="Milk, bread and a book.", heard="Milk,", state=cut)
    line.turn("And now?", state=Turn.State.SPEAKING)
    told = line.brief()
    assert "You keep Anna's todos" in told.instructions
    assert "(Europe/Berlin)" in told.instructions
    assert "ask one short question" in told.instructions
    tools = {tool["name"]: tool for tool in told.tools}
    assert tools["add"]["type"] == "function"
    assert tools["add"]["parameters"]["required"] == ["what"]
    assert set(tools["add"]) == {"type", "name", "description", "parameters"}
    assert told.history == [
        {"role": "user", "text": "Add milk."},
        {"role": "assistant", "text": "Added milk."},
        {"role": "user", "text": "Read my list."},
        {"role": "assistant", "text": "Milk,"},
    ]


def test_of_a_caller_who_is_not_known_a_model_learns_no_name_and_few_tools(
    agent: Worker, line: Line
) -> None:
    Call.objects.update(identified=False)
    told = line.brief()
    assert "Anna" not in told.instructions
    assert [tool["name"] for tool in told.tools] == ["end_call"]


def test_a_tool_call_is_made_written_and_told(agent: Worker, line: Line) -> None:
    turn = line.turn()
    line.ask(turn, "add", {"what": "realtime-milk"}, ordinal=2)
    told, result = line.answer(turn)
    assert (told.tool_call_id, told.end_call) == ("c", False)
    assert result["said"] == "Added realtime-milk."
    row = turn.tool_calls.get()
    assert (row.name, row.arguments, row.ok, row.summary) == (
        "add",
        {"what": "realtime-milk"},
        True,
        "added: realtime-milk",
    )
    assert row.result == result
    events = line.caller.events()
    assert [type(event) for event in events] == [ToolStarted, ToolFinished, ToolAnswered]
    started, finished = events[:2]
    assert isinstance(started, ToolStarted)
    assert isinstance(finished, ToolFinished)
    assert started.tool_call_id == finished.tool_call_id == row.tool_call_id == "2:c"
    assert (finished.ok, finished.change_id, finished.todo_ids) == (True, 7, [4])
    assert (key_directory(agent) / f"{turn.pk}_2").exists()


def test_a_tool_call_that_is_delivered_twice_acts_once_and_is_answered_twice(
    agent: Worker, line: Line
) -> None:
    turn = line.turn()
    line.ask(turn, "add", {"what": "twice"})
    line.again(turn)
    first, second = line.answers(turn, 2)
    assert first == second
    assert effects(agent).count("twice") == 1
    assert turn.tool_calls.count() == 1


def test_saying_goodbye_ends_the_call(agent: Worker, line: Line) -> None:
    turn = line.turn("Goodbye.")
    line.ask(turn, "end_call", {})
    assert line.answers(turn)[0].end_call


@pytest.mark.parametrize(
    ("name", "arguments", "status", "ok"),
    [
        ("refuse", {}, "refused", False),
        ("add", '{"what": "mi', "refused", False),
        ("add", "[1]", "refused", False),
        ("fly", {}, "refused", False),
    ],
)
def test_what_was_not_done_is_told_as_that(
    agent: Worker, line: Line, name: str, arguments: Any, status: str, ok: bool
) -> None:
    turn = line.turn()
    line.ask(turn, name, arguments)
    told, result = line.answer(turn)
    assert (result["status"], told.end_call) == (status, False)
    assert [row.ok for row in turn.tool_calls.all()] == [ok]


def test_a_request_that_is_gone_was_not_done(agent: Worker, line: Line) -> None:
    turn = line.turn()
    line.again(turn)
    _, result = line.answer(turn)
    assert "not done" in result["said"]
    assert not ToolCall.objects.exists()


def test_without_a_tool_server_nothing_is_claimed_and_without_an_answer_nobody_knows(
    start_worker: StartWorker, tool_server: ToolServer, line: Line
) -> None:
    start_worker("agent", MCP_URL=tool_server.url, TEST_TOOL_SECONDS="1")
    turn = line.turn()
    line.ask(turn, "add", {"what": "milk"})
    assert line.answer(turn)[1]["status"] == "tool_unreached"
    tool_server.start()
    slow = line.turn()
    line.ask(slow, "add_slowly", {"what": "late", "seconds": 3})
    assert line.answer(slow)[1]["status"] == "tool_unknown"
    assert [row.ok for row in slow.tool_calls.all()] == [None]


def test_a_child_killed_between_effect_and_answer_acts_once_and_is_answered(
    start_worker: StartWorker, tool_server: ToolServer, line: Line, tmp_path: Path
) -> None:
    tool_server.start()
    worker = start_worker("agent", MCP_URL=tool_server.url)
    turn, go = line.turn(), tmp_path / "go"
    line.ask(turn, "add_and_wait", {"what": "milk", "until": str(go)})
    wait_until(lambda: tool_server.effects == ["milk"], 60, "the effect")
    (child,) = (one.pid for one in psutil.Process(worker.popen.pid).children())
    os.kill(child, signal.SIGKILL)
    go.touch()
    _, result = line.answer(turn)
    assert result["said"] == "Added milk."
    assert tool_server.effects == ["milk"]
    assert [row.ok for row in turn.tool_calls.all()] == [True]
    assert [type(event) for event in line.caller.events()].count(ToolStarted) == 2


def test_a_guests_model_cannot_change_a_list_until_they_say_who_they_are(
    todo_server: TodoServer, start_worker: StartWorker, line: Line
) -> None:
    start_worker("agent", MCP_URL=todo_server.url)
    milk = {"items": [{"title": "buy milk"}]}
    Call.objects.update(identified=False)
    guest = line.turn()
    line.ask(guest, "add_todos", milk)
    assert line.answer(guest)[1]["status"] == "refused"
    assert not Todo.objects.exists()
    Call.objects.update(identified=True)
    known = line.turn()
    line.ask(known, "add_todos", milk)
    assert line.answer(known)[1]["status"] == "ok"
    assert Todo.objects.count() == 1


def effects(agent: Worker) -> list[str]:
    return (agent.log.parent / "effects").read_text().splitlines()


def key_directory(agent: Worker) -> Path:
    return agent.log.parent / "keys"
