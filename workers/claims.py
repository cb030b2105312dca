"""What a child took from a queue by itself: a list in Redis, so that nothing is lost with it.

One atomic move claims a message (BLMOVE: Redis 6.2 or newer, or Valkey), one removal says that it
is done. Of a child that is dead, or has not been seen for a minute, any worker gives the claims
back to the queue.
"""

from __future__ import annotations

import os
import time
from collections.abc import Collection
from socket import gethostname
from typing import Any, cast

from redis.exceptions import RedisError

from voice import holders, keys

# Above the hard time limit of a task: whoever has not been seen for longer will not come back.
UNSEEN_SECONDS = 60.0
SEEN_SECONDS = 5.0
# Celery's own record of what it has delivered: `unacked_key` and `unacked_index_key` of kombu's
# Redis transport.
UNACKED, UNACKED_INDEX = "unacked", "unacked_index"

# Keeps the list, and with it its lifetime, from vanishing whenever nothing is claimed.
_FLOOR = b"-"
# The oldest becomes the next one again. ARGV: the floor, at most so many.
_GIVE_BACK = """
redis.call('LREM', KEYS[1], 0, ARGV[1])
local given = 0
while given < tonumber(ARGV[2]) and redis.call('LMOVE', KEYS[1], KEYS[2], 'LEFT', 'RIGHT') do
  given = given + 1
end
return given
"""
# Of what is claimed, all but ARGV goes back: a move whose answer was lost left it there.
_GIVE_BACK_OTHERS = """
local mine, given = {}, 0
for n = 1, #ARGV do mine[ARGV[n]] = true end
for _, message in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do
  if not mine[message] then
    redis.call('LREM', KEYS[1], 1, message)
    redis.call('RPUSH', KEYS[2], message)
    given = given + 1
  end
end
return given
"""
MOST_CLAIMED = 1000


class Claims:
    """Of one child on one queue. Methods raise RedisError when the broker does not answer."""

    def __init__(self, redis: Any, queue: str, holder: str = "", *, waiting: Any = None) -> None:
        """`holder` is this process, as in `voice.holders`.

        `waiting` is a client that waits for messages, for `next` alone; it must ask nothing twice,
        since what was claimed by a lost answer is found again by `give_back_but`.
        """
        self._redis = redis
        self._waiting = waiting or redis
        self._queue = queue
        self._holder = holder or holders.this_process() or f"{gethostname()}/{os.getpid()}"
        self._key = keys.claims(queue, self._holder)
        self._seen_at = 0.0
        self._unsettled: list[bytes] = []

    def open(self) -> None:
        """Say that we live and may claim; repeated by `keep`."""
        self._seen_at = time.monotonic()
        pipe = self._redis.pipeline(transaction=True)
        pipe.lrem(self._key, 0, _FLOOR)
        pipe.rpush(self._key, _FLOOR)
        pipe.expire(self._key, keys.CLAIMS_SECONDS)
        pipe.zadd(keys.claimers(self._queue), {self._holder: time.time()})
        pipe.expire(keys.claimers(self._queue), keys.CLAIMS_SECONDS)
        pipe.execute()

    def keep(self) -> None:
        """To be called at least every `SEEN_SECONDS` while anything is ours."""
        if time.monotonic() - self._seen_at >= SEEN_SECONDS:
            self.open()

    def close(self) -> None:
        """Nothing is ours any more."""
        self.settle()
        pipe = self._redis.pipeline(transaction=True)
        pipe.lrem(self._key, 0, _FLOOR)
        pipe.zrem(keys.claimers(self._queue), self._holder)
        pipe.execute()

    def next(self, seconds: float) -> bytes | None:
        """Wait so long for a message; it is ours then."""
        message = self._waiting.blmove(self._queue, self._key, seconds, "RIGHT", "LEFT")
        return cast("bytes | None", message)

    def done(self, message: bytes) -> None:
        """Kept in mind, for `settle`, where the broker cannot be told now; raises nothing."""
        try:
            self._redis.lrem(self._key, 1, message)
        except RedisError:
            self._unsettled.append(message)

    def settle(self) -> None:
        """Tell what could not be told. At most one message of each lane: none is claimed until."""
        while self._unsettled:
            self._redis.lrem(self._key, 1, self._unsettled[-1])
            self._unsettled.pop()

    def acknowledge(self, delivery_tag: str) -> None:
        """The message that Celery itself delivered is done, though the shift goes on.

        Its parent acknowledges it again at the shift's end, so a lost answer does no harm.
        """
        pipe = self._redis.pipeline(transaction=True)
        pipe.zrem(UNACKED_INDEX, delivery_tag)
        pipe.hdel(UNACKED, delivery_tag)
        pipe.execute()

    def put_off(self, message: bytes) -> None:
        """Back to the far end of its queue."""
        pipe = self._redis.pipeline(transaction=True)
        pipe.lrem(self._key, 1, message)
        pipe.lpush(self._queue, message)
        pipe.execute()

    def leave(self, message: bytes) -> None:
        """To be queued as soon as this process is dead."""
        self.open()
        self._redis.lpush(self._key, message)

    def give_back_but(self, running: Collection[bytes]) -> int:
        """What a broken connection left as ours without our knowing."""
        mine = (_FLOOR, *running)
        return int(self._redis.eval(_GIVE_BACK_OTHERS, 2, self._key, self._queue, *mine))


def give_back(redis: Any, queue: str, holder: str) -> int:
    """Queue again what a dead child had claimed; returns how many messages."""
    key = keys.claims(queue, holder)
    given = redis.eval(_GIVE_BACK, 2, key, queue, _FLOOR, MOST_CLAIMED)
    redis.zrem(keys.claimers(queue), holder)
    return int(given)


def give_back_lost(redis: Any, queue: str, now: float) -> int:
    """The same for all children that are dead or silent.

    `now` is wall-clock time: claimers of other machines are known by it alone.
    """
    given = 0
    for name, seen in redis.zrange(keys.claimers(queue), 0, -1, withscores=True):
        holder = name.decode()
        if holders.is_gone(holder) or now - seen >= UNSEEN_SECONDS:
            given += give_back(redis, queue, holder)
    return given
