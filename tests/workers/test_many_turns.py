"""One child that works on many turns: all at once, each once, whatever becomes of the child."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import redis as redis_library
from billiard.exceptions import SoftTimeLimitExceeded

from tests.stack import ROOT, wait_until
from tests.workers.conftest import Caller
from tests.workers.processes import ToolServer, Worker
from voice import keys
from voice.envelope import sealed
from voice.events import ReplyDelta, TurnFinished, TurnStarted
from voice.models import Turn
from workers import claims, lanes
from workers.claims import Claims
from workers.intake import Intake
from workers.lanes import Job, Lanes

MANY = 5


def pool_of(worker: Worker) -> set[int]:
    return {child.pid for child in psutil.Process(worker.popen.pid).children()}


def waiting(caller: Caller, go: Path) -> list[Turn]:
    """Turns that are all begun, and go on when the file is there."""
    turns = [caller.say([{"say": f"Turn {n}.", "until": str(go)}]) for n in range(MANY)]
    for turn in turns:
        caller.wait_for(ReplyDelta, turn)
    return turns


@pytest.mark.service
def test_one_child_works_on_many_turns_and_all_go_on_elsewhere_when_it_is_killed(
    agent: Worker, caller: Caller, redis: redis_library.Redis, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    turns = waiting(caller, go)
    (child,) = pool_of(agent)
    os.kill(child, signal.SIGKILL)
    started = [TurnStarted] * 2 * MANY
    wait_until(lambda: kinds(caller, TurnStarted) == started, 60, "all are begun again")
    go.touch()
    for number, turn in enumerate(turns):
        assert caller.finish(turn).reply == f"Turn {number}."
        assert turn.attempts == 2
    caller.rest()
    assert kinds(caller, TurnFinished) == [TurnFinished] * MANY
    assert not [name for name in ours(redis) if redis.ttl(name) == -1]


@pytest.mark.service
def test_memory_that_runs_out_beside_others_costs_them_nothing_and_the_child_is_replaced(
    agent: Worker, caller: Caller, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    turns = waiting(caller, go)
    before = pool_of(agent)
    greedy = caller.say([{"say": "Runaway.", "allocate_mb": 3000}])
    go.touch()
    for turn in turns:
        assert caller.finish(turn).reply.startswith("Turn ")
    assert caller.fail(greedy).code == "memory"
    assert greedy.attempts == 2  # beside the others, and alone
    wait_until(lambda: not before & pool_of(agent), 60, "the child is replaced")


@pytest.mark.service
def test_a_limit_of_a_task_is_kept_on_its_lane(agent: Worker, caller: Caller) -> None:
    turn = Turn.objects.create(
        call=caller.call,
        number=1,
        state=Turn.State.WAITING,
        transcript='[{"say": "Never.", "until": "/nowhere"}]',
    )
    hurried = {"soft_time_limit": 0.5, "time_limit": 60}
    for _ in range(2):  # The first may be the one that Celery delivers.
        caller._app.send_task("workers.tasks.run_turn", [str(turn.pk)], queue="agent", **hurried)
    assert caller.fail(turn).code == "internal"
    assert "SoftTimeLimitExceeded" in agent.output


@pytest.mark.service
def test_a_shift_goes_on_for_longer_than_any_of_its_tasks_may(
    start_worker: Callable[..., Worker], tool_server: ToolServer, caller: Caller
) -> None:
    worker = start_worker("agent", MCP_URL=tool_server.start().url, TEST_SOFT_SECONDS="3")
    until = time.monotonic() + 5
    while time.monotonic() < until:
        assert caller.finish(caller.say([{"say": "Quick."}])).reply == "Quick."
    assert "SoftTimeLimitExceeded" not in worker.output


def kinds(caller: Caller, kind: type[Any]) -> list[type[Any]]:
    return [type(event) for event in caller.events() if isinstance(event, kind)]


def ours(redis: redis_library.Redis) -> list[bytes]:
    found: Any = redis.keys(f"{keys.PREFIX}*")
    return list(found)


# Lanes ------------------------------------------------------------------------------------------
@pytest.fixture
def own() -> Iterator[Lanes]:
    made = Lanes(most=3)
    yield made
    made.shrink()


def finished(job: Job) -> Callable[[], bool]:
    return lambda: job.over


def test_the_lane_that_became_free_last_is_used_first(own: Lanes) -> None:
    seen: list[str] = []
    for number in range(5):
        job = Job("quiet", lambda: seen.append(threading.current_thread().name))
        own.start(job)
        wait_until(finished(job), 60, f"job {number} is over")
    assert set(seen) == {"lane 0"}


def test_jobs_in_company_know_it_and_spare_lanes_end(own: Lanes) -> None:
    go = threading.Event()
    alone = Job("alone", lanes.in_company)
    own.start(alone)
    wait_until(finished(alone), 60, "it is over")
    jobs = [Job("waits", lambda: go.wait(60) and lanes.in_company()) for _ in range(3)]
    for job in jobs:
        own.start(job)
    assert len(own.running) == 3
    go.set()
    wait_until(lambda: not own.running, 60, "all are over")
    assert (alone.outcome, [job.outcome for job in jobs]) == (False, [True] * 3)
    assert own.shrink() == 2
    assert own.shrink() == 0


def test_a_task_beyond_its_soft_limit_is_told_so_and_its_lane_lives_on(own: Lanes) -> None:
    def endless() -> None:
        while True:
            time.sleep(0.001)

    late = Job("late", endless, soft_seconds=0.0)
    own.start(late)
    own.warn(late.began + 1)
    wait_until(finished(late), 60, "it is over")
    assert isinstance(late.error, SoftTimeLimitExceeded)
    after = Job("after", lambda: "well")
    own.start(after)
    wait_until(finished(after), 60, "the next is over")
    assert after.outcome == "well"


def test_a_child_that_cannot_end_a_task_ends_itself_and_leaves_word(second_broker: str) -> None:
    with redis_library.Redis.from_url(second_broker) as client:
        client.flushdb()
    # A program of its own: in a fork of this process, locks of its threads may be held for good.
    code = f"import django; django.setup(); from {__name__} import hang; hang({second_broker!r})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=90, check=False)
    assert done.returncode == -signal.SIGKILL
    with redis_library.Redis.from_url(second_broker) as client:
        assert not client.exists("agent")
        assert claims.give_back_lost(client, "agent", time.time()) == 1
        (left,) = client.lrange("agent", 0, -1)
    assert b"workers.tasks.give_up_turn" in left
    assert b"some-turn" in left


def hang(broker: str) -> None:
    """In a process of its own: claim a turn that never ends."""
    import workers.tasks  # noqa: F401  # what Celery knows of a turn

    client = redis_library.Redis.from_url(broker)
    client.lpush("agent", sealed("run_turn", "some-turn"))
    own = Claims(client, "agent")
    own.open()
    raw = own.next(1.0)
    assert raw
    job = Job("workers.tasks.run_turn", lambda: time.sleep(600), raw, args=("some-turn",))
    job.hard_seconds = 0.1
    started = Lanes(2)
    intake = Intake(started, own, client, "agent@test")
    started.start(job)
    delivered = Job("workers.tasks.run_turn", lambda: None, args=("other",))
    intake.work(delivered, "tag")
