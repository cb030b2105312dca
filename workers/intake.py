"""The main thread of a child that works on many tasks at once: claims them and minds the clock.

`workers.pool` has Celery run `run_shift` in the place of its own tracer; every task, the claimed
ones too, goes through that tracer, with its signals, its log lines and its limits.
"""

from __future__ import annotations

import logging
import mmap
import os
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache, partial
from time import monotonic
from typing import Any

from celery import current_app, signals
from celery.app import trace
from redis.exceptions import RedisError, ResponseError

from convonet import memory
from convonet.web import heap
from voice import envelope, keys
from workers import lanes, preload, wiring
from workers.claims import Claims
from workers.lanes import Job, Lanes
from workers.messages import Message
from workers.shift import Shift, Step

logger = logging.getLogger("workers.intake")

# How long one question for a message may stay open, and so how late the clock is looked at.
CLAIM_SECONDS = 0.2
WAIT_SECONDS = 0.5
# A broker that is ill is asked again after so long.
ILL_SECONDS = 0.5
# Where callers leave no lull, lanes that have nothing to do end after so long all the same.
TIDY_SECONDS = 20.0
# A message for later is kept for so long at most before it goes back to its queue.
EARLY_SECONDS = 5.0

# One byte that the parent shares with its children: nothing more is to be claimed.
_stopping = mmap.mmap(-1, 1)
# Of this worker; set before its children are forked.
children = 1


@signals.worker_shutting_down.connect
def _stop_claiming(**_: Any) -> None:
    """In the parent, as soon as it is told to end."""
    _stopping[0] = 1


def run_shift(
    name: str,
    uuid: str,
    request: dict[str, Any],
    body: bytes,
    content_type: str,
    content_encoding: str,
) -> Any:
    """In the child, for `trace.fast_trace_task`: that task, and what else comes meanwhile."""
    traced = (name, uuid, request, body, content_type, content_encoding)
    job = Job(name, partial(trace.fast_trace_task, *traced), args=tuple(request["args"]))
    job.soft_seconds, job.hard_seconds = limits_of(name, request)
    return _intake().work(job, str(request["properties"].get("delivery_tag", "")))


def limits_of(name: str, request: dict[str, Any]) -> tuple[float | None, float | None]:
    """Soft and hard, in seconds, as Celery takes them: of the message, else of the task."""
    hard, soft = request.get("timelimit") or (None, None)
    task = current_app.tasks[name]
    return soft or task.soft_time_limit, hard or task.time_limit


@cache
def _intake() -> Intake:
    most = preload.turns_per_child()
    redis = wiring.redis_client()
    claims = Claims(redis, envelope.AGENT, waiting=wiring.claiming_client())
    return Intake(Lanes(most), claims, redis, str(trace._localized[2]))


