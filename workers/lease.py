"""The worker's hold on a turn: taken once, renewed while it runs, and needed for every write.

`attempts` is the fencing token. A worker that was stopped past its lease finds another number in
the row and in Redis, changes nothing, tells nothing and ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import lru_cache
from threading import Lock
from time import monotonic
from types import MappingProxyType
from typing import Any
from uuid import UUID
from weakref import WeakSet

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from voice import envelope, keys, leases
from voice.events import Event, encode
from voice.models import Call, Turn
from voice.streams import FIELD
from workers.errors import LeaseLost

State = Turn.State

_NONE: Mapping[str, str] = MappingProxyType({})

# Telling also learns whether the caller has cancelled the turn; that is news for so long.
FRESH_SECONDS = 0.1
# Calls under way of which a child keeps in mind whose they are.
CALLS_KNOWN = 64

# One step, so that a worker stopped between looking and telling cannot tell after another began.
_TELL = """
local mine, if_wanted = tonumber(ARGV[1]), ARGV[6] == '1'
local events, tasks = tonumber(ARGV[7]), tonumber(ARGV[8])
if tonumber(redis.call('GET', KEYS[1]) or '0') > mine then return -1 end
redis.call('SET', KEYS[1], mine, 'EX', ARGV[2])
local cancelled = redis.call('EXISTS', KEYS[4])
if cancelled == 1 and if_wanted then return cancelled end
for n = 9, 8 + events do
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[3], '*', ARGV[5], ARGV[n])
end
if events > 0 then redis.call('EXPIRE', KEYS[2], ARGV[4]) end
for n = 9 + events + tasks, #ARGV, 2 do
  redis.call('HSET', KEYS[3], ARGV[n], ARGV[n + 1])
  redis.call('EXPIRE', KEYS[3], ARGV[2])
end
for n = 9 + events, 8 + events + tasks do
  redis.call('LPUSH', KEYS[5], ARGV[n])
