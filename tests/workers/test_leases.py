"""Turns whose worker is killed or stopped: run by one at a time, told once, and gone on with."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.utils import timezone
from langchain_core.messages import AIMessage, ToolMessage

from tests.stack import wait_until
from tests.workers.conftest import Caller
from tests.workers.processes import ToolServer, Worker
from voice import holders, leftovers
from voice.events import ReplyDelta, ToolFinished, TurnFinished, TurnStarted
from voice.models import Checkpoint, Turn
from workers import checkpoint

pytestmark = pytest.mark.service
StartWorker = Callable[..., Worker]


def holder_of(turn: Turn) -> int:
    """The process id of the child that has it."""
    turn.refresh_from_db()
    return int(turn.lease_holder.split("/")[2])


def sweep(caller: Caller) -> None:
    for turn_id in leftovers.look(timezone.now()).lost:
        caller.queue("run_turn", turn_id)


def count(caller: Caller, kind: type[Any]) -> int:
    return sum(isinstance(event, kind) for event in caller.events())


def lines(path: Path) -> int:
    return len(path.read_text().splitlines())


def test_a_child_killed_before_its_tool_acts_leaves_one_effect(
    start_worker: StartWorker, tool_server: ToolServer, caller: Caller, tmp_path: Path
) -> None:
    tool_server.start()
    start_worker("agent", MCP_URL=tool_server.url)
    turn = caller.say(
        [
            {"tools": [["add", {"what": "milk"}]], "kill_once": str(tmp_path / "killed")},
            {"say": "Added."},
        ]
    )
    caller.finish(turn)
    assert (tool_server.effects, turn.attempts) == (["milk"], 2)


def test_a_child_killed_while_its_tool_acts_goes_on_without_asking_the_model_again(
    start_worker: StartWorker, tool_server: ToolServer, caller: Caller, tmp_path: Path
) -> None:
    tool_server.start()
    start_worker("agent", MCP_URL=tool_server.url)
    go, notes = tmp_path / "go", tmp_path / "notes"
    slow = {"what": "milk", "until": str(go)}
    turn = caller.say(
        [
            {
                "say": "One moment.",
                "note": str(notes),
                "tools": [["add", {"what": "bread"}], ["add_and_wait", slow]],
            },
            {"say": "Added both."},
        ]
    )
    wait_until(lambda: "milk" in tool_server.effects, 60, "the tool has acted")
    os.kill(holder_of(turn), signal.SIGKILL)
    go.touch()
    ended = caller.finish(turn)
    assert ended.reply == "One moment. Added both."
    assert ended.sentences == 2
    assert turn.attempts == 2
    assert tool_server.effects == ["bread", "milk"]
    assert [(row.name, row.ok) for row in turn.tool_calls.all()] == [
        ("add", True),
        ("add_and_wait", True),
    ]
    assert lines(notes) == 1
    assert not Checkpoint.objects.exists()


def test_a_turn_killed_after_its_last_words_is_ended_without_the_model(
    agent: Worker, caller: Caller
) -> None:
    turn = Turn.objects.create(
        call=caller.call,
        number=1,
        state=Turn.State.THINKING,
        transcript='[{"raise": "the model was asked"}]',
        attempts=1,
    )
    call = {"id": "1", "name": "add", "args": {"what": "milk"}, "type": "tool_call"}
    said = [
        AIMessage("One moment.", tool_calls=[call]),
        ToolMessage("{}", tool_call_id="1"),
        AIMessage("Added milk."),
    ]
    checkpoint.save(turn, said)
    caller.queue("run_turn", str(turn.pk))
    assert caller.finish(turn).reply == "One moment. Added milk."
    assert turn.attempts == 2


def test_a_turn_of_a_killed_worker_is_swept_and_answered_by_the_next(
    start_worker: StartWorker, tool_server: ToolServer, caller: Caller, tmp_path: Path
) -> None:
    tool_server.start()
    worker = start_worker("agent", MCP_URL=tool_server.url)
    go = tmp_path / "go"
    turn = caller.say(
        [
            {"say": "First.", "tools": [["add", {"what": "milk"}]]},
            {"say": "Added.", "until": str(go)},
        ]
    )
    caller.wait_for(ToolFinished, turn)
    everyone = [worker.popen, *psutil.Process(worker.popen.pid).children()]
    for process in everyone:
        process.kill()
    worker.popen.wait(10)
    go.touch()
    start_worker("agent", MCP_URL=tool_server.url)

    def answered() -> bool:
        sweep(caller)
        return count(caller, TurnFinished) > 0

    wait_until(answered, 60, "the turn is answered")
    ended = caller.finish(turn)
    assert ended.reply == "First. Added."
    assert turn.attempts == 2
    assert tool_server.effects == ["milk"]


def test_a_worker_stopped_past_its_lease_writes_and_tells_nothing_more(
    start_worker: StartWorker, tool_server: ToolServer, caller: Caller, tmp_path: Path
) -> None:
    tool_server.start()
    worker = start_worker("agent", children=2, MCP_URL=tool_server.url)
    go = tmp_path / "go"
    turn = caller.say(
        [
            {"say": "First.", "tools": [["add", {"what": "milk"}]]},
            {"say": "Added.", "until": str(go), "tools": [["add", {"what": "bread"}]]},
            {"say": "Both."},
        ]
    )
    wait_until(lambda: count(caller, ReplyDelta) >= 2, 60, "the second answer begins")
    stopped = holder_of(turn)
    os.kill(stopped, signal.SIGSTOP)
    try:
        sweep(caller)
        assert count(caller, TurnStarted) == 1
        # As if its time had passed; its own clock still says that the turn is its.
        Turn.objects.filter(pk=turn.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
        sweep(caller)
        wait_until(lambda: count(caller, TurnStarted) == 2, 60, "another worker takes the turn")
        assert holder_of(turn) != stopped
        go.touch()
        ended = caller.finish(turn)
        row = Turn.objects.filter(pk=turn.pk)
        wait_until(lambda: row.filter(lease_until=None).exists(), 60, "the turn is let go")
        told, written = caller.events(), row.values().get()
    finally:
        os.kill(stopped, signal.SIGCONT)
    wait_until(lambda: "ended=lost" in worker.output, 60, "the old worker notices")
    assert ended.reply == "First. Added. Both."
    assert tool_server.effects == ["milk", "bread"]
    assert caller.events() == told
    assert row.values().get() == written
    assert [row.ok for row in turn.tool_calls.all()] == [True, True]


def test_a_turn_queued_often_is_run_once(
    start_worker: StartWorker, tool_server: ToolServer, caller: Caller, tmp_path: Path
) -> None:
    tool_server.start()
    start_worker("agent", children=2, MCP_URL=tool_server.url)
    go = tmp_path / "go"
    turn = caller.say([{"say": "Once.", "until": str(go)}])
    for _ in range(4):
        caller.queue("run_turn", str(turn.pk))
    caller.wait_for(ReplyDelta, turn)
    caller.rest(running=1)
    go.touch()
    assert caller.finish(turn).reply == "Once."
    assert turn.attempts == 1
    assert count(caller, TurnStarted) == 1


def test_a_dead_process_is_told_from_a_stopped_one_and_from_one_unknown() -> None:
    me = holders.this_process()
    with subprocess.Popen(["sleep", "60"]) as child:
        its = f"{me.rsplit('/', 2)[0]}/{child.pid}/{holders._started(child.pid)}"
        try:
            assert not holders.is_gone(me)
            assert not holders.is_gone(its)
            child.send_signal(signal.SIGSTOP)
            assert not holders.is_gone(its)
        finally:
            child.kill()
        wait_until(lambda: holders.is_gone(its), 60, "the corpse is seen before it is collected")
        child.wait(10)
        assert holders.is_gone(its)
    assert not holders.is_gone("")
    assert not holders.is_gone("another/boot/1/1")
