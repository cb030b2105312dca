"""Reply audio of the model on its way to Redis: in order, and no more of it than Redis takes.

Bound: `MOST_BYTES` beside what is being written; then the model's socket is not read on (`room`),
which holds the service up. Nothing is dropped but what is of no use any more.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from voice.errors import BrokerLost
from voice.realtime.deeds import StoreAudio

logger = logging.getLogger(__name__)

MOST_BYTES = 128 * 1024
WRITE_BYTES = 64 * 1024
AGAIN_SECONDS = 0.5


class ReplyStore(Protocol):
    async def append_reply(self, turn_id: str, seq: int, offset: int, audio: bytes) -> bool: ...


@dataclass(slots=True)
class Tally:
    stored_bytes: int = 0
    most_waiting_bytes: int = 0
    full: int = 0
    """How often the model had to wait for Redis."""


class Storing:
    """`stored` and `gone` are called on the loop and must not block."""

    def __init__(
        self,
        store: ReplyStore,
        stored: Callable[[str, int, int], None],
        gone: Callable[[str, int], None],
        log_fields: Mapping[str, object],
    ) -> None:
        self._store, self._stored, self._gone = store, stored, gone
        self._fields = log_fields
        self._waiting: deque[StoreAudio] = deque()
        self._bytes = 0
        self._stirred, self._room = asyncio.Event(), asyncio.Event()
        self._room.set()
        self.tally = Tally()

    def add(self, audio: StoreAudio) -> None:
        self._waiting.append(audio)
        self._count(len(audio.audio))
        self._stirred.set()

    def forget(self, turn_id: str) -> None:
        """What is not stored of this turn is not wanted."""
        kept = deque(one for one in self._waiting if one.turn_id != turn_id)
        dropped = sum(len(one.audio) for one in self._waiting) - sum(len(k.audio) for k in kept)
        self._waiting = kept
        self._count(-dropped)

    async def room(self) -> None:
        """Until more may be added."""
        if not self._room.is_set():
            self.tally.full += 1
            await self._room.wait()

    async def run(self) -> None:
        while True:
            await self._stirred.wait()
            self._stirred.clear()
            while self._waiting:
                await self._write()

    async def _write(self) -> None:
        """One write: what follows on the first piece goes with it."""
        pieces = self._next_pieces()
        first, data = pieces[0], b"".join(piece.audio for piece in pieces)
        try:
            kept = await self._store.append_reply(first.turn_id, first.seq, first.offset, data)
        except BrokerLost:
            # It stays where it is, unless it is forgotten meanwhile; the same write is repeated.
            logger.warning("reply audio not stored", extra=self._fields)
            await asyncio.sleep(AGAIN_SECONDS)
            return
        if not self._take_away(pieces):
            return
        if kept:
            self.tally.stored_bytes += len(data)
            self._stored(first.turn_id, first.seq, first.offset + len(data))
        else:
            self._gone(first.turn_id, first.seq)

    def _next_pieces(self) -> list[StoreAudio]:
        first = self._waiting[0]
        pieces: list[StoreAudio] = []
        size = 0
        for one in self._waiting:
            fits = not pieces or size + len(one.audio) <= WRITE_BYTES
            if (one.turn_id, one.seq) != (first.turn_id, first.seq) or not fits:
                break
            pieces.append(one)
            size += len(one.audio)
        return pieces

    def _take_away(self, pieces: list[StoreAudio]) -> bool:
        """False when they were forgotten while they were written."""
        if not self._waiting or self._waiting[0] is not pieces[0]:
            return False
        for piece in pieces:
            self._waiting.popleft()
            self._count(-len(piece.audio))
        return True

    def _count(self, size: int) -> None:
        self._bytes += size
        self.tally.most_waiting_bytes = max(self.tally.most_waiting_bytes, self._bytes)
        if self._bytes > MOST_BYTES:
            self._room.clear()
        else:
            self._room.set()
