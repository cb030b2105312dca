"""Tells people of the reminders whose time has come."""

from __future__ import annotations

import logging
from typing import Any
from uuid import UUID

from django.utils import timezone

from phone import ringing
from todo import reminders
from todo.models import Reminder
from voice import keys, streams
from voice.events import ReminderDue

logger = logging.getLogger("workers.reminders")


def fire_due(redis: Any) -> list[int]:
    """Mark what is due as fired and tell the owners' pages; returns the ids to be spoken.

    A reminder that is marked and then cannot be told is told at its owner's next call.
    """
    now = timezone.now()
    # In one transaction: whoever is to be called is, whatever dies.
    fired = reminders.fire_due(now, lambda due: ringing.wait_for(due, now))
    for reminder in fired:
        event = ReminderDue(reminder.pk, reminder.text, speech_of(reminder.text))
        streams.publish(redis, keys.person_stream(reminder.owner_id), event)
    if fired:
        logger.info("reminders fired", extra={"count": len(fired)})
    return [reminder.pk for reminder in fired]


def to_ring() -> list[UUID]:
    """Those whose owners are to be called now, or of whose call nothing was heard."""
    return ringing.due(timezone.now())


def speech_for(reminder_id: int) -> str | None:
    text = Reminder.objects.filter(pk=reminder_id).values_list("text", flat=True).first()
    return None if text is None else speech_of(text)


def speech_of(text: str) -> str:
    text = text.strip()
    return f"Reminder: {text}{'' if text.endswith(('.', '!', '?')) else '.'}"
