"""Redis for a process that lives longer than the broker does: a client of asyncio's.

A broker that restarted has closed our connections. Those are found to be closed before a command is
written to them, whichever command it is; of one that closes under a command nobody knows whether it
was carried out, so only what may be done twice is asked a second time.
"""

from __future__ import annotations

from typing import Any, cast

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as ConnectionLost
from redis.exceptions import MaxConnectionsError
from redis.maint_notifications import MaintNotificationsConfig

CONNECT_SECONDS = 2.0
_REPEATABLE = frozenset(
    {
        *("GET", "MGET", "GETRANGE", "STRLEN", "EXISTS", "TTL", "HGET", "HGETALL", "HMGET"),
        *("LRANGE", "LLEN", "XLEN", "XRANGE", "XREVRANGE", "PING", "DEL", "UNLINK", "EXPIRE"),
    }
)
_ONLY_IF = frozenset({"NX", "XX", "GET"})


def client(url: str, *, most: int, answer_seconds: float) -> SteadyRedis:
    """At most `most` connections; who finds them all in use waits for one, for `answer_seconds`."""
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=most,
        timeout=answer_seconds,
        socket_timeout=answer_seconds,
        socket_connect_timeout=CONNECT_SECONDS,
        retry=Retry(NoBackoff(), 0),
        # With them, redis-py takes a connection that the server has closed for one with news.
        maint_notifications_config=MaintNotificationsConfig(enabled=False),
    )
    return cast(SteadyRedis, SteadyRedis.from_pool(pool))


class SteadyRedis(Redis):
    """Asks once more, on a fresh connection, what may be asked twice; never a pipeline."""

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        try:
            return await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
        except MaxConnectionsError:
            raise
        except ConnectionLost:
            if not is_repeatable(args):
                raise
        return await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]


def is_repeatable(command: tuple[Any, ...]) -> bool:
    """Whether it answers the same, and leaves the same, when it is carried out twice."""
    if command[0] == "SET":
        return not any(isinstance(word, str) and word in _ONLY_IF for word in command[3:])
    return command[0] in _REPEATABLE
