"""What Twilio asks of a call: at its begin, after each media stream, and at its end."""

from __future__ import annotations

import logging

from django.http import HttpRequest, HttpResponse
from twilio.twiml.voice_response import VoiceResponse

from phone import after, callers, calls, transfer, twiml
from phone.doors import signed
from phone.models import PhoneCall
from voice import admission
from voice.broker import broker
from voice.errors import Refused

logger = logging.getLogger(__name__)


@signed
def voice(request: HttpRequest) -> VoiceResponse:
    """Somebody calls one of our numbers."""
    phone = calls.open_inbound(request.POST.dict())
    if not _has_room(phone):
        calls.end(str(phone.call_id), after.NO_ROOM)
        return twiml.farewell(twiml.BUSY)
    if sentence := callers.turned_away(phone):
        calls.end(str(phone.call_id), "locked out")
        return twiml.farewell(sentence)
    return twiml.connect(phone)


@signed
def next_step(request: HttpRequest) -> VoiceResponse:
    """A media stream has ended, and the caller is still there."""
    phone = calls.find(request.POST["CallSid"])
    if phone is None or request.POST.get("CallStatus") in calls.FINAL:
        return twiml.farewell()
    wanted = transfer.next_twiml(phone)
    if wanted is not None:
        return wanted
    return after.stream(phone, request.GET.get("lost", ""))


@signed
def fallback(request: HttpRequest) -> VoiceResponse:
    """Twilio could not reach us, or not use what we said: go on where the call was."""
    logger.error("Twilio fell back", extra={"error": request.POST.get("ErrorCode", "")[:10]})
    return next_step(request) if calls.find(request.POST["CallSid"]) else voice(request)


@signed
def status(request: HttpRequest) -> HttpResponse:
    calls.told_status(request.POST.dict())
    return HttpResponse(status=204)


def _has_room(phone: PhoneCall) -> bool:
    """Asked for the sentence's sake alone: the stream takes the place."""
    try:
        admission.check(f"phone:{phone.theirs or phone.sid}", broker())
    except Refused:
        return False
    return True
