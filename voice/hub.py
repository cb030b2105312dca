"""One blocking read per web process for the events of all its calls and pages.

Subscribers get events in order, on the loop's thread, through a plain function that must not
block. When the broker goes away the hub says so once, goes on trying, and resumes each stream
where it was.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from redis.exceptions import RedisError

from convonet import counters
from convonet.stopwatch import mark
from voice import keys
from voice.events import Event, SentenceAudio, decode
from voice.stream_reading import StreamReading
from voice.streams import FIELD

logger = logging.getLogger(__name__)

Receive = Callable[[Event], None]
# The server answers sooner when there is news; this bounds how long a lost connection goes unseen.
BLOCK_MS = 5000
RETRY_SECONDS = 0.5
BATCH = 200
BEGINNING = "0-0"
TICK_SECONDS = 0.5


class EventHub:
    """`run()` for as long as the process lives; `subscribe()` and `on_tick()` at any time."""

    def __init__(self, redis: Any) -> None:
        self._redis = redis
        self._receivers: dict[str, list[Receive]] = {}
        self._reading = StreamReading(count=BATCH, block_ms=BLOCK_MS)
        self._once: set[str] = set()
        self._tickers: set[Callable[[float], None]] = set()
        self._watchers: set[Callable[[bool], None]] = set()
        self._bell = f"{keys.PREFIX}bell:{uuid.uuid4().hex}"
        self.connected = True

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._read_forever())
            tasks.create_task(self._tick_forever())

    @contextmanager
    def listening(
        self, *, tick: Callable[[float], None], broker: Callable[[bool], None]
    ) -> Iterator[None]:
        """While within, `tick` is called twice a second and `broker` when it goes or returns."""
        self._tickers.add(tick)
        self._watchers.add(broker)
        try:
            yield
        finally:
            self._tickers.discard(tick)
            self._watchers.discard(broker)

    async def subscribe(
        self, stream: str, receive: Receive, *, from_start: bool, once: bool = False
    ) -> None:
        """Events of `stream` from its first on, or from now on. `unsubscribe` must follow.

        With `once` an event is deleted as soon as it was delivered.
        """
        if once:
            self._once.add(stream)
        if stream not in self._reading:
            after = BEGINNING if from_start else await self._last_id(stream)
            self._reading.read_after(stream, after)
        self._receivers.setdefault(stream, []).append(receive)
        await self._ring()

    def unsubscribe(self, stream: str, receive: Receive) -> None:
        receivers = self._receivers.get(stream, [])
        with contextlib.suppress(ValueError):
            receivers.remove(receive)
        if not receivers:
            self._receivers.pop(stream, None)
            self._reading.forget(stream)
            self._once.discard(stream)

    def position(self, stream: str) -> str:
        """The id of the last event of `stream` that was delivered; empty if it is not read."""
        return self._reading.position(stream) if stream in self._reading else ""

    async def trim(self, stream: str, position: str) -> None:
        """Drop what lies before this event, by which a reader that is behind knows its place."""
        with contextlib.suppress(RedisError, OSError):
            await self._redis.xtrim(stream, minid=position, approximate=False)

    async def delete(self, stream: str) -> None:
        """What nobody will read again; without a broker it goes when its lifetime is over."""
        with contextlib.suppress(RedisError, OSError):
            await self._redis.delete(stream)

    async def _last_id(self, stream: str) -> str:
        with contextlib.suppress(RedisError, OSError):
            last = await self._redis.xrevrange(stream, count=1)
            if last:
                return str(last[0][0], "ascii")
            return BEGINNING
        return f"{int(time.time() * 1000)}-0"

    async def _ring(self) -> None:
        """Make the blocking read come back and see the new stream."""
        with contextlib.suppress(RedisError, OSError):
            pipe = self._redis.pipeline(transaction=False)
            pipe.xadd(self._bell, {FIELD: b""}, maxlen=1)
            pipe.expire(self._bell, 60)
            await pipe.execute()

    async def _read_forever(self) -> None:
        self._reading.read_after(self._bell, BEGINNING)
        while True:
            asked = self._reading.positions()
            try:
                answer = await self._reading.news(self._redis)
            except (RedisError, OSError) as error:
                self._set_connected(False, type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)
                continue
            self._set_connected(True)
            for name, entries in answer:
                stream = name.decode()
                if stream == self._bell:
                    self._reading.read_after(stream, entries[-1][0].decode())
                else:
                    if len(entries) == BATCH:
                        await self._look_back(stream, asked[stream])
                    self._deliver(stream, entries)
                if stream in self._once:
                    await self._delete(stream, entries)

    async def _look_back(self, stream: str, position: str) -> None:
        """So far behind, what lay between the last one read and these may have been trimmed."""
        with contextlib.suppress(RedisError, OSError):
            if position == BEGINNING:
                told = await self._redis.xinfo_stream(stream)
                lost = told["entries-added"] > told["length"]
            else:
                lost = not await self._redis.xrange(stream, position, position)
            if lost and stream not in self._once:
                counters.add("events_lost")
                logger.error("events lost", extra={"stream": stream})

    def _deliver(self, stream: str, entries: list[tuple[bytes, dict[bytes, bytes]]]) -> None:
        for entry_id, fields in entries:
            if stream not in self._reading:
                return
            self._reading.read_after(stream, entry_id.decode())
            try:
                event = decode(fields[FIELD])
                if isinstance(event, SentenceAudio):
                    mark("seen", event.turn_id)
            except (KeyError, ValueError):
                logger.exception("unreadable event", extra={"stream": stream})
                continue
            for receive in list(self._receivers.get(stream, ())):
                try:
                    receive(event)
                except Exception:
                    # One call's fault must not end the reading for all others.
                    logger.exception("event not handled", extra={"kind": type(event).__name__})

    async def _delete(self, stream: str, entries: list[tuple[bytes, dict[bytes, bytes]]]) -> None:
        with contextlib.suppress(RedisError, OSError):
            await self._redis.xdel(stream, *(entry_id for entry_id, _ in entries))

    def _set_connected(self, connected: bool, reason: str = "") -> None:
        if connected == self.connected:
            return
        self.connected = connected
        if connected:
            logger.info("broker is back")
        else:
            logger.error("broker lost", extra={"reason": reason})
        for watcher in list(self._watchers):
            watcher(connected)

    async def _tick_forever(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(TICK_SECONDS)
            now = loop.time()
            for tick in list(self._tickers):
                try:
                    tick(now)
                except Exception:
                    logger.exception("tick failed")
