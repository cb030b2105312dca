"""The reply as the model makes it: its words and sounds, told to the call as a worker would."""

from __future__ import annotations

from voice import events
from voice.answering import Answering
from voice.realtime import deeds
from voice.realtime.exchange import Exchange


def sound(exchange: Exchange, item_id: str, audio: bytes) -> deeds.StoreAudio:
    """More of it, to be stored behind what there is."""
    part = exchange.part(item_id)
    offset = part.size_bytes
    part.size_bytes += len(audio)
    return deeds.StoreAudio(exchange.turn.id, part.seq, offset, audio)


def words(answering: Answering, exchange: Exchange, item_id: str, text: str, now: float) -> None:
    part, reply, turn_id = exchange.part(item_id), exchange.turn.reply, exchange.turn.id
    gap = " " if not part.text and reply and not reply[-1].isspace() else ""
    part.text += text
    answering.handle(events.ReplyDelta(turn_id, gap + text), now)
    answering.handle(events.SentenceReady(turn_id, part.seq, part.text), now)


def stored(answering: Answering, exchange: Exchange, seq: int, size_bytes: int, now: float) -> None:
    """So much of this part lies in Redis."""
    part = exchange.part_number(seq)
    if part is None:
        return
    part.stored_bytes = max(part.stored_bytes, min(size_bytes, part.size_bytes))
    part.told = part.complete
    _tell(answering, exchange, seq, part.stored_bytes, part.complete, now)


def ended(answering: Answering, exchange: Exchange, now: float, item_id: str = "") -> None:
    """No more of this part will come; of any, if none is named."""
    for part in exchange.parts.values():
        part.ended = part.ended or part.item_id == (item_id or part.item_id)
        if part.complete and not part.told:
            part.told = True
            _tell(answering, exchange, part.seq, part.stored_bytes, True, now)


def gone(answering: Answering, turn_id: str, seq: int, now: float) -> None:
    """What was stored of this part is lost: it ends with what was sent."""
    event = events.SentenceAudio(turn_id, seq, 0, True, failed=True, error="audio gone")
    answering.handle(event, now)


def _tell(
    answering: Answering, exchange: Exchange, seq: int, size: int, final: bool, now: float
) -> None:
    answering.handle(events.SentenceAudio(exchange.turn.id, seq, size, final), now)
