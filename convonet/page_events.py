"""Tells a person's open pages that their todos changed, whichever process changed them."""

from __future__ import annotations

import logging
from functools import cache
from typing import Any

import redis
from django.conf import settings

from todo.signals import changed
from voice import keys, streams
from voice.events import TodosChanged

logger = logging.getLogger("convonet.page_events")

# A change is committed by now and its maker waits: a sick broker may cost them this and no more.
SOCKET_SECONDS = 0.5
_failing = False


def connect() -> None:
    """Connect the publisher to `todo.signals.changed`."""
    changed.connect(publish, dispatch_uid="convonet.page_events")


def publish(
    *,
    owner_id: int,
    summary: str,
    change_id: int | None,
    todo_ids: list[int],
    reminder_ids: list[int],
    **_: Any,
) -> None:
    """Never raises: a page that missed this fetches its list again when it comes back."""
    global _failing
    event = TodosChanged(summary, change_id, list(todo_ids), list(reminder_ids))
    try:
        streams.publish(_client(), keys.person_stream(owner_id), event)
    except redis.RedisError as error:
        if not _failing:
            logger.warning("pages not told of changes", extra={"error": type(error).__name__})
        _failing = True
    else:
        _failing = False


@cache
def _client() -> redis.Redis:
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=SOCKET_SECONDS,
        socket_connect_timeout=SOCKET_SECONDS,
        retry=None,
    )
