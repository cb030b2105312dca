"""The worker's hold on a turn: taken once, renewed while it runs, and needed for every write.

`attempts` is the fencing token. A worker that was stopped past its lease finds another number in
the row and in Redis, changes nothing, tells nothing and ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from time import monotonic
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from voice import keys, leases
from voice.events import Event, encode
from voice.models import Turn
from voice.streams import FIELD
from workers.errors import LeaseLost

State = Turn.State

# One step, so that a worker stopped between looking and telling cannot tell after another began.
_TELL = """
local latest = tonumber(redis.call('GET', KEYS[1]) or '0')
local mine = tonumber(ARGV[1])
if latest > mine then return 0 end
redis.call('SET', KEYS[1], mine, 'EX', ARGV[2])
local events = tonumber(ARGV[6])
for n = 1, events do
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[3], '*', ARGV[5], ARGV[6 + n])
end
if events > 0 then redis.call('EXPIRE', KEYS[2], ARGV[4]) end
for n = 7 + events, #ARGV, 2 do
  redis.call('HSET', KEYS[3], ARGV[n], ARGV[n + 1])
  redis.call('EXPIRE', KEYS[3], ARGV[2])
end
return 1
"""


class Lease:
    """Held from `take` on. Every method raises LeaseLost once another worker has the turn."""

    def __init__(self, turn: Turn, redis: Any, granted: float) -> None:
        self._turn_id = str(turn.pk)
        self._call_id = str(turn.call_id)
        self._redis = redis
        self._granted = granted
        self.attempt = turn.attempts

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

    def tell(self, *events: Event, sentence: dict[str, str] | None = None) -> None:
        """Publish to the call and add `sentence` to the reply's texts, unless fenced out."""
        self.keep()
        stream = keys.call_stream(self._call_id)
        names = [keys.attempt(self._turn_id), stream, keys.reply_text(self._turn_id)]
        bounds = [keys.AUDIO_SECONDS, keys.STREAM_LENGTH, keys.STREAM_SECONDS, FIELD]
        fields = [part for field in (sentence or {}).items() for part in field]
        told = [encode(event) for event in events]
        if not self._redis.eval(_TELL, 3, *names, self.attempt, *bounds, len(told), *told, *fields):
            raise LeaseLost

    def release(self) -> None:
        """The turn is over and told."""
        self.rows.update(lease_until=None, lease_holder="", queued_at=None)

    def let_go(self) -> None:
        """It cannot be finished here: any worker may take it at once."""
        self.rows.update(lease_until=timezone.now())

    def _renew(self) -> None:
        began = monotonic()
        if not self.rows.update(lease_until=_until(timezone.now())):
            raise LeaseLost
        self._granted = began


def take(turn_id: str, redis: Any) -> tuple[Turn, Lease] | None:
    """The turn if it is to be run and nobody runs it; the row is ours from here on."""
    turn = Turn.objects.select_related("call__user").filter(pk=UUID(turn_id)).first()
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
    lease = Lease(turn, redis, granted)
    lease.tell()
    return turn, lease


def _until(now: datetime) -> datetime:
    return now + timedelta(seconds=leases.LEASE_SECONDS)
