"""What a worker opens for those who chose it, kept while it is wanted: a bounded number.

Businesses and people choose their own models, voices and tools. What a choice needs is opened by
the first turn that asks for it, shared by all who chose the same, and closed when others are wanted
more, or when nobody has wanted it for a while; never under somebody who is using it.
"""

from __future__ import annotations

import logging
import os
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from threading import Lock
from time import monotonic
from typing import Any, Generic, TypeVar

from convonet import counters

logger = logging.getLogger("workers.registry")

Key = TypeVar("Key", bound=Hashable)
Service = TypeVar("Service")


class _Entry(Generic[Service]):
    """`users` and `dropped` belong to the registry's lock, the service to the entry's own."""

    __slots__ = ("dropped", "made", "making", "service", "used_at", "users")

    def __init__(self) -> None:
        self.making = Lock()
        self.made = False
        self.service: Service
        self.users = 0
        self.used_at = 0.0
        self.dropped = False


class Registry(Generic[Key, Service]):
    """Any thread may ask. `close` gets each service once, when its last user is done with it."""

    def __init__(
        self,
        close: Callable[[Service], None] | None = None,
        *,
        most: int,
        idle_seconds: float = float("inf"),
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """More than `most` are there only while more are in use at the same time."""
        self._close = close
        self._most, self._idle_seconds, self._clock = max(1, most), idle_seconds, clock
        self._lock = Lock()
        # The last used is the last.
        self._entries: OrderedDict[Key, _Entry[Service]] = OrderedDict()
        _registries.add(self)

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: Key) -> bool:
        return key in self._entries

    @contextmanager
    def lease(self, key: Key, make: Callable[[], Service]) -> Iterator[Service]:
        """The service of this key, made if it is not there; raises what `make` raises."""
        entry = self._enter(key)
        try:
            yield self._service_of(key, entry, make)
        finally:
            self._leave(entry)

    def close_idle(self) -> float | None:
        """Drop what nobody has used for so long; seconds until the next may be due, if any."""
        now, idle = self._clock(), []
        with self._lock:
            for key, entry in list(self._entries.items()):
                if not entry.users and now - entry.used_at >= self._idle_seconds:
                    idle.append(self._drop(key))
            waiting = [entry.used_at for entry in self._entries.values() if not entry.users]
        self._end(idle, evicted=True)
        return max(0.0, min(waiting) + self._idle_seconds - now) if waiting else None

    def clear(self) -> None:
        """Drop all; what is in use is closed by its last user."""
        with self._lock:
            dropped = [self._drop(key) for key in list(self._entries)]
        self._end([entry for entry in dropped if not entry.users])

    def _enter(self, key: Key) -> _Entry[Service]:
        with self._lock:
            entry = self._entries.setdefault(key, _Entry())
            self._entries.move_to_end(key)
            entry.users += 1
            evicted = [self._drop(old) for old in self._too_many()]
        self._end(evicted, evicted=True)
        return entry

    def _too_many(self) -> list[Key]:
        """The least recently used of those that nobody uses."""
        more = len(self._entries) - self._most
        unused = [key for key, entry in self._entries.items() if not entry.users]
        return unused[: max(0, more)]

    def _service_of(self, key: Key, entry: _Entry[Service], make: Callable[[], Service]) -> Service:
        with entry.making:
            if not entry.made:
                try:
                    entry.service = make()
                except BaseException:
                    self._forget(key, entry)
                    raise
                entry.made = True
                counters.add("services_opened")
            return entry.service

    def _forget(self, key: Key, entry: _Entry[Service]) -> None:
        with self._lock:
            if self._entries.get(key) is entry:
                self._drop(key)

    def _leave(self, entry: _Entry[Service]) -> None:
        with self._lock:
            entry.users -= 1
            entry.used_at = self._clock()
            over = entry.dropped and not entry.users
            # There were more in use than may stay.
            evicted = [self._drop(old) for old in self._too_many()]
        self._end([entry] if over else [])
        self._end(evicted, evicted=True)

    def _drop(self, key: Key) -> _Entry[Service]:
        entry = self._entries.pop(key)
        entry.dropped = True
        return entry

    def _end(self, entries: list[_Entry[Service]], *, evicted: bool = False) -> None:
        """Outside the lock: closing may take its time."""
        for entry in entries:
            if not entry.made:
                continue
            if evicted:
                counters.add("services_evicted")
            counters.add("services_closed")
            if self._close is None:
                continue
            try:
                self._close(entry.service)
            except Exception as error:
                # It is gone either way, and the turn that made room for itself goes on.
                logger.warning("service not closed", extra={"error": type(error).__name__})

    def _begin_anew(self) -> None:
        """In a child: no thread of its parent's is here to let go of a lock."""
        self._lock = Lock()
        for entry in self._entries.values():
            entry.making = Lock()


_registries: weakref.WeakSet[Registry[Any, Any]] = weakref.WeakSet()


def _begin_all_anew() -> None:
    for registry in list(_registries):
        registry._begin_anew()


os.register_at_fork(after_in_child=_begin_all_anew)
