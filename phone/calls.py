"""The rows of a telephone call: opened by its first webhook, taken by its streams, closed at last.

Twilio repeats what it got no answer to, and tells things out of order: all of it may be called
again. Synchronous; sockets call the `_async` ones on the process's database thread.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils import timezone

from phone import guests, wishes
from phone.models import Line, PhoneCall
from voice.audio import PHONE
from voice.models import Call, Turn
from voice.records import in_database_thread

FINAL = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
"""Twilio's words for a call that is over."""

WITHHELD = frozenset({"+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253"})
"""ANONYMOUS, RESTRICTED, BLOCKED, UNKNOWN and UNAVAILABLE by the keys of a telephone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneCallFacts:
    """What a stream of a call is begun with; numbers are E.164, empty when withheld."""

    call_id: str
    sid: str
    user_id: int
    """A guest's while not `identified`."""
    identified: bool
    direction: str
    ours: str
    theirs: str
    business_id: int | None
    greeting: str
    """The business's own; empty: the server's."""
    time_zone: str
    about_reminder_id: int | None
    stream: int
    """Counts the streams of the call: more than 1 after a transfer or a broken one."""
    saying: str
    """What this stream begins with, instead of a greeting."""


def number_of(text: str) -> str:
    """As people and consoles write it, to E.164; what is none (a SIP address) is cut to fit."""
    return "".join(c for c in text if c not in " -().")[:16]


def open_inbound(said: Mapping[str, str]) -> PhoneCall:
    """The rows of a call that Twilio tells of for the first time, or again."""
    known = find(said["CallSid"])
    if known is not None:
        return known
    line = Line.objects.select_related("business").filter(number=number_of(said["To"])).first()
    business = line.business if line else None
    try:
        with transaction.atomic():
            call = Call.objects.create(
                user=guests.guest_of(business),
                channel=Call.Channel.PHONE,
                business=business,
                identified=False,
                time_zone=business.time_zone if business else "",
                audio_format=str(PHONE),
            )
            return PhoneCall.objects.create(
                call=call,
                sid=said["CallSid"],
                line=line,
                ours=number_of(said["To"]),
                theirs=_caller(said.get("From", "")),
            )
    except IntegrityError:
        # The same webhook, at the same moment.
        return PhoneCall.objects.select_related("call__business").get(sid=said["CallSid"])


def find(sid: str) -> PhoneCall | None:
    return PhoneCall.objects.select_related("call__business").filter(sid=sid).first()


def next_stream(phone: PhoneCall, saying: str) -> int:
    """Note what the next stream is to begin with; answers its number."""
    phone.streams += 1
    phone.saying = saying[:300]
    phone.save(update_fields=["streams", "saying"])
    return phone.streams


def facts(call_id: str, stream: int) -> PhoneCallFacts | None:
    """None for a stream of a call that is over or unknown, or that a later one has replaced."""
    phone = PhoneCall.objects.select_related("call__business").filter(pk=uuid.UUID(call_id)).first()
    if phone is None or phone.status in FINAL or phone.streams != stream:
        return None
    call = phone.call
    return PhoneCallFacts(
        call_id=str(call.pk),
        sid=phone.sid,
        user_id=call.user_id,
        identified=call.identified,
        direction=phone.direction,
        ours=phone.ours,
        theirs=phone.theirs,
        business_id=call.business_id,
        greeting=call.business.greeting if call.business else "",
        time_zone=call.time_zone,
        about_reminder_id=call.about_reminder_id,
        stream=stream,
        saying=phone.saying,
    )


def end(call_id: str, reason: str) -> None:
    """Close the row of a call that no stream carries; one that is closed keeps its reason."""
    now = timezone.now()
    still = Call.objects.filter(pk=call_id, ended_at__isnull=True)
    if still.update(ended_at=now, end_reason=reason[:40]):
        unheard = Turn.objects.filter(call_id=call_id, state=Turn.State.SPEAKING)
        unheard.update(state=Turn.State.INTERRUPTED, finished_at=now)


def told_status(said: Mapping[str, str]) -> None:
    """What Twilio tells of a call; what comes after its end changes nothing."""
    phone = find(said["CallSid"])
    status = said.get("CallStatus", "")[:20]
    if phone is None or phone.status in FINAL:
        return
    phone.status = status
    seconds = said.get("CallDuration", "")
    if seconds.isdecimal():
        phone.seconds = int(seconds)
    phone.save(update_fields=["status", "seconds"])
    if status in FINAL:
        end(str(phone.call_id), status)
        wishes.caller_left(phone.call_id)


facts_async = in_database_thread(facts)
end_async = in_database_thread(end)


def _caller(number: str) -> str:
    cleaned = number_of(number)
    is_number = cleaned[:1] == "+" and cleaned[1:].isdecimal()
    return cleaned if is_number and cleaned not in WITHHELD else ""
