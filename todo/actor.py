"""Who acts, when and in which call: handed to every service, so none of them reads the clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings

from todo.models import Preferences

if TYPE_CHECKING:
    from django.contrib.auth.models import User

DEFAULT_MORNING_HOUR = 9


@dataclass(frozen=True, slots=True)
class Actor:
    """`now` is aware; `call_id` and `turn_id` are None outside a call."""

    user: User
    time_zone: ZoneInfo
    now: datetime
    call_id: UUID | None = None
    turn_id: UUID | None = None
    morning_hour: int = DEFAULT_MORNING_HOUR
    about_reminder: int | None = None
    """The reminder this call was made for, which is the only one its caller may answer."""

    @property
    def local_now(self) -> datetime:
        return self.now.astimezone(self.time_zone)

    def local(self, moment: datetime) -> datetime:
        return moment.astimezone(self.time_zone)


def known_zone(name: str) -> ZoneInfo | None:
    """The zone of that IANA name, or None for anything else a client may send."""
    if not name or len(name) > 64:
        return None
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, ZoneInfoNotFoundError):
        return None


def actor_for(
    user: User,
    now: datetime,
    *,
    time_zone: str = "",
    call_id: UUID | None = None,
    turn_id: UUID | None = None,
    about_reminder: int | None = None,
) -> Actor:
    """The person with their preferences; an unknown zone falls back to theirs, then the site's."""
    preferences = Preferences.objects.filter(owner=user).first()
    zone = (
        known_zone(time_zone)
        or known_zone(preferences.time_zone if preferences else "")
        or ZoneInfo(settings.TIME_ZONE)
    )
    hour = preferences.morning_hour if preferences else DEFAULT_MORNING_HOUR
    return Actor(user, zone, now, call_id, turn_id, hour, about_reminder)
