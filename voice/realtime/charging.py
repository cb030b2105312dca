"""What each question to the model is charged as."""

from __future__ import annotations

from voice.realtime import deeds, protocol
from voice.realtime.exchange import Exchange
from voice.turns import Extra


def response(
    event: protocol.ResponseDone, owner: str, exchange: Exchange | None, now: float
) -> Extra:
    """Also one that was cancelled: what was made of it is paid for."""
    first_ms, took_ms = None, 0
    if exchange is not None:
        took_ms = round((now - exchange.asked_at) * 1000)
        if exchange.first_at is not None:
            first_ms = round((exchange.first_at - exchange.asked_at) * 1000)
    error = "" if event.status == "completed" else event.code or event.status
    return Extra(deeds.ChargeResponse(event.usage, owner, first_ms, took_ms, error))


def words(event: protocol.Words | protocol.NoWords, exchange: Exchange | None) -> Extra:
    """The transcription that goes with the session."""
    usage, code = protocol.Usage(), ""
    match event:
        case protocol.Words():
            usage = event.usage
        case protocol.NoWords():
            code = event.code or "failed"
    turn = exchange.turn if exchange else None
    utterance_id, length_ms = (turn.utterance_id, turn.utterance_ms) if turn else ("", 0)
    return Extra(deeds.ChargeWords(usage, utterance_id, length_ms, code))
