"""The call that a ringing reminder becomes once somebody has picked up, and what is said in it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction

from phone import ringing
from phone.calls import number_of
from phone.models import PhoneCall, Ringing
from phone.ring_states import Happened, RingOptions, State
from todo.models import Preferences, Reminder
from voice.audio import PHONE
from voice.models import Call

# With the longest text of a reminder, what is said fits into `PhoneCall.saying`.
NAME_LENGTH = 25


def answered(
    ringing_id: UUID, tries: int, said: Mapping[str, str], now: datetime, options: RingOptions
) -> PhoneCall | None:
    """The rows of the call with whoever has picked up; None when that try counts no more.

    They are nobody until they say so, and may answer this reminder alone. `said` is Twilio's.
    """
    with transaction.atomic():
        sid = said["CallSid"]
        row = ringing.happened(ringing_id, tries, Happened.HUMAN, now, options, sid=sid)
        if row is None:
            return _again(ringing_id, tries, sid)
        reminder = Reminder.objects.select_related("owner").get(pk=row.reminder_id)
        preferences = Preferences.objects.filter(owner=reminder.owner).first()
        call = Call.objects.create(
            user=reminder.owner,
            channel=Call.Channel.PHONE,
            identified=False,
            about_reminder=reminder,
            time_zone=preferences.time_zone if preferences else "",
            audio_format=str(PHONE),
        )
        Ringing.objects.filter(pk=ringing_id).update(call=call)
        return PhoneCall.objects.create(
            call=call,
            sid=sid,
            direction=PhoneCall.Direction.OUTBOUND,
            ours=number_of(said.get("From", settings.TWILIO_NUMBER)),
            theirs=row.number,
        )


def _again(ringing_id: UUID, tries: int, sid: str) -> PhoneCall | None:
    """Twilio asks once more when it did not get our answer."""
    rows = Ringing.objects.filter(pk=ringing_id, tries=tries, state=State.ANSWERED, sid=sid)
    if not rows.exists():
        return None
    return PhoneCall.objects.select_related("call").filter(sid=sid).first()


def untold(phone: PhoneCall) -> str:
    """The first words again, for a stream whose earlier one broke before they were heard."""
    call = phone.call
    if call.identified or call.about_reminder_id is None:
        return ""
    waiting = Reminder.objects.select_related("owner").filter(pk=call.about_reminder_id)
    reminder = waiting.filter(state=Reminder.State.FIRED).first()
    return first_words(reminder) if reminder is not None else ""


def first_words(reminder: Reminder) -> str:
    return (
        f"Hello {_name(reminder)}, this is Convonet with a reminder: {_sentence(reminder)}"
        " Say done, or in ten minutes."
    )


def message(reminder: Reminder) -> str:
    """For an answering machine."""
    return (
        f"This is Convonet with a reminder for {_name(reminder)}: {_sentence(reminder)}"
        " I will say it again when we next speak. Goodbye."
    )


def _name(reminder: Reminder) -> str:
    owner = reminder.owner
    return " ".join((owner.first_name or owner.get_username()).split())[:NAME_LENGTH]


def _sentence(reminder: Reminder) -> str:
    text = reminder.text.strip()
    return text if text.endswith((".", "!", "?")) else f"{text}."
