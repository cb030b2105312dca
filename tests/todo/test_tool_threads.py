"""Tools run in a few threads: one that never comes back takes nobody's place for good."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import pytest

from todo.tool_threads import ToolThreads

PATIENCE_SECONDS = 60.0


@pytest.fixture
def hanging() -> Any:
    """What never comes back while the test lasts."""
    ended = threading.Event()
    yield lambda: ended.wait(PATIENCE_SECONDS)
    ended.set()


async def test_a_thread_is_used_again() -> None:
    threads = ToolThreads(2, PATIENCE_SECONDS)
    names = {await threads.run(n, threading.get_ident) for n in range(5)}
    assert len(names) == 1


async def test_what_a_tool_raises_reaches_who_asked() -> None:
    def fail() -> None:
        raise MemoryError

    threads = ToolThreads(1, PATIENCE_SECONDS)
    with pytest.raises(MemoryError):
        await threads.run(1, fail)
    assert await threads.run(2, lambda: "well") == "well"


async def test_a_tool_runs_in_the_context_of_who_asked() -> None:
    whose: ContextVar[str] = ContextVar("whose")
    whose.set("ours")
    assert await ToolThreads(1, PATIENCE_SECONDS).run(1, whose.get) == "ours"


async def test_tools_that_never_come_back_leave_their_places_to_others(
    hanging: Callable[[], bool],
) -> None:
    threads = ToolThreads(2, 0.05)
    for number in range(3):
        with pytest.raises(TimeoutError):
            await threads.run(number, hanging)
    assert threads.left == 3
    other = ToolThreads(1, PATIENCE_SECONDS)
    assert await other.run("a", lambda: "answered") == "answered"


async def test_who_finds_no_thread_free_in_time_is_told(hanging: Callable[[], bool]) -> None:
    threads = ToolThreads(1, 0.2)
    first = asyncio.create_task(threads.run(1, hanging))
    second = asyncio.create_task(threads.run(2, hanging))
    results = await asyncio.gather(first, second, return_exceptions=True)
    assert [type(result) for result in results] == [TimeoutError, TimeoutError]


async def test_who_asks_again_under_the_same_key_waits_for_the_same_answer() -> None:
    threads, go, runs = ToolThreads(2, PATIENCE_SECONDS), threading.Event(), []

    def run() -> int:
        runs.append(1)
        go.wait(PATIENCE_SECONDS)
        return len(runs)

    first = asyncio.create_task(threads.run("key", run))
    again = asyncio.create_task(threads.run("key", run))
    await asyncio.sleep(0)
    first.cancel()
    go.set()
    assert await again == 1
    assert await threads.run("key", run) == 2


async def test_whoever_started_it_is_told_once_when_too_many_were_left_behind(
    hanging: Callable[[], bool],
) -> None:
    told: list[int] = []
    threads = ToolThreads(1, 0.05, most_left=2, worn=lambda: told.append(threads.left))
    for number in range(3):
        with pytest.raises(TimeoutError):
            await threads.run(number, hanging)
    assert told == [2]
