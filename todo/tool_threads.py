"""Runs tools in a few threads. One that does not come back is left behind, and its place is free.

Nothing ends a thread from outside, so what is left behind stays as long as the process does: after
`most_left` of them whoever started this is told to replace it.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import threading
from collections.abc import Callable, Hashable
from queue import SimpleQueue
from typing import Any

logger = logging.getLogger(__name__)
# Of those left behind: each holds a stack, which counts towards the process's memory ceiling.
MOST_LEFT = 16

_Work = Callable[[], None]


class ToolThreads:
    """All methods belong to the loop on which the first of them is called."""

    def __init__(
        self,
        number: int,
        seconds: float,
        *,
        most_left: int = MOST_LEFT,
        worn: Callable[[], None] | None = None,
    ) -> None:
        """`seconds`: how long a call may wait for a thread, and how long it may then take."""
        self._number, self._seconds = number, seconds
        self._most_left, self._worn = most_left, worn
        self._places = asyncio.Semaphore(number)
        self._idle: list[_Thread] = []
        self._calls: dict[Hashable, asyncio.Task[Any]] = {}
        self.left = 0
        """Threads that were left behind."""

    async def run(self, key: Hashable, function: Callable[[], Any]) -> Any:
        """What it answers or raises; TimeoutError if it did not come back in time.

        Who asks again under the key of a call that is under way waits for the same answer.
        """
        call = self._calls.get(key)
        if call is None:
            call = asyncio.get_running_loop().create_task(self._called(function))
            self._calls[key] = call
            call.add_done_callback(lambda done: self._over(key, done))
        # Who asked may go away; the thread cannot.
        return await asyncio.shield(call)

    def _over(self, key: Hashable, call: asyncio.Task[Any]) -> None:
        self._calls.pop(key, None)
        if not call.cancelled():
            call.exception()  # nobody may be left to be told

    async def _called(self, function: Callable[[], Any]) -> Any:
        async with asyncio.timeout(self._seconds):
            await self._places.acquire()
        try:
            return await self._in_thread(function)
        finally:
            self._places.release()

    async def _in_thread(self, function: Callable[[], Any]) -> Any:
        thread = self._idle.pop() if self._idle else _Thread()
        answer = thread.run(function)
        done, _ = await asyncio.wait({answer}, timeout=self._seconds)
        if done:
            self._idle.append(thread)
            return answer.result()
        thread.leave()
        self.left += 1
        logger.error("tool left behind", extra={"left": self.left})
        if self.left == self._most_left and self._worn is not None:
            self._worn()
        raise TimeoutError


class _Thread:
    """One thread, and what it is to do next."""

    def __init__(self) -> None:
        self._work: SimpleQueue[_Work | None] = SimpleQueue()
        threading.Thread(target=self._live, name="tool", daemon=True).start()

    def run(self, function: Callable[[], Any]) -> asyncio.Future[Any]:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        context = contextvars.copy_context()

        def work() -> None:
            try:
                result, error = context.run(function), None
            except BaseException as raised:  # it belongs to whoever asked
                result, error = None, raised
            try:
                loop.call_soon_threadsafe(_answer, answer, result, error)
            except RuntimeError:
                return  # the loop is closed, and nobody waits

        self._work.put(work)
        return answer

    def leave(self) -> None:
        """It ends when what it does ends, if ever."""
        self._work.put(None)

    def _live(self) -> None:
        while (work := self._work.get()) is not None:
            work()
            # An idle thread holds on to no answer.
            del work


def _answer(answer: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if answer.done():
        return
    if error is None:
        answer.set_result(result)
    else:
        answer.set_exception(error)
