"""Reminders that ring: the rows, and every change of them as one conditional update.

Of two workers exactly one places a try, and of a worker and a webhook exactly one decides what
became of it. What follows from what is in `phone.ring_states`.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.db.models import Sum

from phone.models import PhoneNumber, Ringing
from phone.ring_states import Happened, RingOptions, State, after
from todo.changes import exclusive
from todo.models import Reminder
from voice.models import Call

if TYPE_CHECKING:
    from django.contrib.auth.models import User

logger = logging.getLogger(__name__)

# One look of the scheduler; what is left over waits for the next, seconds later.
MOST_AT_ONCE = 50
DAY = timedelta(days=1)


def is_possible() -> bool:
    """There is a number to call from, a way to ask for it, and an address to ask us at."""
    needed = (
        settings.TWILIO_ACCOUNT_SID,
        settings.TWILIO_AUTH_TOKEN,
        settings.TWILIO_NUMBER,
        settings.PUBLIC_URL,
    )
    return all(needed)


def wait_for(fired: Sequence[Reminder], now: datetime) -> list[Ringing]:
    """A row for each of these whose owner wishes to be called; in the transaction of the firing."""
    if not fired or not is_possible():
        return []
    numbers = _numbers_of({reminder.owner_id for reminder in fired})
    rows = [
        Ringing(reminder=reminder, number=numbers[reminder.owner_id], next_at=now)
        for reminder in fired
        if reminder.owner_id in numbers
    ]
    return Ringing.objects.bulk_create(rows)


def _numbers_of(owners: set[int]) -> dict[int, str]:
    """The first number of each who wishes to be called."""
    rows = PhoneNumber.objects.filter(
        account__rings=True, account__owner__is_active=True, account__owner_id__in=owners
    )
    return dict(rows.order_by("-pk").values_list("account__owner_id", "number"))


def due(now: datetime) -> list[UUID]:
    """Rows to be looked at: to be placed, or of which nothing was heard for too long."""
    rows = Ringing.objects.filter(
        state__in=[State.WAITING, State.PLACING, State.RINGING], next_at__lte=now
    )
    return list(rows.order_by("next_at").values_list("pk", flat=True)[:MOST_AT_ONCE])


def claim(ringing_id: UUID, now: datetime, options: RingOptions) -> Ringing | None:
    """The row, if the caller of this is to place its next try now; nobody else will.

    A person is rung for one reminder at a time, and not while they are in a call with us.
    """
    found = Ringing.objects.select_related("reminder__owner").filter(pk=ringing_id).first()
    if found is None:
        return None
    with exclusive(found.reminder.owner):
        waiting = Ringing.objects.filter(pk=ringing_id, state=State.WAITING, next_at__lte=now)
        row = waiting.select_related("reminder__owner").first()
        if row is None:
            return None
        claimed = {
            "state": State.PLACING,
            "tries": row.tries + 1,
            "sid": "",
            "next_at": now + options.placing,
        }
        change = _instead(row, now, options) or claimed
        return row if _change(row, change) and change is claimed else None


def _instead(row: Ringing, now: datetime, options: RingOptions) -> dict[str, Any]:
    """What is to be done with a row that is due instead of calling; empty: it is to be called."""
    reminder = row.reminder
    if reminder.state != Reminder.State.FIRED:
        return {"state": State.CANCELLED, "outcome": "told elsewhere"}
    if now > reminder.due_at + options.latest:
        return {"state": State.GIVEN_UP, "outcome": row.outcome or "too late"}
    others = Ringing.objects.filter(reminder__owner=reminder.owner).exclude(pk=row.pk)
    lately = others.filter(reminder__fired_at__gt=now - DAY).aggregate(calls=Sum("tries"))
    if (lately["calls"] or 0) + row.tries >= options.most_a_day:
        return {"state": State.GIVEN_UP, "outcome": "too many calls"}
    rings = others.filter(state__in=[State.PLACING, State.RINGING])
    if rings.exists() or in_call(reminder.owner):
        return {"next_at": now + options.put_off}
    return {}


def in_call(owner: User) -> bool:
    """In a call with us now, where reminders are announced; dead ones are swept away."""
    return Call.objects.filter(user=owner, ended_at=None).exists()


def happened(
    ringing_id: UUID,
    tries: int,
    what: Happened,
    now: datetime,
    options: RingOptions,
    **values: Any,
) -> Ringing | None:
    """Note what became of that try, with more `values` of the row; None: it counts no more.

    It does not once another try was begun, or once the row came to its end.
    """
    for _ in range(3):
        row = Ringing.objects.select_related("reminder").filter(pk=ringing_id, tries=tries).first()
        step = after(row.state, tries, what, options) if row is not None else None
        if row is None or step is None:
            return None
        change: dict[str, Any] = {"state": step.state, "outcome": step.outcome, **values}
        if step.wait is not None:
            change["next_at"] = now + step.wait
        if _change(row, change):
            _log(row)
            return row
    return None


def _change(row: Ringing, change: dict[str, Any]) -> bool:
    """In the database and in `row`; False when it is no more as it was read."""
    same = Ringing.objects.filter(pk=row.pk, tries=row.tries, state=row.state)
    if not same.update(**change):
        return False
    for name, value in change.items():
        setattr(row, name, value)
    return True


def _log(row: Ringing) -> None:
    fields = {
        "ringing": str(row.pk),
        "state": str(row.state),
        "outcome": str(row.outcome),
        "tries": row.tries,
    }
    logger.info("reminder rang", extra=fields)


def look_again(row: Ringing, now: datetime, options: RingOptions) -> None:
    """It is not known yet how it went, or Twilio says that it rings: wait as long once more."""
    _change(row, {"next_at": now + options.ringing})


def remember_sid(ringing_id: UUID, tries: int, sid: str) -> None:
    Ringing.objects.filter(pk=ringing_id, tries=tries, sid="").update(sid=sid)
