"""The mouth of a call: everything that leaves for the caller's client, in order.

Messages first, then reply audio as `voice.playout` paces it. Bounds: `OUTBOX` messages waiting;
half a second of audio, which is read from the store when its first part may leave.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from convonet import counters
from convonet.stopwatch import mark
from voice.conversation import Conversation
from voice.errors import BrokerLost
from voice.fillers import Fillers
from voice.playout import Fetch, ReplyPlayout
from voice.ports import Store
from voice.small import Flag
from voice.turns import HangUp, LiveTurn
from voice.wire import Wire

logger = logging.getLogger(__name__)

# A reply is a few dozen messages; a client this far behind is not reading.
OUTBOX = 1000


@dataclass(frozen=True, slots=True)
class _Piece:
    """Audio read and not yet all sent, of one sentence of one reply."""

    playout: ReplyPlayout
    seq: int
    start: int
    audio: bytes

    def holds(self, playout: ReplyPlayout, fetch: Fetch) -> bool:
        here = self.playout is playout and self.seq == fetch.seq
        return here and self.start <= fetch.start and fetch.end <= self.start + len(self.audio)

    def part(self, fetch: Fetch) -> bytes:
        return self.audio[fetch.start - self.start : fetch.end - self.start]


SendMessage = Callable[[str | bytes], Awaitable[None]]


class Mouth:
    """`flush` sends the conversation's commands their way, `hang_up` ends the call."""

    def __init__(
        self,
        *,
        conversation: Conversation,
        wire: Wire,
        send: SendMessage,
        store: Store,
        fillers: Fillers,
        flush: Callable[[], None],
        hang_up: Callable[[HangUp], None],
        log_fields: Mapping[str, object],
    ) -> None:
        self._conversation, self._wire = conversation, wire
        self._send, self._store = send, store
        self._fillers, self._filled = fillers, 0
        self._flush, self._hang_up = flush, hang_up
        self._log_fields = log_fields
        self._outbox: list[str | bytes] = []
        self._wake = Flag()
        self._piece: _Piece | None = None

    def wake(self) -> None:
        """Something may have changed: look what may leave."""
        if self._outbox or self._conversation.current is not None:
            self._wake.set()
        else:
            self._piece = None

    def tell(self, message: dict[str, Any]) -> None:
        if len(self._outbox) >= OUTBOX:
            counters.add("outbox_overflows")
            self._hang_up(HangUp(4408, "not reading", "Your device stopped reading."))
            return
        encoded = self._wire.message(message)
        if encoded is not None:
            self._outbox.append(encoded)
            self._wake.set()

    def notice(self, text: str, level: str = "warning") -> None:
        self.tell({"type": "notice", "text": text, "level": level})

    def fill(self, turn: LiveTurn) -> None:
        """Say a few words while the turn's reply is not there, if some are at hand."""
        filler = self._fillers.pick(self._filled)
        if filler is None:
            self._conversation.not_filled(turn)
            return
        self._filled += 1
        counters.add("fillers")
        text, audio = filler
        turn.playout.fill(audio)
        self.tell({"type": "filler", "turn": turn.id, "number": turn.number, "text": text})

    async def run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self._send_outbox()
            try:
                while await self._send_audio():
                    await self._send_outbox()
            except BrokerLost:
                # The audio stays where it is; the next tick tries again.
                logger.warning("reply audio not read", extra=self._log_fields)

    async def _send_outbox(self) -> None:
        while self._outbox:
            await self._send(self._outbox.pop(0))

    async def _send_audio(self) -> bool:
        """Send one message of reply audio, if one may leave."""
        fetch = self._conversation.next_fetch()
        turn = self._conversation.current
        if fetch is None or turn is None:
            return False
        pcm = fetch.filler or await self._audio_of(turn, fetch)
        if self._conversation.current is not turn or self._conversation.next_fetch() is None:
            return True
        if not fetch.filler and len(pcm) < fetch.end - fetch.start:
            turn.playout.lost(fetch)
            logger.error("reply audio gone", extra={**self._log_fields, "turn_id": turn.id})
            return True
        mark("read", turn.id)
        self._conversation.sending(fetch, time.monotonic())
        self._flush()
        await self._send_outbox()
        for message in self._wire.audio(turn.id, turn.number, fetch.at_ms, pcm):
            await self._send(message)
        if not fetch.filler:
            mark("sent", turn.id)
        return True

    async def _audio_of(self, turn: LiveTurn, fetch: Fetch) -> bytes:
        """Raises BrokerLost; less than asked for when the store has it no more."""
        piece, playout = self._piece, turn.playout
        if piece is None or not piece.holds(playout, fetch):
            audio = await self._store.read_reply(turn.id, fetch.seq, fetch.start, fetch.until)
            piece = self._piece = _Piece(playout, fetch.seq, fetch.start, audio)
        return piece.part(fetch)
