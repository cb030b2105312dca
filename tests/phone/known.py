"""People who call: accounts with numbers and PINs, and a line of a business they call."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User

from convonet.far_end import names
from phone import pins
from phone.models import Line, PhoneAccount
from todo.models import Preferences
from voice.models import Business


def person(name: str, pin: str, *numbers: str, time_zone: str = "", **fields: Any) -> PhoneAccount:
    """`numbers`: by default the one that the simulated telephone calls from."""
    owner = User.objects.create_user(name, first_name=name.capitalize())
    if time_zone:
        Preferences.objects.create(owner=owner, time_zone=time_zone)
    kept = pins.hashed(pin) if pin else ""
    account = PhoneAccount.objects.create(owner=owner, pin=kept, **fields)
    for number in numbers or (names.CALLER,):
        account.numbers.create(number=number)
    return account


def line(**fields: Any) -> Business:
    """The number that the simulated telephone calls, of a business with these choices."""
    business = Business.objects.create(name="Acme", greeting="Hello, this is Acme.", **fields)
    Line.objects.create(number=names.CALLED, business=business)
    return business
