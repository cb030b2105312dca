"""The broker as the page's requests reach it: one pool of connections for this process."""

from __future__ import annotations

from functools import lru_cache

import redis
from django.conf import settings

# A page waits no longer for what lies in the broker than a person would.
BROKER_SECONDS = 2.0


@lru_cache(maxsize=1)
def broker() -> redis.Redis:
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=BROKER_SECONDS,
        socket_connect_timeout=BROKER_SECONDS,
    )
