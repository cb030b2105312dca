"""Who can be connected: finds a department or a person by what was said, and who is there now."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from django.conf import settings

from phone import hours
from phone.models import Contact, Department
from todo.actor import known_zone
from todo.matching import Candidate, match
from todo.sounds import likeness, sound
from voice.models import Business

logger = logging.getLogger(__name__)

# Two words this alike are one, as they are heard.
ALIKE = 0.75
# What is said around the name of a department: "somebody from the sales team".
_AROUND = re.compile(
    r"\b(?:the|your|our|an?|some ?body|some ?one|any ?body|any ?one|people|person|human|from|in|of|"
    r"at|for|with|to|department|dept|team|desk|hotline|colleagues?|"
    r"please|real|live|actual|mr|mrs|ms|miss|doctor|dr)\b",
    re.IGNORECASE,
)
_WHOEVER = re.compile(
    r"\b(?:whoever|whomever|any ?(?:one|body)|does(?: not|n't) matter|do(?: not|n't) (?:care|mind)|"
    r"no matter)\b",
    re.IGNORECASE,
)
# What people call somebody whose name they do not know.
_NOBODY_TEXT = "operator agent representative assistant staff employee member colleague someone"
_NOBODY = frozenset(_NOBODY_TEXT.split())


@dataclass(frozen=True, slots=True)
class Option:
    """A department, or one person of it who was asked for."""

    department: Department
    contact: Contact | None = None

    @property
    def name(self) -> str:
        return self.contact.name if self.contact else self.department.name


@dataclass(frozen=True, slots=True)
class Found:
    """`one`: the one meant; `several`: one of these; `perhaps`: like these; `none`: nobody."""

    kind: Literal["one", "several", "perhaps", "none"]
    options: tuple[Option, ...] = ()


class Directory:
    """The departments of a business as they are at `now` (aware)."""

    def __init__(self, business: Business, now: datetime) -> None:
        self.business = business
        zone = known_zone(business.time_zone) or ZoneInfo(settings.TIME_ZONE)
        self.now = now.astimezone(zone)
        rows = Department.objects.filter(business=business).prefetch_related("contacts")
        self.departments = list(rows)

    @property
    def usual(self) -> list[Department]:
        """Those for every day, in order; where there is nothing else, the one for emergencies."""
        return [one for one in self.departments if not one.is_emergency] or self.departments

    def find(self, words: str) -> Found:
        """Whom the words mean; without a name in them, the one department or a choice of all."""
        bare = " ".join(re.sub(r"[^\w'&+ -]", " ", words).split())
        name = "" if _WHOEVER.search(bare) else _name_in(bare)
        # "People" may be a department.
        called = [option for known, option in self._options() if _same(known, bare)]
        if called or name:
            return _found(called, sure=True) if called else self._named(name)
        everybody = [Option(row) for row in self.usual]
        if _WHOEVER.search(bare):
            there = [one for one in everybody if self.reachable(one.department)]
            everybody = (there or everybody)[:1]
        return _found(everybody, sure=True)

    def reachable(self, department: Department) -> list[Contact]:
        """Its people who are there now, in order."""
        return [one for one in _contacts(department) if self.is_there(one, department)]

    def is_there(self, contact: Contact, department: Department) -> bool:
        try:
            return hours.is_open(self._hours(contact, department), self.now)
        except hours.BadHours:
            # Pages refuse such hours. Rather ring at night than never.
            logger.warning("hours not readable", extra={"contact_id": contact.pk})
            return True

    def opening(self, department: Department, contact: Contact | None = None) -> str:
        """When the first of its people is there again, as it is said; empty when nobody ever is."""
        people = [contact] if contact else _contacts(department)
        moments = [self._opens(one, department) for one in people]
        known = [moment for moment in moments if moment is not None]
        return hours.spoken(min(known), self.now) if known else ""

    def to_try(
        self, department: Department | None, asked_for: Contact | None, *, emergency: bool
    ) -> list[Contact]:
        """Whom to dial, in order.

        For an emergency those of its departments at any hour, and then whoever else is there.
        """
        if not emergency:
            there = self.reachable(department) if department else []
            return sorted(there, key=lambda one: asked_for is None or one.pk != asked_for.pk)
        first = [one for row in self.departments if row.is_emergency for one in _contacts(row)]
        others = [one for row in self.departments for one in self.reachable(row)]
        return list({one.pk: one for one in (*first, *others)}.values())

    def _named(self, name: str) -> Found:
        options = self._options()
        same = [option for known, option in options if _same(known, name)]
        if same:
            return _found(same, sure=True)
        # "Anna from sales"
        found = match(
            name,
            [
                Candidate(n, known, (option.department.name,) if option.contact else ())
                for n, (known, option) in enumerate(options)
            ],
        )
        if found.kind in ("one", "several", "weak"):
            chosen = [options[n][1] for n in found.ids]
            people = [one for one in chosen if one.contact and _is_named(one.contact, name)]
            return _found(people or chosen, sure=found.kind != "weak")
        alike = [option for known, option in options if _sound(known) == _sound(name)]
        return _found(alike, sure=False)

    def _options(self) -> list[tuple[str, Option]]:
        """Every name by which somebody can be asked for."""
        found: list[tuple[str, Option]] = []
        for row in self.departments:
            names = [row.name, *row.also_called.split(",")]
            found += [(name.strip(), Option(row)) for name in names if name.strip()]
            found += [(one.name, Option(row, one)) for one in _contacts(row)]
        return found

    def _opens(self, contact: Contact, department: Department) -> datetime | None:
        try:
            return hours.opens_at(self._hours(contact, department), self.now)
        except hours.BadHours:
            return None

    def _hours(self, contact: Contact, department: Department) -> str:
        return contact.hours or department.hours or self.business.hours


def _found(options: Iterable[Option], *, sure: bool) -> Found:
    """Each once, whatever names of it fit; a department stands for those of it who fit too."""
    whole = {one.department.pk for one in options if one.contact is None}
    chosen: dict[tuple[int, int], Option] = {}
    for one in options:
        if one.contact is None or one.department.pk not in whole:
            chosen.setdefault((one.department.pk, one.contact.pk if one.contact else 0), one)
    if not chosen:
        return Found("none")
    kind: Literal["one", "several"] = "one" if len(chosen) == 1 else "several"
    return Found(kind if sure else "perhaps", tuple(chosen.values()))


def _contacts(department: Department) -> Sequence[Contact]:
    return list(department.contacts.all())


def _name_in(bare: str) -> str:
    """Without what is said around a name; empty when no name was said."""
    name = " ".join(_AROUND.sub(" ", bare).split())
    return "" if all(word.lower() in _NOBODY for word in name.split()) else name


def _same(known: str, said: str) -> bool:
    return known.casefold() == said.casefold()


def _is_named(contact: Contact, said: str) -> bool:
    """By a name of theirs, and not by their department's alone."""
    return any(
        likeness(one, other) >= ALIKE
        for one in said.lower().split()
        for other in contact.name.lower().split()
    )


def _sound(name: str) -> str:
    return sound(name.lower())
