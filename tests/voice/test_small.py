"""A call's own flags and queues do as asyncio's."""

from __future__ import annotations

import asyncio
import sys

import pytest

from voice.small import Flag, Jobs

PATIENCE = 60


async def until_waiting(*tasks: asyncio.Task[object]) -> None:
    """Each has come to where it waits."""
    for _ in range(5):
        await asyncio.sleep(0)
    assert not any(task.done() for task in tasks)


async def test_all_who_wait_go_on_when_the_flag_is_set_even_if_it_is_lowered_at_once() -> None:
    flag = Flag()
    tasks = [asyncio.create_task(flag.wait()) for _ in range(3)]
    await until_waiting(*tasks)
    flag.set()
    flag.clear()
    async with asyncio.timeout(PATIENCE):
        assert await asyncio.gather(*tasks) == [True] * 3
    assert not flag.is_set()


async def test_nobody_waits_for_a_flag_that_is_set() -> None:
    flag = Flag()
    flag.set()
    flag.set()
    assert await flag.wait()
    assert flag.is_set()


async def test_who_gave_up_waiting_is_not_told() -> None:
    flag = Flag()
    gone, stays = (asyncio.create_task(flag.wait()) for _ in range(2))
    await until_waiting(gone, stays)
    gone.cancel()
    # Set while the other is on its way out.
    flag.set()
    async with asyncio.timeout(PATIENCE):
        left, told = await asyncio.gather(gone, stays, return_exceptions=True)
    assert isinstance(left, asyncio.CancelledError)
    assert told is True


async def test_jobs_come_in_order_and_one_waits_for_the_next() -> None:
    jobs: Jobs[int] = Jobs(3)
    waiting = asyncio.create_task(jobs.get())
    await until_waiting(waiting)
    jobs.put_nowait(1)
    jobs.put_nowait(2)
    async with asyncio.timeout(PATIENCE):
        assert await waiting == 1
    assert not jobs.empty()
    assert jobs.get_nowait() == 2
    assert jobs.empty()
    with pytest.raises(asyncio.QueueEmpty):
        jobs.get_nowait()


async def test_one_too_many_is_refused() -> None:
    jobs: Jobs[int] = Jobs(2)
    jobs.put_nowait(1)
    jobs.put_nowait(2)
    with pytest.raises(asyncio.QueueFull):
        jobs.put_nowait(3)
    assert await jobs.get() == 1
    jobs.put_nowait(3)
    assert [await jobs.get(), await jobs.get()] == [2, 3]


async def test_who_joins_waits_until_what_was_taken_is_done() -> None:
    jobs: Jobs[int] = Jobs(2)
    async with asyncio.timeout(PATIENCE):
        await jobs.join()
    jobs.put_nowait(1)
    joining = asyncio.create_task(jobs.join())
    await jobs.get()
    await until_waiting(joining)
    jobs.task_done()
    async with asyncio.timeout(PATIENCE):
        await joining


async def test_a_taker_who_gave_up_takes_nothing_with_it() -> None:
    jobs: Jobs[int] = Jobs(2)
    taker = asyncio.create_task(jobs.get())
    await until_waiting(taker)
    taker.cancel()
    jobs.put_nowait(1)
    with pytest.raises(asyncio.CancelledError):
        await taker
    assert jobs.get_nowait() == 1


def test_they_are_small() -> None:
    flag = Flag()
    assert not hasattr(flag, "__dict__")
    assert sys.getsizeof(flag) < 100
    assert not hasattr(Jobs[int](1), "__dict__")
