"""A short-lived connection to the board, for views and commands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import redis
from django.conf import settings

from monitor import board
from monitor.board import State

SOCKET_SECONDS = 1.0


@contextmanager
def connected(seconds: float = SOCKET_SECONDS) -> Iterator[redis.Redis]:
    client = redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=seconds,
        socket_connect_timeout=seconds,
        retry=None,
    )
    try:
        yield client
    finally:
        client.close()


def state() -> State | None:
    """What the board says now; None when the broker does not answer."""
    try:
        with connected() as client:
            return board.read(client)
    except (redis.RedisError, OSError):
        return None
