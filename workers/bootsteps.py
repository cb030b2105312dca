"""Parts of the worker's parent process: what it does beside handing tasks to its children."""

from __future__ import annotations

import gc
import json
import logging
import os
from datetime import UTC, datetime
from functools import cache
from time import monotonic
from typing import TYPE_CHECKING, Any

import redis
from celery import bootsteps
from celery import signals as celery_signals
from celery.worker import state
from django.conf import settings

from convonet.web import heap
from monitor import board
from monitor.client import connected
from monitor.lookout import WORKER, log, options_from
from monitor.snapshot import CLOCK
from voice import envelope, keys
from workers import engines, preload, published, schedule
from workers.idleness import Idleness
from workers.offspring import Offspring
from workers.schedule import Schedule

if TYPE_CHECKING:
    from monitor.sampler import Sampler

logger = logging.getLogger("workers.bootsteps")

MAINTAIN_SECONDS = 0.1
BEAT_SECONDS = 2.0
BEAT_LIFETIME_SECONDS = 6
# The heartbeat runs between deliveries, so it may not wait long for a broker that is ill.
SOCKET_SECONDS = 0.25
# How late a chore may be.
TICK_SECONDS = 0.5
AGAIN_SECONDS = 3.0
CLOCKWORK = frozenset(f"{envelope.TASKS}{chore.task}" for chore in schedule.CHORES)
TOOLS_TITLE = "convonet: mcp"

POOL = "celery.worker.components:Pool"


class MaintainPool(bootsteps.StartStopStep):  # type: ignore[misc]  # celery has no types
    """Celery looks for dead children every 5 s: far too long for a caller who waits."""

    requires = (POOL,)

    def register_with_event_loop(self, worker: Any, hub: Any) -> None:
        # Celery cancels and registers this again with every connection to the broker.
        hub.call_repeatedly(MAINTAIN_SECONDS, worker.pool.maintain_pool)


class ServeTools(bootsteps.StartStopStep):  # type: ignore[misc]  # celery has no types
    """Forks the tool server from this parent, whose pages it shares, and keeps it running.

    It outlives the children's last turns, and not this process.
    """

    requires = (POOL,)
    _server: Offspring | None = None

    def include_if(self, worker: Any) -> bool:
        return settings.TOOLS_IN_WORKER and preload.AGENT in preload.roles(roles_of(worker))

    def start(self, worker: Any) -> None:
        self._server = Offspring(TOOLS_TITLE, _serve_tools)
        self._server.look()
        # Sent when the pool has been stopped, and so its children are done.
        celery_signals.worker_shutdown.connect(self._end, weak=False)

    def register_with_event_loop(self, worker: Any, hub: Any) -> None:
        if self._server is not None:
            hub.call_repeatedly(MAINTAIN_SECONDS, self._server.look)

    def _end(self, **_: Any) -> None:
        if self._server is not None:
            self._server.stop()


def _clock_is_in_tool_server() -> bool:
    return bool(settings.TOOLS_IN_WORKER and settings.SCHEDULE)


def _serve_tools() -> None:
    from todo import mcp_http
    from workers import clock

    if _clock_is_in_tool_server():
        clock.start()
    mcp_http.serve(settings.MCP_PORT)


class KeepSchedule(bootsteps.StartStopStep):  # type: ignore[misc]  # celery has no types
    """Pushes what is due by the clock; see `workers.schedule`."""

    requires = (POOL,)

    _schedule: Schedule | None = None
    _failing = False

    def include_if(self, worker: Any) -> bool:
        return bool(settings.SCHEDULE) and not _clock_is_in_tool_server()

    def register_with_event_loop(self, worker: Any, hub: Any) -> None:
        self._schedule = schedule.of_queues(roles_of(worker))
        if self._schedule.chores:
            hub.call_repeatedly(TICK_SECONDS, self._tick)

    def close(self, worker: Any) -> None:
        """Timers go on while the last turns finish; nothing new is begun then."""
        self._schedule = None

    def _tick(self) -> None:
        if self._schedule is None:
            return
        try:
            self._schedule.begin_due(impatient_client(), monotonic())
            self._failing = False
        except redis.RedisError as error:
            if not self._failing:
                fields = {"error": type(error).__name__}
                logger.warning("nothing done by the clock", extra=fields)
            self._failing = True


