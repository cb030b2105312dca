"""The models that a child has open, on the loop that asks them: there alone can they be closed."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from workers.registry import Registry

# Of one model: for each list of tools that turns come with.
MOST_BOUND = 8

Close = Callable[[Any], Awaitable[None]]


class Opened:
    """A LangChain chat model with its client; `close` ends that."""

    def __init__(self, model: Any, close: Close | None = None) -> None:
        self.model, self._close = model, close
        self._bound: OrderedDict[int, tuple[Sequence[Any], Any]] = OrderedDict()

    def with_tools(self, tools: Sequence[Any]) -> Any:
        """The model that may call these; their schemas are converted once for each list."""
        known = self._bound.get(id(tools))
        if known is None:
            # The list is kept with it, so that no other gets its id.
            known = tools, self.model.bind_tools(tools) if tools else self.model
            self._bound[id(tools)] = known
            if len(self._bound) > MOST_BOUND:
                self._bound.popitem(last=False)
        self._bound.move_to_end(id(tools))
        return known[1]

    async def close(self) -> None:
        if self._close is not None:
            await self._close(self.model)


class Services:
    """At most `most` open; one that nobody asked for `idle_seconds` is closed."""

    def __init__(self, most: int = 1, idle_seconds: float = float("inf")) -> None:
        self._registry: Registry[str, Opened] = Registry(
            self._begin_closing, most=most, idle_seconds=idle_seconds
        )
        self._timer: asyncio.TimerHandle | None = None
        self._closing: set[asyncio.Task[None]] = set()

    @contextmanager
    def lease(self, name: str, make: Callable[[], Opened]) -> Iterator[Opened]:
        try:
            with self._registry.lease(name, make) as opened:
                yield opened
        finally:
            self._look_later()

    async def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._registry.clear()
        if self._closing:
            await asyncio.wait(self._closing)

    def _look_later(self) -> None:
        if self._timer is None and (loop := _loop()) is not None:
            due = self._registry.close_idle()
            if due is not None and due < float("inf"):
                self._timer = loop.call_later(due, self._look)

    def _look(self) -> None:
        self._timer = None
        self._look_later()

    def _begin_closing(self, opened: Opened) -> None:
        """What was opened in the parent, where no loop runs, has no client."""
        if (loop := _loop()) is not None:
            task = loop.create_task(opened.close())
            self._closing.add(task)
            task.add_done_callback(self._closed)

    def _closed(self, task: asyncio.Task[None]) -> None:
        self._closing.discard(task)
        if not task.cancelled():
            # A client that does not close well is gone all the same.
            task.exception()


def _loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
