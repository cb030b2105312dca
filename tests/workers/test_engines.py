"""Speech engines: loaded when a call begins, one at a time, and gone when nobody calls."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
import redis as redis_library

from monitor import board
from tests.stack import wait_until
from tests.workers.processes import Worker
from voice import envelope, keys
from workers import engines
from workers.idleness import FIRST_SECONDS, Idleness


def test_idleness_is_over_once_after_the_last_task() -> None:
    idle = Idleness(10.0, 0.0)
    assert not idle.over(0.0, 0, busy=False)
    assert not idle.working
    assert not idle.over(5.0, 1, busy=False)
    assert idle.working
    assert not idle.over(14.0, 1, busy=False)
    assert not idle.over(14.0, 2, busy=False)
    assert idle.over(24.0, 2, busy=False)
    assert not idle.over(90.0, 2, busy=False)
    assert not idle.working


def test_a_task_that_still_runs_is_no_idleness() -> None:
    idle = Idleness(10.0, 0.0)
    assert not idle.over(0.0, 1, busy=True)
    assert not idle.over(50.0, 1, busy=True)
    assert idle.over(60.0, 1, busy=False)


def test_who_was_never_used_is_idle_soon() -> None:
    idle = Idleness(120.0, 50.0)
    assert not idle.over(49.0 + FIRST_SECONDS, 0, busy=False)
    assert idle.over(50.0 + FIRST_SECONDS, 0, busy=False)


def test_idleness_that_is_put_off_is_over_later() -> None:
    idle = Idleness(10.0, 0.0)
    assert idle.over(10.0, 0, busy=False)
    idle.go_on(10.0)
    assert not idle.over(19.0, 0, busy=False)
    assert idle.over(20.0, 0, busy=False)
    idle.go_on(20.0, 3.0)
    assert not idle.over(22.0, 0, busy=False)
    assert idle.over(23.0, 0, busy=False)


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two engines that only note that they were loaded."""
    names: list[str] = []
    own = [(name, lambda name=name: names.append(name)) for name in ("mouth", "ears")]
    monkeypatch.setattr(engines, "_own", lambda: iter(own))
    monkeypatch.setattr(engines, "_loaded", set())
    return names


@pytest.mark.service
def test_each_task_loads_one_engine_and_has_the_next_one_loaded(
    loaded: list[str], redis: redis_library.Redis
) -> None:
    queue = envelope.queue_of(engines.TASK)
    for most in (1, 2):
        engines.get_ready(redis)
        assert len(loaded) == redis.llen(queue) == most
    assert loaded == ["mouth", "ears"]
    # Where everything is loaded, nothing is done and nobody asked.
    engines.get_ready(redis)
    assert redis.llen(queue) == 2
    queued: Any = redis.lrange(queue, 0, -1)
    assert all(json.loads(message)["headers"]["expires"] for message in queued)


def test_a_child_that_starts_among_loaded_ones_loads_at_once(
    loaded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "_state", None)
    assert not engines.awake()
    engines.share()
    assert not engines.awake()
    room = engines.to_come_kib()
    engines.wake(up=True)
    assert engines.awake()
    engines.load_all()
    assert loaded == ["mouth", "ears"]
    assert (room, engines.to_come_kib()) == (2 * engines.ENGINE_KIB, 0)
    engines.wake(up=False)
    assert not engines.awake()


def computing(worker: Worker) -> dict[int, bool]:
    """Its children, and whether each has an engine in memory."""
    maps = {one.pid: Path(f"/proc/{one.pid}/maps") for one in worker.descendants()}
    return {pid: "ctranslate2" in path.read_text() for pid, path in maps.items()}


@contextmanager
def a_call(redis: redis_library.Redis) -> Iterator[None]:
    """While it is up, nobody is let go."""
    pipe = redis.pipeline()
    board.announce(pipe, board.WEB, "web:1", json.dumps({"calls": 1}), seconds=600)
    pipe.execute()
    yield
    board.withdraw(pipe, board.WEB, "web:1")
    pipe.execute()


@pytest.mark.service
def test_children_load_for_a_call_and_are_empty_again_when_idle(
    start_worker: Callable[..., Worker], redis: redis_library.Redis
) -> None:
    worker = start_worker("speech", SPEECH_IDLE_SECONDS="1")
    (empty,) = computing(worker)
    with a_call(redis):
        redis.lpush("speech", envelope.sealed(engines.TASK))
        wait_until(lambda: seen(worker) == {empty: True}, 60, "the child has loaded")
    wait_until(
        lambda: empty not in seen(worker) and list(seen(worker).values()) == [False],
        60,
        "an empty child has taken its place",
    )
    assert "exited with" not in worker.output


def seen(worker: Worker) -> dict[int, bool]:
    try:
        return computing(worker)
    except (OSError, psutil.Error):
        return {}  # one has ended just now


@pytest.mark.service
def test_while_nobody_calls_there_are_few_children(
    start_worker: Callable[..., Worker], redis: redis_library.Redis
) -> None:
    # One is kept for the clock, whose tasks this worker's parent pushes.
    few = {"TEST_SHRINK": "1", "SPEECH_IDLE_SECONDS": "1", "AGENT_IDLE_SECONDS": "1"}
    few["TEST_SCHEDULE"] = "1"
    workers = [start_worker(role, children=2, **few) for role in ("speech", "agent")]

    def children() -> list[int]:
        return [len(worker.descendants()) for worker in workers]

    wait_until(lambda: children() == [0, 1], 60, "the others are let go")
    with a_call(redis):
        redis.lpush("speech", envelope.sealed(engines.TASK))
        redis.lpush("chores", envelope.sealed("stand_by"))
        wait_until(lambda: children() == [2, 2], 60, "all are back for a call")
        wait_until(lambda: all(seen(workers[0]).values()), 60, "all have what they need")
        used = set(seen(workers[1]))
    wait_until(lambda: children() == [0, 1], 60, "they are let go again")
    wait_until(lambda: not used & set(seen(workers[1])), 60, "the one that is left is new")
    for worker in workers:
        assert worker.stop() == 0
        assert "exited with" not in worker.output


@pytest.mark.service
def test_a_task_that_comes_while_there_is_no_child_is_done(
    start_worker: Callable[..., Worker], redis: redis_library.Redis
) -> None:
    worker = start_worker("speech", TEST_SHRINK="1", SPEECH_IDLE_SECONDS="1")
    wait_until(lambda: not worker.descendants(), 60, "no child is left")
    key = keys.voice_sample("pico/en-GB")
    redis.lpush("speech", envelope.sealed("speak_sample", "pico/en-GB"))
    wait_until(lambda: redis.exists(key) == 1, 60, "it is spoken")
