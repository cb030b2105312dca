"""A business with people in it, for the tests of this folder."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from phone.models import Contact, Department
from voice.models import Business

# A Wednesday.
NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
SUNDAY = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
OFFICE = "mon-fri 09:00-17:00"


def business(name: str = "Ebert & Sons", **fields: Any) -> Business:
    return Business.objects.create(name=name, **{"time_zone": "UTC", "hours": OFFICE, **fields})


def department(of: Business, name: str, *people: str, **fields: Any) -> Department:
    """`people` are names, in order; each gets a number of their own."""
    row = Department.objects.create(business=of, name=name, **fields)
    for order, person in enumerate(people):
        add_contact(row, person, order=order)
    return row


def add_contact(to: Department, name: str, **fields: Any) -> Contact:
    number = f"+1555{Contact.objects.count():07d}"
    return Contact.objects.create(department=to, name=name, **{"number": number, **fields})
