"""Turns of the key-less model against the product's own tool server and database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis as redis_library

from tests.workers.conftest import Caller, Environment
from tests.workers.processes import TodoServer, Worker
from todo.models import Todo
from voice import keys
from voice.events import TodosChanged, ToolFinished, decode

pytestmark = pytest.mark.service
StartWorker = Callable[..., Worker]
LOCAL_MODEL = "workers.models_llm.local.LocalCommandModel"


@pytest.fixture
def todo_server(
    base_env: Environment, own_broker: str, transactional_db: None, tmp_path: Path
) -> Iterator[TodoServer]:
    env = base_env | {"CONVONET_VAR": str(tmp_path), "TEST_REDIS_URL": own_broker}
    server = TodoServer(env, tmp_path / "mcp.log")
    yield server
    server.stop()


def test_a_spoken_wish_is_a_todo_and_the_next_turn_knows_it(
    todo_server: TodoServer,
    start_worker: StartWorker,
    caller: Caller,
    redis: redis_library.Redis,
) -> None:
    start_worker("agent", MCP_URL=todo_server.url, LANGUAGE_MODEL=LOCAL_MODEL)
    added = caller.finish(caller.say("add buy milk tomorrow at five"))
    todo = Todo.objects.get()
    assert todo.title == "buy milk"
    assert "milk" in added.reply
    chip = next(event for event in caller.events() if isinstance(event, ToolFinished))
    assert (chip.ok, chip.todo_ids) == (True, [todo.pk])
    assert chip.change_id is not None
    page: Any = redis.xrange(keys.person_stream(caller.call.user_id))
    told = [decode(fields[b"e"]) for _, fields in page]
    assert [e.todo_ids for e in told if isinstance(e, TodosChanged)] == [[todo.pk]]

    caller.finish(caller.say("mark it as done"))
    todo.refresh_from_db()
    assert todo.completed_at is not None
    assert caller.finish(caller.say("goodbye")).end_call


def test_a_child_killed_after_the_change_does_not_change_twice(
    todo_server: TodoServer, start_worker: StartWorker, caller: Caller, tmp_path: Path
) -> None:
    start_worker("agent", MCP_URL=todo_server.url)
    turn = caller.say(
        [
            {"tools": [["add_todos", {"items": [{"title": "buy milk"}]}]]},
            {"say": "Added.", "kill_once": str(tmp_path / "killed")},
        ]
    )
    caller.finish(turn)
    assert turn.attempts == 2
    assert Todo.objects.count() == 1
