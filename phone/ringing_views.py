"""What Twilio asks of a call that we placed for a reminder: once answered, and at its end."""

from __future__ import annotations

import logging
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from twilio.twiml.voice_response import VoiceResponse

from phone import calls, ring_calls, ring_states, ringing, twiml
from phone.doors import signed
from phone.ring_states import Happened, RingOptions
from todo.models import Reminder

logger = logging.getLogger(__name__)


@signed
def ring(request: HttpRequest, ringing_id: UUID) -> VoiceResponse:
    """Somebody or something has picked up. Whatever try counts no more is hung up on."""
    said, tries = request.POST.dict(), _tries(request)
    what = ring_states.who(said.get("AnsweredBy", ""))
    if what == Happened.HUMAN:
        phone = ring_calls.answered(ringing_id, tries, said, timezone.now(), RingOptions())
        if phone is not None:
            return twiml.connect(phone, saying=ring_calls.first_words(_reminder(ringing_id)))
    elif _happened(ringing_id, tries, what, said) and what == Happened.MACHINE:
        return twiml.farewell(ring_calls.message(_reminder(ringing_id)))
    return twiml.farewell()


@signed
def status(request: HttpRequest, ringing_id: UUID) -> HttpResponse:
    """The call is over, or never came about."""
    said = request.POST.dict()
    calls.told_status(said)
    what = ring_states.ended(said.get("CallStatus", ""))
    if what is not None:
        _happened(ringing_id, _tries(request), what, said)
    return HttpResponse(status=204)


def _happened(ringing_id: UUID, tries: int, what: Happened, said: dict[str, str]) -> bool:
    now, sid = timezone.now(), said["CallSid"][:40]
    row = ringing.happened(ringing_id, tries, what, now, RingOptions(), sid=sid)
    return row is not None


def _tries(request: HttpRequest) -> int:
    """Which try it is, as the address says that we gave."""
    text = request.GET.get("try", "")
    return int(text) if text.isdecimal() and len(text) < 4 else 0


def _reminder(ringing_id: UUID) -> Reminder:
    return Reminder.objects.select_related("owner").get(ringing=ringing_id)
