"""What the tool server does with each look: keeps it, with those of the other machines, as rows."""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connections
from django.utils import timezone
from redis.exceptions import RedisError

from monitor import board, broker, lookout, samples
from monitor.board import State
from monitor.lookout import Lookout, options_from
from monitor.snapshot import CLOCK, Snapshot

logger = logging.getLogger(__name__)

# Looks between two searches for rows that are too old.
PURGE_EVERY = 20


class Recorder:
    """Knows of each machine the last look that it kept, so that none is kept twice."""

    def __init__(self) -> None:
        self._kept: dict[str, float] = {}
        self._looks = 0
        self._failing = False

    def keep(self, snapshot: Snapshot, redis: Any) -> None:
        """`redis` is None while the broker does not answer: then only this look is kept."""
        state = self._state(snapshot, redis)
        others = [one for one in state.snapshots if one.host != snapshot.host]
        fresh = [one for one in (snapshot, *others) if one.at > self._kept.get(one.host, 0.0)]
        try:
            samples.keep(fresh, state.counters)
            if self._looks % PURGE_EVERY == 0:
                samples.purge(timezone.now())
            self._looks += 1
            self._failing = False
        except DatabaseError as error:
            if not self._failing:
                logger.warning("memory not kept", extra={"error": type(error).__name__})
            self._failing = True
            return
        finally:
            # Half a minute of nothing is no reason to hold a connection.
            connections.close_all()
        self._kept = {one.host: one.at for one in (snapshot, *others)}

    def _state(self, snapshot: Snapshot, redis: Any) -> State:
        if redis is None:
            return State()
        try:
            state = board.read(redis)
            if snapshot.why == CLOCK:
                self._ask_broker(redis, state)
        except (RedisError, OSError):
            return State()
        return state

    def _ask_broker(self, redis: Any, state: State) -> None:
        asked = broker.snapshot_of(redis, settings.REDIS_URL, state.snapshots)
        if asked is not None:
            pipe = redis.pipeline(transaction=False)
            board.announce_snapshot(pipe, asked)
            pipe.execute()


def start(rank: int) -> Lookout:
    """Look after this machine; the tool server, of which there is one, keeps what all see."""
    thread = Lookout(
        options_from(settings), rank, Recorder().keep if rank == lookout.TOOLS else None
    )
    thread.start()
    return thread
