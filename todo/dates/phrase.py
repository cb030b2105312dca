"""What has been understood of a date phrase so far, and the moment it means."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo

# The hour meant by a part of the day alone; "morning" takes the person's own morning hour.
PART_HOURS = {"afternoon": 15, "evening": 19, "night": 20, "close": 17}


@dataclass(frozen=True)
class When:
    """A moment in the person's zone.

    Without `has_time`, `at` is the start of that day. `repeat` is an RFC 5545 rule without its
    "RRULE:" prefix, or empty. `is_range_end`: said as a limit ("by monday").
    """

    at: datetime
    has_time: bool
    repeat: str = ""
    is_range_end: bool = False


@dataclass(slots=True)
class Phrase:
    """Pieces are added from left to right; each may be said once."""

    now: datetime
    day: date | None = None
    days: int = 1
    """Length of what `day` starts: 7 for "next week"; used by `span`."""
    hour: int | None = None
    minute: int = 0
    exact: bool = False
    """The hour was said with am or pm, or on the 24-hour clock."""
    part: str = ""
    moment: datetime | None = None
    rule: dict[str, str] = field(default_factory=dict)
    until: date | None = None
    range_end: bool = False
    strong: bool = False
    """Something in it can only be a date ("tomorrow", "at 5 pm"), not a number or a name."""

    @property
    def today(self) -> date:
        return self.now.date()

    def resolve(self, morning_hour: int, reminder: bool) -> When:
        rule = self._rule_text(morning_hour if reminder and not self.has_clock else None)
        if self.moment is not None:
            return When(self.moment, True, rule, self.range_end)
        if self.has_clock:
            return When(self._clock_moment(morning_hour), True, rule, self.range_end)
        day = self.day or self.today
        if not reminder:
            return When(local(day, time(), self.now.tzinfo), False, rule, self.range_end)
        at = local(day, time(morning_hour), self.now.tzinfo)
        if at <= self.now and day == self.today and not self.rule:
            at = _next_full_hour(self.now)
        return When(at, True, rule, self.range_end)

    @property
    def has_clock(self) -> bool:
        return self.hour is not None or bool(self.part)

    def _clock_moment(self, morning_hour: int) -> datetime:
        hour, minute = self.clock(morning_hour)
        day = self.day or self.today
        carried, hour = divmod(hour, 24)
        at = local(day + timedelta(days=carried), time(hour, minute), self.now.tzinfo)
        if at > self.now or self.rule:
            return at
        if self.day is None:
            return local(day + timedelta(days=carried + 1), at.time(), self.now.tzinfo)
        evening = local(day, time(hour % 12 + 12, minute), self.now.tzinfo)
        # "today at nine", said at noon: only the evening is left of today.
        if day == self.today and not self.exact and not self.part and evening > self.now:
            return evening
        return at

    def clock(self, morning_hour: int) -> tuple[int, int]:
        """Hour (24: the midnight that ends the day) and minute."""
        if self.hour is None:
            return PART_HOURS.get(self.part, morning_hour), 0
        if self.exact:
            return self.hour, self.minute
        hour = self.hour
        if self.part in ("evening", "night", "afternoon"):
            if hour == 12:
                return (12 if self.part == "afternoon" else 24), self.minute
            late = self.part == "night" and hour < 5
            return (hour + 24 if late else hour % 12 + 12), self.minute
        if self.part == "morning":
            return hour % 12, self.minute
        return (hour + 12 if 1 <= hour <= 6 else hour), self.minute

    def _rule_text(self, hour: int | None) -> str:
        if not self.rule:
            return ""
        rule = dict(self.rule)
        if self.has_clock and rule["FREQ"] != "HOURLY":
            said_hour, minute = self.clock(9)
            rule |= {"BYHOUR": str(said_hour % 24), "BYMINUTE": str(minute)}
        elif hour is not None and rule["FREQ"] not in ("HOURLY", "MINUTELY"):
            rule |= {"BYHOUR": str(hour), "BYMINUTE": "0"}
        if self.until is not None:
            rule["UNTIL"] = f"{self.until:%Y%m%d}T235959"
        return ";".join(f"{key}={value}" for key, value in rule.items())


def local(day: date, clock: time, zone: tzinfo | None) -> datetime:
    """The wall-clock time in the zone; one that a clock change skips moves on by the change."""
    return datetime.combine(day, clock, zone).astimezone(UTC).astimezone(zone)


def later(now: datetime, delta: timedelta) -> datetime:
    """Elapsed time, so that "in two hours" is two hours over a clock change as well."""
    return (now.astimezone(UTC) + delta).astimezone(now.tzinfo)


def _next_full_hour(now: datetime) -> datetime:
    return later(now, timedelta(hours=1)).replace(minute=0, second=0, microsecond=0)
