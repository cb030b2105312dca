"""Joins the calls of this process with Redis, the queue and the database, on first use.

Daphne has no start-up hook, so the first socket starts the hub; it lives as long as the process.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from functools import cache, partial
from typing import TYPE_CHECKING

from django.conf import settings
from redis.asyncio import Redis

from voice import records, steady
from voice.admission import Switchboard
from voice.audio import BROWSER, MODEL_RATE, AudioFormat
from voice.audio_store import AudioStore
from voice.awakening import Awakening
from voice.dispatch import Dispatcher
from voice.ears import Hear
from voice.fillers import Fillers
from voice.hub import BLOCK_MS, EventHub
from voice.options import CallOptions, EndpointOptions
from voice.setup import Surroundings

if TYPE_CHECKING:
    from voice.realtime.wiring import Realtime

logger = logging.getLogger(__name__)

ANSWER_SECONDS = 3.0
# Of all calls of the process together: each is in use for a millisecond at a time.
CONNECTIONS = 8


@dataclass(frozen=True, slots=True)
class Services:
    redis: Redis
    store: AudioStore
    queue: Dispatcher
    switchboard: Switchboard
    hub: EventHub
    options: CallOptions
    hear: Hear | None
    realtime: Realtime | None
    hub_task: asyncio.Task[None]
    awakening: Awakening
    fillers: dict[AudioFormat, Fillers] = field(default_factory=dict)
    """Of each format of the calls so far: three at most."""

    def around(self, audio_format: AudioFormat) -> Surroundings:
        """What a call of this format is carried by; has its fillers made, if that is to be done."""
        if audio_format not in self.fillers:
            self.fillers[audio_format] = Fillers(self.store, self.queue, self.hub, audio_format)
        fillers = self.fillers[audio_format]
        fillers.prepare()
        self.awakening.begin()
        return Surroundings(
            store=self.store,
            queue=self.queue,
            hub=self.hub,
            records=records,
            fillers=fillers,
            options=self.options,
            # A model that hears by itself needs no second pair of ears.
            hear=None if self.realtime else self.hear,
            realtime=self.realtime,
        )

    @property
    def browser_format(self) -> AudioFormat:
        """Of the audio of browsers' calls: the model's own where one is on the line."""
        return MODEL_RATE if self.realtime else BROWSER


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


def realtime_model(store: AudioStore, queue: Dispatcher) -> Realtime | None:
    """The speech-to-speech model, where one is wished; else nothing of it is imported."""
    if settings.REALTIME != "openai":
        return None
    from voice.realtime import line, options, wiring

    wanted = options.from_environment()
    return wiring.Realtime(line.RealtimeLine(wanted), store, queue) if wanted else None


@cache
def services() -> Services:
    """The process's one set; call it on the event loop."""
    url = settings.REDIS_URL
    redis = steady.client(url, most=CONNECTIONS, answer_seconds=ANSWER_SECONDS)
    # The hub's read blocks for longer than any other command may take.
    hub = EventHub(steady.client(url, most=2, answer_seconds=BLOCK_MS / 1000 + ANSWER_SECONDS))
    task = asyncio.get_running_loop().create_task(hub.run(), name="event hub")
    task.add_done_callback(_hub_ended)
    store, queue = AudioStore(redis), Dispatcher(redis)
    realtime = realtime_model(store, queue)
    return Services(
        redis,
        store,
        queue,
        Switchboard(redis),
        hub,
        call_options(),
        live_recogniser(),
        realtime,
        task,
        Awakening(queue),
    )


def _hub_ended(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception():
        # Without the hub no call hears an answer: the next socket starts a new one.
        logger.critical("event hub ended", exc_info=task.exception())
        services.cache_clear()
