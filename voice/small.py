"""asyncio's Event and Queue for what each call has a dozen of: at a tenth of their size.

Each of asyncio's keeps an empty deque for every kind of waiter, which is 0.76 KB apiece; of these
were a sixth of what a silent call took. For the event loop's thread alone, like theirs.
"""

from __future__ import annotations

import asyncio
from typing import Generic, TypeVar

T = TypeVar("T")


class Flag:
    """As asyncio.Event."""

    __slots__ = ("_set", "_waiters")

    def __init__(self) -> None:
        self._set = False
        self._waiters: tuple[asyncio.Future[None], ...] = ()

    def is_set(self) -> bool:
        return self._set

    def set(self) -> None:
        if not self._set:
            self._set = True
            for waiter in self._waiters:
                if not waiter.done():
                    waiter.set_result(None)

    def clear(self) -> None:
        self._set = False

    async def wait(self) -> bool:
        if self._set:
            return True
        waiter = asyncio.get_running_loop().create_future()
        self._waiters = (*self._waiters, waiter)
        try:
            await waiter
            return True
        finally:
            self._waiters = tuple(one for one in self._waiters if one is not waiter)


class Jobs(Generic[T]):
    """As asyncio.Queue, for one who takes and at most a few dozen that wait."""

    __slots__ = ("_come", "_done", "_most", "_open", "_waiting")

    def __init__(self, most: int) -> None:
        self._most, self._open = most, 0
        self._waiting: list[T] = []
        self._come, self._done = Flag(), Flag()
        self._done.set()

    def empty(self) -> bool:
        return not self._waiting

    def put_nowait(self, job: T) -> None:
        """Raises asyncio.QueueFull."""
        if len(self._waiting) >= self._most:
            raise asyncio.QueueFull
        self._waiting.append(job)
        self._open += 1
        self._done.clear()
        self._come.set()

    async def get(self) -> T:
        while not self._waiting:
            self._come.clear()
            await self._come.wait()
        return self._waiting.pop(0)

    def get_nowait(self) -> T:
        """Raises asyncio.QueueEmpty."""
        if not self._waiting:
            raise asyncio.QueueEmpty
        return self._waiting.pop(0)

    def task_done(self) -> None:
        """One that was taken is done."""
        self._open -= 1
        if not self._open:
            self._done.set()

    async def join(self) -> None:
        """Until all that was put is done."""
        await self._done.wait()
