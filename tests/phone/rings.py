"""People whose reminders ring, for the tests of this folder."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import User

from phone import ringing
from phone.models import PhoneAccount, PhoneNumber, Ringing
from phone.ring_states import RingOptions
from todo import reminders
from todo.models import Reminder

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
OPTIONS = RingOptions()
PUBLIC, TOKEN = "https://calls.example.org", "auth-token"
MINUTE = timedelta(minutes=1)


def have_telephone(settings: Any) -> None:
    settings.PUBLIC_URL, settings.TWILIO_AUTH_TOKEN = PUBLIC, TOKEN
    settings.TWILIO_ACCOUNT_SID, settings.TWILIO_NUMBER = "AC1", "+15550100"
    settings.ALLOWED_HOSTS = ["testserver"]


def person(name: str = "anna", number: str = "+15550199", **account: Any) -> User:
    """Who wishes to be called, unless `account` says otherwise."""
    user = User.objects.create_user(name, first_name=name.capitalize())
    row = PhoneAccount.objects.create(owner=user, **{"rings": True, **account})
    if number:
        PhoneNumber.objects.create(account=row, number=number)
    return user


def fire(user: User, text: str = "call the bank", at: datetime = NOW) -> Reminder:
    reminder = Reminder.objects.create(owner=user, text=text, due_at=at)
    reminders.fire_due(at, lambda fired: ringing.wait_for(fired, at))
    reminder.refresh_from_db()
    return reminder


def ring_of(user: User) -> Ringing:
    """Of their one reminder, which is due now."""
    return Ringing.objects.get(reminder=fire(user))


def claimed(user: User) -> Ringing:
    row = ringing.claim(ring_of(user).pk, NOW, OPTIONS)
    assert row is not None
    return row


def again(row: Ringing) -> Ringing:
    return Ringing.objects.get(pk=row.pk)
