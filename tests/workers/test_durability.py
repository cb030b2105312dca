"""Turns whose child, tool server or memory gives out in the middle."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import redis as redis_library

from tests.stack import wait_until
from tests.workers.conftest import Caller
from tests.workers.processes import ToolServer, Worker
from voice.events import SentenceReady, ToolFinished, TurnFailed, TurnFinished, TurnStarted
from voice.models import Turn
from workers.turn_record import MOST_ATTEMPTS

pytestmark = pytest.mark.service
StartWorker = Callable[..., Worker]


def children_of(worker: Worker) -> set[int]:
    return {child.pid for child in psutil.Process(worker.popen.pid).children()}


def test_a_turn_whose_child_is_killed_is_run_again_and_acts_once(
    agent: Worker, caller: Caller, tmp_path: Path
) -> None:
    kill: dict[str, Any] = {"kill_once": str(tmp_path / "killed")}
    turn = caller.say(
        [
            {"say": "First.", "tools": [["add", {"what": "kill-once"}]]},
            {"say": "Added", **kill},
        ]
    )
    ended = caller.finish(turn)
    assert (tmp_path / "killed").exists()
    assert ended.reply == "First. Added"
    assert turn.attempts == 2
    assert effects_of(agent).count("kill-once") == 1
    assert [row.ok for row in turn.tool_calls.all()] == [True]
    assert [use.error for use in turn.uses.all()] == ["", ""]  # of the first child, too
    assert [type(e) for e in caller.events()].count(TurnStarted) == 2
    assert [type(e) for e in caller.events()].count(TurnFinished) == 1


def test_a_turn_that_kills_every_child_is_given_up_and_told(
    agent: Worker, caller: Caller, tmp_path: Path
) -> None:
    asked = tmp_path / "asked"
    turn = caller.say([{"say": "No.", "note": str(asked), "kill": True}])
    failed = caller.fail(turn, seconds=60)
    assert failed.code == "attempts"
    assert turn.state == Turn.State.FAILED
    assert len(asked.read_text().splitlines()) == MOST_ATTEMPTS
    assert caller.finish(caller.say([{"say": "Here."}])).reply == "Here."


def test_a_failing_model_is_told_with_what_was_done(agent: Worker, caller: Caller) -> None:
    turn = caller.say(
        [{"tools": [["add", {"what": "milk"}]]}, {"say": "Well", "raise": "secret words"}]
    )
    failed = caller.fail(turn)
    assert failed.code == "model"
    assert "This much was done: Added milk." in failed.message
    assert turn.state == Turn.State.FAILED
    # What no sentence was made of yet is not said any more.
    assert turn.reply == failed.message
    sentences = [e.text for e in caller.events() if isinstance(e, SentenceReady)]
    assert " ".join(sentences) == turn.reply
    assert "secret words" not in agent.output


def test_a_model_that_never_stops_calling_tools_is_stopped(agent: Worker, caller: Caller) -> None:
    turn = caller.say([{"tools": [["refuse", {}]]}] * 40)
    assert caller.fail(turn).code == "too_many_steps"
    assert turn.tool_calls.count() == 8


def test_a_turn_beyond_its_deadline_ends_with_a_true_apology(
    start_worker: StartWorker, tool_server: ToolServer, caller: Caller, tmp_path: Path
) -> None:
    tool_server.start()
    start_worker("agent", MCP_URL=tool_server.url, TEST_TURN_SECONDS="2", TEST_TOOL_SECONDS="1")
    slow_model = caller.say([{"say": "Hm", "until": str(tmp_path / "never")}])
    failed = caller.fail(slow_model)
    assert (failed.code, "Nothing was changed" in failed.message) == ("deadline", True)

    slow_tool = caller.say(
        [
            {"tools": [["add_slowly", {"what": "late", "seconds": 3}]]},
            {"say": "I do not know."},
        ]
    )
    assert caller.finish(slow_tool).reply == "I do not know."
    assert [row.ok for row in slow_tool.tool_calls.all()] == [None]


def test_a_tool_server_may_be_down_at_the_start_and_die_during_a_call(
    start_worker: StartWorker, tool_server: ToolServer, caller: Caller
) -> None:
    start_worker("agent", MCP_URL=tool_server.url)
    turn = caller.say([{"say": "Hello."}])
    failed = caller.fail(turn)
    assert failed.code == "tool_unreached"
    assert "Nothing was changed" in failed.message

    tool_server.start()
    assert caller.finish(caller.say([{"say": "Hello."}])).reply == "Hello."

    lost = caller.say([{"tools": [["add_then_die_once", {"what": "milk"}]]}, {"say": "Added."}])
    wait_until(lambda: tool_server.dead, 60, "the tool server dies during the call")
    tool_server.start()
    caller.finish(lost)
    assert tool_server.effects == ["milk"]
    finished = [e for e in caller.events() if isinstance(e, ToolFinished)]
    assert [(e.ok, e.summary) for e in finished] == [(True, "added: milk")]

    tool_server.stop()
    gone = caller.say([{"tools": [["add", {"what": "x"}]]}, {"say": "It may have been done."}])
    ended = caller.wait_ended(gone, 40)
    assert isinstance(ended, TurnFailed | TurnFinished)
    assert [row.ok for row in gone.tool_calls.all()] in ([None], [False])
    assert tool_server.effects == ["milk"]


def test_children_are_kept_over_turns_and_replaced_after_a_greedy_one(
    start_worker: StartWorker, tool_server: ToolServer, caller: Caller
) -> None:
    tool_server.start()
    worker = start_worker(
        "agent", MCP_URL=tool_server.url, TEST_HEADROOM_MB="60", TEST_CEILING_MB="300"
    )
    before = children_of(worker)
    for _ in range(5):
        caller.finish(caller.say([{"tools": [["add", {"what": "x"}]]}, {"say": "Added."}]))
    assert children_of(worker) == before

    caller.finish(caller.say([{"say": "Big.", "allocate_mb": 100}]))
    wait_until(lambda: not children_of(worker) & before, 60, "the child is replaced")
    assert caller.finish(caller.say([{"say": "Small."}])).reply == "Small."

    turn = caller.say([{"say": "Runaway.", "allocate_mb": 2000}])
    assert caller.fail(turn).code == "memory"
    assert caller.finish(caller.say([{"say": "Small."}])).reply == "Small."


def test_a_running_turn_is_finished_before_the_worker_stops(
    start_worker: StartWorker,
    tool_server: ToolServer,
    caller: Caller,
    tmp_path: Path,
    redis: redis_library.Redis,
) -> None:
    tool_server.start()
    worker = start_worker("agent", MCP_URL=tool_server.url)
    go = tmp_path / "go"
    turn = caller.say([{"say": "Wait for it", "until": str(go)}])
    caller.wait_for(TurnStarted, turn)
    worker.popen.send_signal(signal.SIGTERM)
    wait_until(lambda: worker.state(redis) is None, 60, "the worker takes no more turns")
    go.touch()
    assert caller.finish(turn).reply == "Wait for it"
    assert worker.popen.wait(20) == 0


def effects_of(agent: Worker) -> list[str]:
    return (agent.log.parent / "effects").read_text().splitlines()
