"""A few spoken words for a caller who waits in silence: made once, kept in memory, said in turn.

Kept here and not in Redis because they are needed most when workers or broker are not well. Four
of about a second each: 130 KB a format.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from typing import TYPE_CHECKING

from voice import events, keys
from voice.audio import AudioFormat
from voice.errors import BrokerLost
from voice.ports import Events, Queue, Store

if TYPE_CHECKING:
    from collections.abc import Sequence

logger = logging.getLogger(__name__)

TEXTS = ("One moment.", "Let me see.", "Just a second, please.", "I am still on it.")
# Workers may still be starting, or be busy with callers.
LOAD_SECONDS = 120.0


class Fillers:
    def __init__(self, store: Store, queue: Queue, hub: Events, audio_format: AudioFormat) -> None:
        self._store, self._queue, self._hub = store, queue, hub
        self._format = audio_format
        self._id = f"fillers-{uuid.uuid4().hex[:12]}"
        self._sizes: dict[str, int] = {}
        self._made = asyncio.Event()
        self._ready: Sequence[tuple[str, bytes]] = ()
        self._loading: asyncio.Task[None] | None = None

    def prepare(self) -> None:
        """Begin to have them made, unless they are or that is under way; at each call's start."""
        if not self._ready and (self._loading is None or self._loading.done()):
            self._loading = asyncio.get_running_loop().create_task(self._load(), name="fillers")

    def pick(self, number: int) -> tuple[str, bytes] | None:
        """(text, audio) of the `number`th; neighbours differ. None until they have been made."""
        if not self._ready:
            self.prepare()
            return None
        return self._ready[number % len(self._ready)]

    async def _load(self) -> None:
        """Have them spoken by a worker; without one, callers simply get none."""
        stream = keys.call_stream(self._id)
        try:
            async with asyncio.timeout(LOAD_SECONDS):
                await self._hub.subscribe(stream, self._on_event, from_start=True)
                await self._order()
                await self._made.wait()
                self._ready = [await self._fetch(number) for number in range(len(TEXTS))]
            logger.info("fillers made", extra={"count": len(self._ready)})
        except (BrokerLost, TimeoutError) as error:
            logger.warning("no fillers", extra={"reason": type(error).__name__})
        finally:
            self._hub.unsubscribe(stream, self._on_event)
            await self._hub.delete(stream)

    async def _order(self) -> None:
        for number, text in enumerate(TEXTS):
            name = self._name(number)
            await self._store.put_sentence(name, self._id, self._format, text)
            await self._queue.send("speak", name, 0)

    async def _fetch(self, number: int) -> tuple[str, bytes]:
        name = self._name(number)
        audio = await self._store.read_reply(name, 0, 0, self._sizes[name])
        await self._store.drop_reply(name, 1)
        return TEXTS[number], audio

    def _name(self, number: int) -> str:
        return f"{self._id}-{number}"

    def _on_event(self, event: events.Event) -> None:
        if isinstance(event, events.SentenceAudio) and event.final and not event.failed:
            self._sizes[event.turn_id] = event.size_bytes
            if len(self._sizes) == len(TEXTS):
                self._made.set()
