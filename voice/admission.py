"""Whether one more call may come, and who of this process has a place.

Calls are counted here and, with those of all other web processes, in Redis (`voice.places`):
counters, no samples. Running calls are never asked again.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import socket
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Hashable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from typing import Any

from django.conf import settings
from redis.exceptions import RedisError

from convonet import counters
from voice import keys, leases, places, room
from voice.audio_store import answering
from voice.errors import Busy, Refused
from voice.places import Count, Limits

logger = logging.getLogger(__name__)

BUSY = "All lines are busy. Please try again in a minute."
TOO_MANY_OF_YOURS = "You already have as many calls open as this service allows."
# Of a lease of 15 s, so that two may be missed.
RENEW_SECONDS = 5.0
# However many are refused, it is not looked more often who is dead.
RECLAIM_SECONDS = 1.0

_calls_of: Counter[Hashable] = Counter()
_watchers: list[Callable[[], None]] = []
_numbers = itertools.count(1)


def calls_in_progress() -> int:
    """In this process."""
    return _calls_of.total()


def watch(changed: Callable[[], None]) -> Callable[[], None]:
    """Have `changed` called whenever a call began or ended, on any thread; returns what ends it."""
    _watchers.append(changed)
    return lambda: _watchers.remove(changed)


@contextmanager
def counted(caller: Hashable) -> Iterator[None]:
    """One call of this process, while within."""
    _calls_of[caller] += 1
    _tell()
    try:
        yield
    finally:
        _calls_of[caller] -= 1
        if not _calls_of[caller]:
            del _calls_of[caller]
        _tell()


def _tell() -> None:
    for changed in _watchers:
        changed()


def limits() -> Limits:
    """As they are now."""
    fits = room.fits(room.here().seen(), settings.ADMIT_BELOW_PERCENT, settings.CALL_RESERVE_KB)
    return Limits(
        settings.MAX_CALLS,
        settings.MAX_CALLS_PER_USER,
        places.UNKNOWN if fits is None else fits,
    )


def check(caller: str, redis: Any) -> None:
    """Is there a place for one more call? Raises `Refused`; takes none (synchronous client).

    Of a broker that does not answer nothing is known: whoever takes the place finds out.
    """
    allowed = limits()
    _check_here(caller, allowed)
    command = places.take("", "", caller, allowed, host=host(), how="look")
    try:
        answer = redis.eval(*_flat(command)).decode()
    except (RedisError, OSError):
        return
    _judge(answer)


def _check_here(caller: str, allowed: Limits) -> None:
    """What this process knows already need not be asked."""
    if calls_in_progress() >= allowed.most:
        _judge("full")
    if _calls_of[caller] >= allowed.most_per_caller:
        _judge("yours")


def _judge(answer: str) -> None:
    if answer == "taken":
        return
    counters.add("calls_refused")
    if answer == "yours":
        raise Refused(4409, TOO_MANY_OF_YOURS)
    raise Busy(4503, BUSY, why=answer)


class Switchboard:
    """Gives out this process's places, and keeps them leased as long as they are held."""

    def __init__(self, redis: Any) -> None:
        self._redis = redis
        self._held: dict[str, tuple[str, str]] = {}
        self._renewing: asyncio.Task[None] | None = None
        self._reclaim_at = 0.0

    @asynccontextmanager
    async def admitted(
        self, caller: str, *, place: str = "", must: bool = False
    ) -> AsyncIterator[None]:
        """Hold a place for one call; raises `Refused`, or `BrokerLost`.

        `caller` is `user:` and an id, or `phone:` and a number. A `place` of that name goes over
        from whoever held it. `must`: of a call that is under way already.
        """
        member, holder = place or str(uuid.uuid4()), new_holder()
        await self._take(member, holder, caller, must)
        try:
            with counted(caller):
                yield
        finally:
            await self._give_back(member, holder, caller)

    async def _take(self, member: str, holder: str, caller: str, must: bool) -> None:
        allowed = limits()
        if not must:
            _check_here(caller, allowed)
        how = "must" if must else ""
        command = places.take(member, holder, caller, allowed, host=host(), how=how)
        answer = (await self.ask(command)).decode()
        if answer in ("full", "memory") and await self.reclaim():
            answer = (await self.ask(command)).decode()
        _judge(answer)
        self._held[member] = (holder, caller)
        if self._renewing is None or self._renewing.done():
            self._renewing = asyncio.create_task(self._renew(), name="places")

    async def ask(self, command: places.Command) -> Any:
        """The script's answer; raises `BrokerLost`."""
        async with answering():
            return await self._redis.eval(*_flat(command))

    async def count(self) -> Count:
        """Of all web processes together; raises `BrokerLost`."""
        return Count(*await self.ask(places.count(limits(), host=host())))

    async def reclaim(self) -> int:
        """Give back at once what dead processes of this machine held; answers how much."""
        now = time.monotonic()
        if now < self._reclaim_at:
            return 0
        self._reclaim_at = now + RECLAIM_SECONDS
        async with answering():
            held = await self._redis.hgetall(keys.place_holders())
        gone = [
            (member.decode(), holder.decode())
            for member, holder in held.items()
            if leases.is_gone(holder.decode().rpartition("#")[0])
        ]
        for member, holder in gone:
            await self.ask(places.give_back(member, holder, "", host=host()))
        return len(gone)

    async def _give_back(self, member: str, holder: str, caller: str) -> None:
        # Another stream of the same call may have taken it over within this process.
        if self._held.get(member) == (holder, caller):
            del self._held[member]
        try:
            await asyncio.shield(self.ask(places.give_back(member, holder, caller, host=host())))
        except Exception as error:
            # Its lease runs out.
            logger.warning("place not given back", extra={"error": type(error).__name__})

    async def _renew(self) -> None:
        """While any place is held here."""
        while self._held:
            await asyncio.sleep(RENEW_SECONDS)
            if not self._held:
                return
            try:
                await self.ask(places.renew(dict(self._held), host=host()))
            except Exception as error:
                # The next time puts them back, whatever was forgotten meanwhile.
                logger.warning("places not renewed", extra={"error": type(error).__name__})


def new_holder() -> str:
    """Never given twice, in any process."""
    return f"{leases.this_process() or uuid.uuid4()}#{next(_numbers)}"


@cache
def host() -> str:
    return socket.gethostname()


def _flat(command: places.Command) -> tuple[Any, ...]:
    script, number, values = command
    return (script, number, *values)