class Intake:
    """What a child keeps for all its shifts."""

    def __init__(self, own: Lanes, claims: Claims, redis: Any, worker: str) -> None:
        """`worker` is the name of this child's worker."""
        self._lanes = own
        self._claims = claims
        self._redis = redis
        self._worker = worker
        self._ill_until = 0.0
        self._tidied_at = monotonic()
        self._unsure = False
        self._can_claim = True

    def work(self, delivered: Job, delivery_tag: str) -> Any:
        """Run the task that Celery delivered and, until the shift is over, those claimed."""
        delivered.run = partial(self._delivered, delivered.run, delivery_tag)
        delivered.tag = delivery_tag
        shift = Shift(
            monotonic(),
            self._lanes.most,
            alone=self._wants_to_be_alone(delivered),
            only_child=children == 1,
        )
        self._lanes.start(delivered)
        if not shift.alone:
            self._tell(self._claims.open)
        while (step := self._next(shift, delivered)) is not Step.END:
            self._do(step, shift)
        self._leave(shift)
        return _outcome(delivered)

    def _wants_to_be_alone(self, job: Job) -> bool:
        return not self._can_claim or bool(getattr(current_app.tasks[job.name], "alone", False))

    def _next(self, shift: Shift, delivered: Job) -> Step:
        running, now = self._lanes.running, monotonic()
        for job in running:
            if job.too_long(now):
                self._die_of(job)
        self._lanes.warn(now)
        if _stopping[0] or lanes.damaged.is_set() or any(job.warned for job in running):
            shift.drain()
        keeps = not delivered.over and bool(
            getattr(current_app.tasks[delivered.name], "long", False)
        )
        return shift.next(now, len(running), grown=memory.has_grown(), keeps=keeps)

    def _do(self, step: Step, shift: Shift) -> None:
        if step is Step.CLAIM and monotonic() >= self._ill_until:
            self._claim()
        elif step is Step.ASK:
            self._tell(partial(self._ask, shift))
        else:
            self._lanes.wait(CLAIM_SECONDS if step is Step.CLAIM else WAIT_SECONDS)
        self._tell(self._claims.keep)
        if monotonic() - self._tidied_at >= TIDY_SECONDS:
            self._tidy()

    # Claiming -------------------------------------------------------------------------------
    def _claim(self) -> None:
        try:
            if self._unsure:
                self._make_sure()
            raw = self._claims.next(CLAIM_SECONDS)
        except ResponseError as error:
            # A server without BLMOVE: each task comes by Celery then, and has the child alone.
            logger.error("nothing claimed", extra={"error": type(error).__name__})
            self._can_claim, self._ill_until = False, float("inf")
        except RedisError as error:
            self._fell_ill(error)
        else:
            if raw is not None:
                self._begin(raw)

    def _make_sure(self) -> None:
        """After a lost connection: what was moved to us without our knowing goes back."""
        self._claims.settle()
        running = [job.raw for job in self._lanes.running if job.raw]
        given = self._claims.give_back_but(running)
        self._unsure = False
        if given:
            logger.warning("claims given back", extra={"messages": given})

    def _begin(self, raw: bytes) -> None:
        try:
            message = Message.parse(raw, self._worker)
            limits = limits_of(message.task, message.request)
        except (ValueError, KeyError):
            logger.error("message not understood")
            self._claims.done(raw)
            return
        if message.expired(datetime.now(UTC)):
            logger.info("task expired", extra={"task": message.task})
            self._claims.done(raw)
            return
        if signals.task_received.receivers:
            signals.task_received.send(sender=self, request=message)
        run = partial(self._claimed, message, raw)
        job = Job(message.task, run, raw, args=message.args)
        job.soft_seconds, job.hard_seconds = limits
        self._lanes.start(job)

    # On a lane ------------------------------------------------------------------------------
    def _claimed(self, message: Message, raw: bytes) -> Any:
        early = message.early_seconds(datetime.now(UTC))
        time.sleep(min(early, EARLY_SECONDS))
        if early > EARLY_SECONDS:
            self._claims.put_off(raw)
            return None
        try:
            return trace.fast_trace_task(
                message.task,
                message.task_id,
                message.request,
                message.body,
                message.content_type,
                message.content_encoding,
            )
        finally:
            self._claims.done(raw)

    def _delivered(self, run: Callable[[], Any], delivery_tag: str) -> Any:
        outcome = run()
        self._tell(partial(self._claims.acknowledge, delivery_tag))
        return outcome

    # The end --------------------------------------------------------------------------------
    def _ask(self, shift: Shift) -> None:
        mine = self._redis.set(
            keys.draining(self._worker), os.getpid(), nx=True, ex=keys.DRAINING_SECONDS
        )
        if mine:
            shift.drain()

    def _leave(self, shift: Shift) -> None:
        if not shift.alone:
            self._tell(self._claims.close)
        self._tidy()
        if shift.draining:
            self._tell(self._let_others_drain)

    def _tidy(self) -> None:
        """Give back what lanes took that are not needed now."""
        self._tidied_at = monotonic()
        if self._lanes.shrink():
            # Their connections too: a quiet child needs one.
            self._redis.connection_pool.disconnect(inuse_connections=False)
            heap.give_back()

    def _let_others_drain(self) -> None:
        key = keys.draining(self._worker)
        if self._redis.get(key) == str(os.getpid()).encode():
            self._redis.delete(key)

    def _die_of(self, job: Job) -> None:
        """A thread cannot be killed. All that is claimed goes back when the parent sees us dead."""
        logger.error("hard time limit exceeded", extra={"task": job.name})
        instead = getattr(current_app.tasks[job.name], "given_up_by", "")
        if instead:
            self._tell(partial(self._claims.leave, envelope.sealed(instead, *job.args)))
        if job.raw:
            self._claims.done(job.raw)
        else:
            self._tell(partial(self._claims.acknowledge, job.tag))
        os.kill(os.getpid(), signal.SIGKILL)

    def _tell(self, what: Callable[[], object]) -> None:
        try:
            what()
        except RedisError as error:
            self._fell_ill(error)

    def _fell_ill(self, error: RedisError) -> None:
        if not self._unsure:
            logger.warning("broker lost", extra={"error": type(error).__name__})
        self._unsure, self._ill_until = True, monotonic() + ILL_SECONDS


def _outcome(job: Job) -> Any:
    if isinstance(job.error, MemoryError):
        # Celery's parent would raise it too, and stop to serve.
        raise RuntimeError("The task ran out of memory.") from None
    if job.error is not None:
        raise job.error
    return job.outcome
