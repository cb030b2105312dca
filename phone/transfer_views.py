"""What Twilio asks while it dials people for a caller."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest
from twilio.twiml.voice_response import VoiceResponse

from phone import calls, transfer, twiml
from phone.doors import signed


@signed
def dialled(request: HttpRequest) -> VoiceResponse:
    """The `<Dial action>`: asked on the caller's leg, also when the caller has hung up."""
    phone, which = calls.find(request.POST["CallSid"]), _which(request)
    if phone is None or which is None:
        return twiml.farewell()
    return transfer.dialled(phone, *which, request.POST.dict())


@signed
def whisper(request: HttpRequest) -> VoiceResponse:
    """Asked on the leg of whoever has picked up."""
    which = _which(request)
    if which is None:
        return twiml.farewell()
    return transfer.whisper(*which, request.POST.get("ParentCallSid", ""))


@signed
def accepted(request: HttpRequest) -> VoiceResponse:
    which, said = _which(request), request.POST
    if which is None:
        return twiml.farewell()
    return transfer.accepted(*which, said.get("ParentCallSid", ""), said.get("Digits", ""))


def _which(request: HttpRequest) -> tuple[UUID, int] | None:
    """The wish, and which of its tries, as our own address says."""
    try:
        return UUID(request.GET["transfer"]), int(request.GET["place"])
    except (KeyError, ValueError):
        return None