class FitToCalls(bootsteps.StartStopStep):  # type: ignore[misc]  # celery has no types
    """While nobody calls, no children are kept: they hold what their turns took, and engines.

    All are back when a call begins, whose web process sends a task for that, or at any other task.
    Where this parent pushes what is due by the clock, one child is kept for that, a new one.
    """

    requires = (POOL,)

    def start(self, worker: Any) -> None:
        roles = preload.roles(roles_of(worker))
        self._computes = preload.SPEECH in roles
        # What comes by the clock is no sign that somebody is there: not if it comes in any case.
        self._least, self._clockwork = 0, frozenset[str]()
        if not self._computes and settings.SCHEDULE and not _clock_is_in_tool_server():
            self._least, self._clockwork = 1, CLOCKWORK
        # Who does both is small already, and has turns to answer at once.
        self._shrinks = settings.SHRINK_WHEN_IDLE and len(roles) == 1
        self._pool = worker.pool._pool
        self._idleness = Idleness(
            settings.SPEECH_IDLE_SECONDS if self._computes else settings.AGENT_IDLE_SECONDS,
            monotonic(),
        )
        celery_signals.task_received.connect(self._received, weak=False)

    def register_with_event_loop(self, worker: Any, hub: Any) -> None:
        hub.call_repeatedly(BEAT_SECONDS, self._look)

    def _received(self, request: Any, **_: Any) -> None:
        if request.name not in self._clockwork:
            self._pool.grow_back()

    def _look(self) -> None:
        now = monotonic()
        counted = state.total_count.items()
        tasks = sum(number for name, number in counted if name not in self._clockwork)
        # A shift of an agent's child may be one for the clock; its turns belong to calls.
        busy = self._computes and bool(self._pool._cache)
        if self._idleness.over(now, tasks, busy=busy):
            self._let_go(now)
        elif self._idleness.working:
            engines.wake(up=True)

    def _let_go(self, now: float) -> None:
        try:
            calls = board.calls(impatient_client())
        except redis.RedisError:
            calls = 1  # not known
        if calls:
            self._idleness.go_on(now)
            return
        if not self._shrinks and not engines.awake():
            return
        engines.wake(up=False)
        were = len(self._pool._pool)
        if gone := self._pool.let_go(self._least):
            logger.info("idle, children let go", extra={"children": gone})
            gc.collect()
            heap.give_back()
        if not self._shrinks:
            self._pool.grow_back()  # without engines
        elif gone < were:
            # One had just begun something for the clock.
            self._idleness.go_on(now, AGAIN_SECONDS)


class Heartbeat(bootsteps.StartStopStep):  # type: ignore[misc]  # celery has no types
    """Renews `keys.heartbeat(role)` from the consumer's own loop, so that it means 'consuming'."""

    requires = (POOL,)

    def __init__(self, worker: Any, **options: Any) -> None:
        super().__init__(worker, **options)
        self._since = datetime.now(UTC).isoformat(timespec="seconds")
        self._stopped = False

    def register_with_event_loop(self, worker: Any, hub: Any) -> None:
        self._beat(worker)
        hub.call_repeatedly(BEAT_SECONDS, self._beat, worker)

    def stop(self, worker: Any) -> None:
        """Say at once that nobody serves any more."""
        self._stopped = True
        try:
            impatient_client().delete(*map(keys.heartbeat, served_by(worker)))
        except redis.RedisError:
            logger.debug("heartbeat not deleted")

    def _beat(self, worker: Any) -> None:
        if self._stopped:
            return  # timers go on while the last turns finish
        try:
            pipe = impatient_client().pipeline(transaction=False)
            for role in served_by(worker):
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


def served_by(worker: Any) -> list[str]:
    """Whose heartbeat it is: where only services hear and speak, the agent's worker asks them."""
    roles = roles_of(worker)
    asks = preload.AGENT in roles and not envelope.speech_computes()
    return sorted({*roles, preload.SPEECH}) if asks else roles


@cache
def impatient_client() -> redis.Redis:
    """For the parent's own loop, which hands tasks on meanwhile."""
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=SOCKET_SECONDS,
        socket_connect_timeout=SOCKET_SECONDS,
        retry=None,
    )


STEPS = {MaintainPool, ServeTools, KeepSchedule, FitToCalls, Heartbeat, LookAfterMemory}
