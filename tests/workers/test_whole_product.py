"""A whole worker, or the web process, killed in the middle of a turn of the running product."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from websockets.exceptions import ConnectionClosed

from tests.stack import Stack, wait_until
from tests.voice.client import call, say, until

pytestmark = pytest.mark.service

# Bounds the wait on a busy machine; how long it takes is measured by the chaos run.
MOST_SECONDS = 60


def milk(go: Path) -> str:
    add: Any = ["add_todos", {"items": [{"title": "kill test milk"}]}]
    return json.dumps([{"say": "Hm.", "tools": [add]}, {"say": "Added.", "until": str(go)}])


def state_of(stack: Stack, number: int) -> tuple[Any, ...] | None:
    rows = stack.rows("SELECT state, reply, attempts FROM voice_turn WHERE number = ?", number)
    return rows[0] if rows else None


def todos(stack: Stack) -> int:
    sql = "SELECT count(*) FROM todo_todo WHERE title = 'kill test milk'"
    return int(stack.rows(sql)[0][0])


def kill_whole(stack: Stack, name: str) -> None:
    parent = psutil.Process(stack.pid(name))
    for process in [parent, *parent.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):  # with its parent
            process.kill()


@pytest.fixture
def product(new_stack: Stack) -> Stack:
    new_stack.env["LANGUAGE_MODEL"] = "tests.workers.scripted_model.ScriptedModel"
    return new_stack.start()


async def test_a_turn_outlives_its_worker(product: Stack, tmp_path: Path) -> None:
    go = tmp_path / "go"
    async with call(product) as opened:
        await say(opened, "text", text=milk(go))
        while (await until(opened, "tool"))["status"] != "done":
            pass
        kill_whole(product, "agent")
        go.touch()
        async with asyncio.timeout(MOST_SECONDS):
            while not (await until(opened, "reply_delta", MOST_SECONDS)).get("restart"):
                pass
            while "Added." not in (await until(opened, "reply_delta", MOST_SECONDS))["text"]:
                pass
    # Hung up before the reply was heard.
    expected = ("interrupted", "Hm. Added.", 2)
    wait_until(lambda: state_of(product, 1) == expected, 60, "the turn is ended")
    assert todos(product) == 1


async def test_turns_outlive_the_web_process(product: Stack, tmp_path: Path) -> None:
    go = tmp_path / "go"
    with suppress(ConnectionClosed):
        async with call(product) as opened:
            await say(opened, "text", text=json.dumps([{"say": "Slow.", "until": str(go)}]))
            await until(opened, "reply_delta")
            await say(opened, "text", text='[{"say": "Last."}]')
            await until(opened, "transcript")
            kill_whole(product, "web")
    go.touch()
    # Queued by no one yet: the next web process finds that the call is over.
    last = ("interrupted", "Last.", 1)
    wait_until(lambda: state_of(product, 2) == last, 60, "the last turn is run")
    assert state_of(product, 1) == ("interrupted", "Slow.", 1)
    assert product.rows("SELECT end_reason FROM voice_call") == [("web process ended",)]
