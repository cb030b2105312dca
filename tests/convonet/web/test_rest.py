"""When the web process gives back what a burst took, and what then."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import linecache
import logging
import subprocess
import sys
import traceback
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from convonet.web import heap
from convonet.web.rest import Rest

PATIENCE = 60


class Kept:
    """What a rest does, in order."""

    def __init__(self) -> None:
        self.calls = 0
        self.done: list[str] = []
        self.given, self.tried = asyncio.Event(), asyncio.Event()
        self.fails = False

    async def close(self) -> None:
        self.done.append("close")
        self.tried.set()
        if self.fails:
            raise OSError("no database")

    def give_back(self) -> None:
        self.done.append("give back")
        self.given.set()

    async def until_given(self) -> None:
        async with asyncio.timeout(PATIENCE):
            await self.given.wait()
        self.given.clear()


@asynccontextmanager
async def resting(kept: Kept, quiet: float = 0.05, longest: float = 0.2) -> AsyncIterator[Rest]:
    rest = Rest(
        kept.close,
        calls=lambda: kept.calls,
        give_back=kept.give_back,
        quiet_seconds=quiet,
        longest_seconds=longest,
    )
    task = asyncio.create_task(rest.run())
    try:
        yield rest
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_after_the_last_call_the_database_is_closed_and_memory_given_back() -> None:
    kept = Kept()
    async with resting(kept) as rest:
        rest.stir()
        await kept.until_given()
    assert kept.done == ["close", "give back"]


async def test_while_calls_go_on_nothing_of_theirs_is_closed() -> None:
    kept = Kept()
    kept.calls = 1
    async with resting(kept) as rest:
        rest.stir()
        await kept.until_given()
    assert kept.done == ["give back"]


async def test_it_rests_too_where_something_happens_all_the_time() -> None:
    kept = Kept()
    async with resting(kept, quiet=PATIENCE, longest=0.1) as rest:
        while not kept.given.is_set():
            rest.stir()
            await asyncio.sleep(0)
    assert kept.done == ["close", "give back"]


async def test_where_nothing_happened_nothing_is_done() -> None:
    kept = Kept()
    async with resting(kept) as rest:
        rest.stir()
        await kept.until_given()
        # Ten times as long as a lull.
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await kept.given.wait()


async def test_threads_may_tell_and_a_failure_ends_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    kept = Kept()
    kept.fails = True
    caplog.set_level(logging.ERROR, "convonet.rest")
    async with resting(kept) as rest:
        await asyncio.to_thread(rest.stir)
        async with asyncio.timeout(PATIENCE):
            await kept.tried.wait()
        kept.fails = False
        await asyncio.to_thread(rest.stir)
        await kept.until_given()
    assert [record.message for record in caplog.records] == ["nothing given back"]


async def test_garbage_in_circles_goes_with_the_last_call() -> None:
    class Circle:
        def __init__(self) -> None:
            self.itself = self

    circle = weakref.ref(Circle())
    kept = Kept()
    gc.disable()
    try:
        async with resting(kept) as rest:
            assert circle() is not None
            rest.stir()
            await kept.until_given()
        assert circle() is None
    finally:
        gc.enable()


def _is_glibc() -> bool:
    return hasattr(ctypes.CDLL(None), "gnu_get_libc_version")


@pytest.mark.skipif(not _is_glibc(), reason="another C library")
def test_freed_memory_of_a_thread_goes_back_to_the_kernel() -> None:
    """In a process of its own: the allocator's settings are the process's."""
    script = """
import ctypes, sys, threading
from convonet.web import heap
library = ctypes.CDLL(None)
library.malloc.restype = ctypes.c_void_p
library.malloc.argtypes = library.free.argtypes = [ctypes.c_size_t]
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4
assert heap.keep_small()
before = resident()
def burst():
    held = [library.malloc(4000) for _ in range(5000)]
    for at in held: ctypes.memset(at, 1, 4000)
    # The last one stays: the heap cannot shrink from its end.
    for at in held[:-1]: library.free(at)
threads = [threading.Thread(target=burst) for _ in range(4)]
[one.start() for one in threads]; [one.join() for one in threads]
grown = resident() - before
assert heap.give_back()
left = resident() - before
assert left < 8000, (grown, left)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heap, "_library", lambda: None)
    assert not heap.keep_small()
    assert not heap.give_back()


def test_sources_that_a_traceback_quoted_are_forgotten() -> None:
    assert "traceback.format_stack()" in "".join(traceback.format_stack())
    assert __file__ in linecache.cache
    heap.give_back()
    assert not linecache.cache
