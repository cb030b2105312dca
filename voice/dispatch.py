"""Queues tasks for the workers by name, with ids only, without holding up the event loop."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from celery import Celery
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from voice.errors import BrokerLost

# Publishing is one round trip; with a lost broker the caller is told after this.
DEADLINE_SECONDS = 5.0


class Dispatcher:
    def __init__(self, app: Celery) -> None:
        self._app = app
        # One thread: tasks of a call reach the queue in the order they were sent.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="dispatch")

    async def send(self, task: str, *ids: str | int) -> None:
        """Queue `workers.tasks.<task>`; raises `BrokerLost`."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                await loop.run_in_executor(self._thread, self._send, task, ids)
        except (KombuError, RedisError, OSError, TimeoutError) as error:
            raise BrokerLost(type(error).__name__) from error

    def _send(self, task: str, ids: tuple[str | int, ...]) -> None:
        self._app.send_task(f"workers.tasks.{task}", args=ids, retry=False, ignore_result=True)
