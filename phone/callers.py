"""Who calls from which number, and whether a PIN is theirs: what the doorkeeper asks the database.

Whoever asks learns the same of a number that is nobody's as of one whose PIN is another.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from phone import door_words, pins, tries
from phone.calls import PhoneCallFacts
from phone.door_actions import Caller
from phone.models import PhoneAccount, PhoneCall
from todo.models import Preferences
from voice import records
from voice.models import Business, Call
from voice.records import in_database_thread

logger = logging.getLogger(__name__)

# People who share a number and have a PIN: for each of them a PIN costs a hash.
MOST_SHARING = 6
# What guests are told they can have; of other tools, that there is something.
_OFFERS = {"transfer_to_person": "connect you with somebody"}


@dataclass(frozen=True, slots=True)
class Known:
    """The PIN was right."""

    user_id: int
    name: str


@dataclass(frozen=True, slots=True)
class Wrong:
    pass


@dataclass(frozen=True, slots=True)
class LockedOut:
    seconds: float


Verdict = Known | Wrong | LockedOut


@dataclass(frozen=True, slots=True)
class _Asked:
    made: tries.Try
    hashes: Mapping[int, str]


@in_database_thread
def caller_of(call: PhoneCallFacts) -> Caller:
    of_business = Business.objects.filter(pk=call.business_id) if call.business_id else None
    business = of_business.first() if of_business else None
    has_pin, locked_seconds = _pins_of(call)
    return Caller(
        greeting=call.greeting or settings.PHONE_GREETING,
        saying=call.saying,
        identified=call.identified,
        has_pin=has_pin,
        locked_seconds=locked_seconds,
        guests_may=_offer(business),
        trusted=call.about_reminder_id is not None,
        talked=call.stream > 1 and _has_talked(call),
        emergency_key=business is not None and business.emergency_key,
    )


def turned_away(phone: PhoneCall) -> str:
    """What to say to a caller for whom nothing can be done now: locked out, and not even a guest.

    Empty for all others. They are spared a stream, and we who call again and again.
    """
    business = phone.call.business
    if business is not None and (business.guest_tools or business.emergency_key):
        return ""
    number, now = tries.of_number(phone.theirs), timezone.now()
    accounts = [tries.of_account(account) for account in _hashes(phone.theirs)]
    until = tries.lock_of([number, *accounts], now)
    if until is None:
        return ""
    return f"{door_words.locked((until - now).total_seconds())} {door_words.SORRY}"


async def look_at(call: PhoneCallFacts, pin: str, keyed: str) -> Verdict:
    """Whose PIN this is, of those who call from the number or have the one keyed in.

    Raises DatabaseError. While the number is locked, nothing but memory is asked.
    """
    now = timezone.now()
    until = tries.remembered(tries.of_number(call.theirs), now)
    if until is not None:
        return LockedOut((until - now).total_seconds())
    try:
        asked = await _begin(call, keyed, now)
    except tries.Locked as lock:
        return LockedOut((lock.until - now).total_seconds())
    account = await pins.owner_of(pin, asked.hashes)
    if account is None:
        until = await _wrong(call, asked.made, now)
        return Wrong() if until is None else LockedOut((until - now).total_seconds())
    known: Known = await _right(asked.made, account)
    await records.identify(call.call_id, known.user_id)
    await _take_zone(call.call_id, known.user_id)
    return known


def number_keyed(digits: str, ours: str) -> str:
    """E.164 of a number as it was keyed in, on a line whose own number is `ours`."""
    for prefix in ("00", "011"):
        if digits.startswith(prefix):
            return f"+{digits.removeprefix(prefix)}"[:16]
    if ours.startswith("+1") and len(digits) == 10:
        return f"+1{digits}"
    return f"+{digits}"[:16]


# Inside -------------------------------------------------------------------------------------------
def _pins_of(call: PhoneCallFacts) -> tuple[bool, float]:
    """Whether there is one, and for how many seconds none can be tried."""
    if call.identified:
        return False, 0.0
    accounts = [tries.of_account(account) for account in _hashes(call.theirs)]
    now = timezone.now()
    until = tries.lock_of([tries.of_number(call.theirs), *accounts], now) if accounts else None
    return bool(accounts), (until - now).total_seconds() if until else 0.0


def _hashes(number: str) -> dict[int, str]:
    """Those of the accounts with this number."""
    if not number:
        return {}
    rows = PhoneAccount.objects.filter(numbers__number=number, owner__is_active=True)
    rows = rows.exclude(pin="").order_by("pk")
    return dict(rows.values_list("pk", "pin")[:MOST_SHARING])


@in_database_thread
def _begin(call: PhoneCallFacts, keyed: str, now: datetime) -> _Asked:
    number = number_keyed(keyed, call.ours) if keyed else call.theirs
    hashes = _hashes(number)
    accounts = {tries.of_account(account): account for account in hashes}
    made = tries.begin(
        tries.of_number(call.theirs), list(accounts) or [tries.of_account(number)], now
    )
    counted = [accounts[subject] for subject in made.accounts if subject in accounts]
    return _Asked(made, {account: hashes[account] for account in counted})


@in_database_thread
def _wrong(call: PhoneCallFacts, made: tries.Try, now: datetime) -> datetime | None:
    logger.info("wrong PIN", extra={"call_id": call.call_id})
    return tries.wrong(made, now)


@in_database_thread
def _right(made: tries.Try, account: int) -> Known:
    tries.right(made, tries.of_account(account))
    owner = PhoneAccount.objects.select_related("owner").get(pk=account).owner
    return Known(owner.pk, owner.first_name or owner.get_username())


@in_database_thread
def _take_zone(call_id: str, user_id: int) -> None:
    """The call goes by the person's own time from here on."""
    zone = Preferences.objects.filter(owner=user_id).values_list("time_zone", flat=True).first()
    if zone:
        Call.objects.filter(pk=call_id).update(time_zone=zone)


def _offer(business: Business | None) -> str | None:
    allowed = [str(tool) for tool in (business.guest_tools or ())] if business else []
    if not allowed:
        return None
    return " and ".join(_OFFERS[tool] for tool in allowed if tool in _OFFERS)


def _has_talked(call: PhoneCallFacts) -> bool:
    return Call.objects.filter(pk=call.call_id, turns__isnull=False).exists()
