"""What comes after a media stream: the end, or, if we broke it, an apology and another stream."""

from __future__ import annotations

import logging
import time

from twilio.twiml.voice_response import VoiceResponse

from phone import ring_calls, twiml
from phone.models import PhoneCall

logger = logging.getLogger(__name__)

SORRY = "Sorry, I lost you for a moment. I am back."
GIVING_UP = "I am sorry, something is wrong on my side. Please call again in a few minutes."
NO_ROOM = "no room"
# Ends of a stream by which nobody ended the call: our process died or the socket broke.
BROKEN = frozenset({"", "left", "hung up", "not reading", "web process ended"})
MOST_IN_A_ROW = 3
ROW_SECONDS = 60.0


def stream(phone: PhoneCall, lost: str, now: float | None = None) -> VoiceResponse:
    """`lost`: how often this happened in a row, and since when, as the last answer noted it."""
    reason = phone.call.end_reason
    if reason == NO_ROOM:
        return twiml.farewell(twiml.BUSY)
    if reason not in BROKEN:
        return twiml.farewell()
    now = time.time() if now is None else now
    times, since = _read(lost)
    if now - since > ROW_SECONDS:
        times, since = 0, now
    fields = {"call_id": str(phone.call_id), "reason": reason or "none", "times": times + 1}
    logger.warning("media stream lost", extra=fields)
    if times >= MOST_IN_A_ROW:
        return twiml.farewell(GIVING_UP)
    saying = ring_calls.untold(phone) or SORRY
    return twiml.connect(phone, saying=saying, lost=f"{times + 1}.{int(since)}")


def _read(lost: str) -> tuple[int, float]:
    times, _, since = lost.partition(".")
    return (int(times), float(since)) if times.isdecimal() and since.isdecimal() else (0, 0.0)
