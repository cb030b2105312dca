"""Queues tasks for the workers by name, with ids only."""

from __future__ import annotations

from typing import Any

from voice import envelope
from voice.audio_store import answering


class Dispatcher:
    def __init__(self, redis: Any) -> None:
        self._redis = redis

    async def send(self, task: str, *ids: str | int) -> None:
        """Queue `workers.tasks.<task>`; raises `BrokerLost`."""
        async with answering():
            await self._redis.lpush(envelope.queue_of(task), envelope.sealed(task, *ids))
