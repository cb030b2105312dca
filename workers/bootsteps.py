"""Parts of the worker's parent process: noticing dead children at once, and a heartbeat."""

from __future__ import annotations

import json
import logging
import os
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING, Any

import redis
from celery import bootsteps
from celery.beat import EmbeddedService
from celery.worker.components import Beat
from django.conf import settings

from monitor import board
from monitor.client import connected
from monitor.lookout import WORKER, log, options_from
from monitor.snapshot import CLOCK
from voice import keys
from workers import published

if TYPE_CHECKING:
    from monitor.sampler import Sampler

logger = logging.getLogger("workers.bootsteps")

MAINTAIN_SECONDS = 0.1
BEAT_SECONDS = 2.0
BEAT_LIFETIME_SECONDS = 6
# The heartbeat runs between deliveries, so it may not wait long for a broker that is ill.
SOCKET_SECONDS = 0.25

POOL = "celery.worker.components:Pool"


class MaintainPool(bootsteps.StartStopStep):  # type: ignore[misc]  # celery has no types
    """Celery looks for dead children every 5 s: far too long for a caller who waits."""

    requires = (POOL,)

    def register_with_event_loop(self, worker: Any, hub: Any) -> None:
        # Celery cancels and registers this again with every connection to the broker.
        hub.call_repeatedly(MAINTAIN_SECONDS, worker.pool.maintain_pool)


class KeepBeat(bootsteps.StartStopStep):  # type: ignore[misc]  # celery has no types
    """Celery never looks whether the scheduler it embedded (`-B`) still lives."""

    requires = (POOL, "celery.worker.components:Beat")

    def register_with_event_loop(self, worker: Any, hub: Any) -> None:
        if worker.beat is not None:
            hub.call_repeatedly(BEAT_SECONDS, self._look, worker)

    def _look(self, worker: Any) -> None:
        if worker.beat.exitcode is None:
            return
        logger.error("beat died, starting another", extra={"exitcode": worker.beat.exitcode})
        worker.beat = EmbeddedService(
            worker.app, schedule_filename=worker.schedule_filename, scheduler_cls=worker.scheduler
        )
        for step in worker.steps:
            if isinstance(step, Beat):
                # What the worker stops when it stops.
                step.obj = worker.beat
        worker.beat.start()


class Heartbeat(bootsteps.StartStopStep):  # type: ignore[misc]  # celery has no types
    """Renews `keys.heartbeat(role)` from the consumer's own loop, so that it means 'consuming'."""

    requires = (POOL,)

    def __init__(self, worker: Any, **options: Any) -> None:
        super().__init__(worker, **options)
        self._since = datetime.now(UTC).isoformat(timespec="seconds")
        self._redis: redis.Redis | None = None
        self._stopped = False

    def register_with_event_loop(self, worker: Any, hub: Any) -> None:
        self._beat(worker)
        hub.call_repeatedly(BEAT_SECONDS, self._beat, worker)

    def stop(self, worker: Any) -> None:
        """Say at once that nobody serves any more."""
        self._stopped = True
        try:
            self._client().delete(*map(keys.heartbeat, roles_of(worker)))
        except redis.RedisError:
            logger.debug("heartbeat not deleted")

    def _beat(self, worker: Any) -> None:
        if self._stopped:
            return  # timers go on while the last turns finish
        try:
            pipe = self._client().pipeline(transaction=False)
            for role in roles_of(worker):
                state = json.dumps(self._state(worker, role))
                pipe.set(keys.heartbeat(role), state, ex=BEAT_LIFETIME_SECONDS)
            published.execute(pipe)
        except redis.RedisError as error:
            logger.debug("heartbeat not written", extra={"error": type(error).__name__})

    def _state(self, worker: Any, role: str) -> dict[str, Any]:
        return {
            "pid": os.getpid(),
            "role": role,
            "children": len(worker.pool.info["processes"]),
            "since": self._since,
            "version": settings.VERSION,
        }

    def _client(self) -> redis.Redis:
        if self._redis is None:
            self._redis = redis.Redis.from_url(
                settings.REDIS_URL,
                socket_timeout=SOCKET_SECONDS,
                socket_connect_timeout=SOCKET_SECONDS,
                retry=None,
            )
        return self._redis


class LookAfterMemory(bootsteps.StartStopStep):  # type: ignore[misc]  # celery has no types
    """Where no other process of this machine looks at its memory: a worker on a machine of its own.

    Between two deliveries and not in a thread, which a fork would cut in half.
    """

    requires = (POOL,)

    def __init__(self, worker: Any, **options: Any) -> None:
        super().__init__(worker, **options)
        self._options = options_from(settings)
        self._turn = self._options.turn(WORKER)
        self._sampler: Sampler | None = None
        self._not_before = monotonic() + 2 * self._options.seconds

    def register_with_event_loop(self, worker: Any, hub: Any) -> None:
        hub.call_repeatedly(self._options.seconds, self._look)

    def _look(self) -> None:
        if monotonic() < self._not_before or not self._turn.is_mine():
            self._sampler = None
            return
        if self._sampler is None:
            from monitor import sampler  # psutil is loaded by whom it is used

            self._sampler = sampler.of_this_machine(self._options.name, os.getpid())
        try:
            with connected(SOCKET_SECONDS) as client:
                snapshot = self._sampler.take(CLOCK, board.calls(client))
                pipe = client.pipeline(transaction=False)
                board.announce_snapshot(pipe, snapshot)
                pipe.execute()
        except redis.RedisError as error:
            logger.debug("memory not told", extra={"error": type(error).__name__})
            return
        log(snapshot)


def roles_of(worker: Any) -> list[str]:
    """The queues this worker consumes are its roles."""
    return sorted(worker.app.amqp.queues.consume_from)


STEPS = {MaintainPool, Heartbeat, KeepBeat, LookAfterMemory}