end
return cancelled
"""


# Those that this process has now, of all its threads.
_held: WeakSet[Lease] = WeakSet()
_looking = Lock()


class Lease:
    """Held from `take` on. Every method raises LeaseLost once another worker has the turn."""

    def __init__(self, turn: Turn, redis: Any, granted: float) -> None:
        self._turn_id = str(turn.pk)
        self._call_id = str(turn.call_id)
        self._redis = redis
        self._granted = granted
        self.attempt = turn.attempts
        # A turn that nobody had before is told to start at once, and then we know.
        self._cancelled, self._looked = False, granted if self.first else 0.0
        with _looking:
            _held.add(self)

    @property
    def first(self) -> bool:
        """No worker had the turn before: none has written or told anything of it."""
        return self.attempt == 1

    @property
    def cancelled(self) -> bool:
        """The caller wants no answer any more, as of `FRESH_SECONDS` ago at most."""
        if self._to_be_asked:
            self._learn_with_others()
        return self._cancelled

    @property
    def _to_be_asked(self) -> bool:
        return not self._cancelled and monotonic() - self._looked > FRESH_SECONDS

    def _learn_with_others(self) -> None:
        """One question for all turns of this child: each asks five times a second."""
        with _looking:
            if not self._to_be_asked:
                return
            asked = [one for one in _held if one._redis is self._redis and not one._cancelled]
            flags = self._redis.mget([keys.cancelled(one._turn_id) for one in asked])
            for one, flag in zip(asked, flags, strict=True):
                one._learn(flag is not None)

    @property
    def rows(self) -> QuerySet[Turn]:
        """The turn's row, as long as it is ours."""
        return Turn.objects.filter(pk=self._turn_id, attempts=self.attempt)

    def keep(self) -> None:
        """Renew if it is time. To be called at least every `RENEW_SECONDS`, and before telling."""
        if monotonic() - self._granted >= leases.RENEW_SECONDS:
            self._renew()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A transaction that begins with the renewal, and so is ours or does not happen."""
        with transaction.atomic():
            self._renew()
            yield

    def tell(
        self,
        *events: Event,
        sentences: Mapping[str, str] = _NONE,
        speech: Sequence[bytes] = (),
        if_wanted: bool = False,
    ) -> None:
        """Publish to the call, add `sentences` to the reply's texts and queue `speech` tasks.

        All of it in one step or, for a worker that is fenced out, nothing; `if_wanted` tells
        nothing either of a turn that is cancelled.
        """
        self.keep()
        names = [
            keys.attempt(self._turn_id),
            keys.call_stream(self._call_id),
            keys.reply_text(self._turn_id),
            keys.cancelled(self._turn_id),
            envelope.queue_of("speak"),
        ]
        told = [encode(event) for event in events]
        bounds = [keys.AUDIO_SECONDS, keys.STREAM_LENGTH, keys.STREAM_SECONDS, FIELD]
        values: list[Any] = [self.attempt, *bounds]
        values += [int(if_wanted), len(told), len(speech), *told, *speech]
        values += [part for field in sentences.items() for part in field]
        answer = self._redis.eval(_TELL, len(names), *names, *values)
        if answer < 0:
            raise LeaseLost
        self._learn(answer)

    def _forget(self) -> None:
        with _looking:
            _held.discard(self)

    def _learn(self, cancelled: int) -> None:
        self._cancelled, self._looked = bool(cancelled), monotonic()

    def release(self) -> None:
        """The turn is over and told."""
        self._forget()
        self.rows.update(lease_until=None, lease_holder="", queued_at=None)

    def let_go(self, queued_at: datetime | None = None) -> None:
        """It cannot be finished here: any worker may take it at once.

        `queued_at`: it is asked for by us, so the sweeper shall not do so for a while.
        """
        self._forget()
        self.rows.update(lease_until=timezone.now(), queued_at=queued_at)

    def queue(self, task: str) -> None:
        """Ask a worker for that task of the turn."""
        self._redis.lpush(envelope.queue_of(task), envelope.sealed(task, self._turn_id))

    def _renew(self) -> None:
        began = monotonic()
        if not self.rows.update(lease_until=_until(timezone.now())):
            raise LeaseLost
        self._granted = began


def find(turn_id: str) -> Turn | None:
    """The turn with its call and person."""
    try:
        turn = Turn.objects.get(pk=UUID(turn_id))
    except Turn.DoesNotExist:
        return None
    try:
        turn.call = _call_of(turn.call_id)
    except _Guest as guest:
        turn.call = guest.call
    return turn


class _Guest(Exception):
    """Not to be remembered: the caller may say who they are at any time."""

    def __init__(self, call: Call) -> None:
        super().__init__()
        self.call = call


@lru_cache(maxsize=CALLS_KNOWN)
def _call_of(call_id: UUID) -> Call:
    """What a turn needs of a known caller's call stays as it is while that lasts."""
    call = Call.objects.select_related("user", "business").get(pk=call_id)
    if not call.identified:
        raise _Guest(call)
    return call


def take(turn_id: str, redis: Any) -> tuple[Turn, Lease] | None:
    """The turn if it is to be run and nobody runs it; the row is ours from here on.

    An earlier worker of the turn may tell of it until we tell something.
    """
    turn = find(turn_id)
    granted, now = monotonic(), timezone.now()
    if turn is None or turn.state not in (State.WAITING, State.THINKING):
        return None
    if turn.state == State.THINKING and not leases.is_lost(turn, now):
        return None
    # Whoever else takes it, and its old holder if it wakes up and renews, changes one of these.
    seen = Turn.objects.filter(
        pk=turn.pk, state=turn.state, attempts=turn.attempts, lease_until=turn.lease_until
    )
    turn.state = State.THINKING
    turn.attempts += 1
    turn.lease_until, turn.lease_holder = _until(now), leases.this_process()
    if not seen.update(
        state=turn.state,
        attempts=turn.attempts,
        lease_until=turn.lease_until,
        lease_holder=turn.lease_holder,
        queued_at=None,
    ):
        return None
    return turn, Lease(turn, redis, granted)


def _until(now: datetime) -> datetime:
    return now + timedelta(seconds=leases.LEASE_SECONDS)
