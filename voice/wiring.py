"""Joins the calls of this process with Redis, the queue and the database, on first use.

Daphne has no start-up hook, so the first socket starts the hub; it lives as long as the process.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from functools import cache, partial

from django.conf import settings
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from voice.audio import BROWSER
from voice.audio_store import AudioStore
from voice.dispatch import Dispatcher
from voice.ears import Hear
from voice.fillers import Fillers
from voice.hub import BLOCK_MS, EventHub
from voice.options import CallOptions, EndpointOptions

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Services:
    redis: Redis
    store: AudioStore
    queue: Dispatcher
    hub: EventHub
    options: CallOptions
    fillers: Fillers
    hear: Hear | None
    hub_task: asyncio.Task[None]


def call_options() -> CallOptions:
    return CallOptions(
        endpoint=EndpointOptions(end_ms=settings.ENDPOINT_SILENCE_MS),
        most_seconds=settings.MAX_CALL_SECONDS,
    )


def live_recogniser() -> Hear | None:
    """Deepgram, where it is the first to be asked; what that takes is not imported otherwise."""
    if not (settings.DEEPGRAM_LIVE and settings.TRANSCRIBERS[:1] == ["deepgram"]):
        return None
    from voice import live_line, live_socket

    options = live_line.options_from_environment()
    return partial(live_socket.LiveEar, live_line.Line(options)) if options else None


@cache
def services() -> Services:
    """The process's one set; call it on the event loop."""
    url = settings.REDIS_URL
    redis = Redis.from_url(url, socket_timeout=3, socket_connect_timeout=2, max_connections=20)
    # The hub's read blocks for longer than any other command may take.
    reading = Redis.from_url(
        url,
        socket_timeout=BLOCK_MS / 1000 + 3,
        socket_connect_timeout=2,
        max_connections=2,
        # The hub tries again by itself, and sooner.
        retry=Retry(NoBackoff(), 0),
    )
    hub = EventHub(reading)
    task = asyncio.get_running_loop().create_task(hub.run(), name="event hub")
    task.add_done_callback(_hub_ended)
    store, queue = AudioStore(redis), Dispatcher(redis)
    fillers = Fillers(store, queue, hub, BROWSER)
    return Services(redis, store, queue, hub, call_options(), fillers, live_recogniser(), task)


def _hub_ended(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception():
        # Without the hub no call hears an answer: the next socket starts a new one.
        logger.critical("event hub ended", exc_info=task.exception())
        services.cache_clear()
