"""Wrong PINs in a row, and how long nobody may try again: kept in the database, told from memory.

A try is counted before its PIN is looked at and uncounted when that was right, so that tries made
at once, in any number of processes, are no more than those made one after the other.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Case, DateTimeField, F, Q, Value, When
from django.db.models.functions import Least

from phone.models import FailedTries

logger = logging.getLogger(__name__)

FREE_TRIES = 5
# After the fifth wrong try, the sixth, and so on; the last for all that follow.
DELAYS = tuple(timedelta(minutes=m) for m in (1, 5, 15, 60, 4 * 60, 24 * 60))
# So long without a try, and counting begins anew.
FORGOTTEN = timedelta(days=2)
# A lock is told from memory for so long; another process may have lifted it meanwhile.
REMEMBERED = timedelta(seconds=10)
MOST_REMEMBERED = 1000
_MOST_COUNTED = 1000
WITHHELD = "withheld"


class Locked(Exception):
    """Nobody may try before `until`."""

    def __init__(self, until: datetime) -> None:
        super().__init__("locked")
        self.until = until


@dataclass(frozen=True, slots=True)
class Try:
    """A counted try: of this calling number, on these of the accounts asked for."""

    number: str
    accounts: tuple[str, ...]


def of_number(number: str) -> str:
    """The subject of a calling number; all who withhold theirs are one."""
    return f"number:{number or WITHHELD}"


def of_account(account: int | str) -> str:
    """The subject of an account, or of a number that was named as one's and is nobody's."""
    return f"account:{account}"


def begin(number: str, accounts: Sequence[str], now: datetime) -> Try:
    """Count a try; raises Locked, with nothing written, if none is left.

    Of several accounts the locked ones are left out.
    """
    locks = _locks((number, *accounts), now)
    free = [account for account in accounts if account not in locks]
    if number in locks or not free:
        raise Locked(locks.get(number) or min(locks.values()))
    if not _count(number, now):
        raise Locked(_locks((number,), now).get(number, now + DELAYS[0]))
    counted = tuple(account for account in free if _count(account, now))
    if not counted:
        raise Locked(min(_locks(free, now).values(), default=now + DELAYS[0]))
    return Try(number, counted)


def right(made: Try, account: str) -> None:
    """The PIN was this account's: that and the number are free, the others' try is uncounted."""
    lift(made.number, account)
    others = [other for other in made.accounts if other != account]
    rows = FailedTries.objects.filter(subject__in=others, count__gt=0)
    rows.update(count=F("count") - 1, locked_until=None)


def wrong(made: Try, now: datetime) -> datetime | None:
    """Until when the next try must wait, if at all."""
    locks = _locks((made.number, *made.accounts), now)
    for subject in locks:
        logger.warning("PIN tries locked", extra={"subject": masked(subject)})
    if made.number in locks or set(made.accounts) <= set(locks):
        return locks.get(made.number) or min(locks.values())
    return None


def lift(*subjects: str) -> None:
    """As if nobody had ever tried."""
    FailedTries.objects.filter(subject__in=subjects).delete()
    for subject in subjects:
        _remembered.pop(subject, None)


def lock_of(subjects: Sequence[str], now: datetime) -> datetime | None:
    """Until when the first of these is locked, or else all of the others."""
    locks = _locks(subjects, now)
    if subjects[0] in locks:
        return locks[subjects[0]]
    others = subjects[1:]
    return min(locks.values()) if others and set(others) <= set(locks) else None


def remembered(subject: str, now: datetime) -> datetime | None:
    """A lock as far as it is known without asking the database."""
    known = _remembered.get(subject)
    if known is None or now >= min(known):
        return None
    return known[0]


def masked(subject: str) -> str:
    """For logs: an account's id, of a number its last four digits."""
    kind, _, name = subject.partition(":")
    return f"{kind}:…{name[-4:]}" if name.startswith("+") else subject


# Inside -------------------------------------------------------------------------------------------
# Subject -> (locked until, when to ask the database again).
_remembered: dict[str, tuple[datetime, datetime]] = {}


def _locks(subjects: Iterable[str], now: datetime) -> dict[str, datetime]:
    """Of those locked, until when: from memory, the rest in one query."""
    locks: dict[str, datetime] = {}
    unknown: list[str] = []
    for subject in subjects:
        if until := remembered(subject, now):
            locks[subject] = until
        else:
            unknown.append(subject)
    if unknown:
        rows = FailedTries.objects.filter(subject__in=unknown, locked_until__gt=now)
        for row in rows:
            if row.locked_until is not None:
                locks[row.subject] = row.locked_until
                _remember(row.subject, row.locked_until, now)
    return locks


def _remember(subject: str, until: datetime, now: datetime) -> None:
    _remembered.pop(subject, None)
    while len(_remembered) >= MOST_REMEMBERED:
        _remembered.pop(next(iter(_remembered)))
    _remembered[subject] = (until, now + REMEMBERED)


def _count(subject: str, now: datetime) -> bool:
    """One more try; False if it was locked meanwhile."""
    if _add(subject, now):
        return True
    FailedTries.objects.filter(last_at__lt=now - FORGOTTEN).delete()
    row = FailedTries(subject=subject, count=0, last_at=now)
    FailedTries.objects.bulk_create([row], ignore_conflicts=True)
    return _add(subject, now)


def _add(subject: str, now: datetime) -> bool:
    """In one statement, which locks from the last free try on."""
    long_ago = Q(last_at__lt=now - FORGOTTEN)
    least = FREE_TRIES - 1
    locks = [
        When(count__gte=least + step, then=Value(now + DELAYS[step]))
        for step in reversed(range(len(DELAYS)))
    ]
    nothing = Value(None, output_field=DateTimeField())
    rows = FailedTries.objects.filter(subject=subject).exclude(locked_until__gt=now)
    return bool(
        rows.update(
            count=Case(When(long_ago, then=Value(1)), default=Least(F("count") + 1, _MOST_COUNTED)),
            locked_until=Case(
                When(long_ago, then=nothing),
                *locks,
                default=nothing,
                output_field=DateTimeField(),
            ),
            last_at=now,
        )
    )
