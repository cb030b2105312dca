"""When people can be reached, as an operator writes it and as the agent says it."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phone import hours

BERLIN = ZoneInfo("Europe/Berlin")
OFFICE = "mon-fri 09:00-17:00, sat 10:00-14:00"


def at(day: int, clock: str) -> datetime:
    """In the week of Monday 23 November 2026: day 0 is that Monday."""
    hour, minute = map(int, clock.split(":"))
    return datetime(2026, 11, 23, hour, minute, tzinfo=BERLIN) + timedelta(days=day)


@pytest.mark.parametrize(
    ("day", "clock", "expected"),
    [
        (0, "08:59", False),
        (0, "09:00", True),
        (4, "16:59", True),
        (4, "17:00", False),
        (5, "10:00", True),
        (5, "14:00", False),
        (6, "12:00", False),
    ],
)
def test_it_is_open_from_the_first_minute_to_the_last(day: int, clock: str, expected: bool) -> None:
    assert hours.is_open(OFFICE, at(day, clock)) is expected


def test_nothing_written_is_always_open_and_never_opens() -> None:
    assert hours.is_open("", at(6, "03:00"))
    assert hours.is_open("  ", at(6, "03:00"))
    assert hours.opens_at("", at(6, "03:00")) is None
    assert hours.next_opening("", at(6, "03:00")) == ""


@pytest.mark.parametrize(
    ("day", "clock", "expected"),
    [
        (4, "21:59", False),
        (4, "22:00", True),
        (5, "01:59", True),
        (5, "02:00", False),
        (6, "23:00", True),
        # Sunday's evening goes on into Monday, which begins the week.
        (7, "01:00", True),
        (0, "01:00", True),
        (0, "02:00", False),
    ],
)
def test_an_evening_goes_over_midnight_and_over_the_week(
    day: int, clock: str, expected: bool
) -> None:
    assert hours.is_open("fri 22:00-02:00, sun 22:00-02:00", at(day, clock)) is expected


@pytest.mark.parametrize(
    ("written", "same_as"),
    [
        ("Monday - Friday 9 to 17", "mon-fri 09:00-17:00"),
        ("weekdays 9-17", "mon-fri 09:00-17:00"),
        ("daily 9:00–12:00 13:00–17:00", "mon-sun 09:00-12:00, 13:00-17:00"),
        ("mon, tue 9-12", None),
        ("mon and tues 9-12", "mon tue 09:00-12:00"),
        ("fri-mon 8-12", "fri sat sun mon 08:00-12:00"),
        ("mon 9-12, 13-17; weekend 10-12", "mon 9-12,mon 13-17,sat 10-12,sun 10-12"),
        ("mon: 9-12", "mon 9-12"),
        ("mon 00:00-24:00", "mon 0-24"),
    ],
)
def test_it_is_read_as_people_write_it(written: str, same_as: str | None) -> None:
    if same_as is None:
        with pytest.raises(hours.BadHours, match="needs times"):
            hours.parse(written)
    else:
        assert hours.parse(written) == hours.parse(same_as)


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("9-17", "needs days"),
        ("mon-fri", "needs times"),
        ("mon-fry 9-17", "no day “fry”"),
        ("moon 9-17", "no day “moon”"),
        ("mon 9-25", "no such time"),
        ("mon 9:75-10", "no such time"),
        ("mon 9-9", "no such time"),
        ("mon 9", "cannot read the times"),
        ("mon 9-17 except lunch", "cannot read the times"),
    ],
)
def test_what_it_cannot_read_is_told_in_a_sentence(written: str, why: str) -> None:
    with pytest.raises(hours.BadHours, match=why):
        hours.parse(written)


@pytest.mark.parametrize(
    ("day", "clock", "said"),
    [
        (0, "07:00", "today at 9 AM"),
        (0, "18:00", "tomorrow at 9 AM"),
        (2, "12:00", "tomorrow at 9 AM"),
        (4, "18:00", "tomorrow at 10 AM"),
        (5, "15:00", "on Monday at 9 AM"),
        (6, "15:00", "tomorrow at 9 AM"),
    ],
)
def test_the_next_opening_is_said_as_people_say_it(day: int, clock: str, said: str) -> None:
    assert hours.next_opening(OFFICE, at(day, clock)) == said


def test_it_opens_again_only_in_a_week() -> None:
    monday_after = hours.opens_at("mon 9-10", at(0, "09:00"))
    assert monday_after == at(7, "09:00")
    assert hours.next_opening("mon 9-10", at(0, "10:00")) == "on Monday 30 November at 9 AM"


def test_summer_time_moves_no_opening() -> None:
    # The clocks go forward in the night to Sunday 29 March 2026.
    saturday = datetime(2026, 3, 28, 20, 0, tzinfo=BERLIN)
    opening = hours.opens_at("sun 09:00-12:00", saturday)
    assert opening == datetime(2026, 3, 29, 9, 0, tzinfo=BERLIN)
    assert hours.is_open("sun 09:00-12:00", opening)


moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)).map(
    lambda moment: moment.replace(second=0, microsecond=0, tzinfo=BERLIN)
)


@given(
    moments, st.sampled_from([OFFICE, "fri 22:00-02:00", "sun 22:00-23:00, mon 0-1", "mon 9-10"])
)
def test_it_is_open_at_its_next_opening_within_a_week(now: datetime, written: str) -> None:
    opening = hours.opens_at(written, now)
    assert opening is not None
    assert hours.is_open(written, opening)
    on_the_wall = opening.replace(tzinfo=None) - now.replace(tzinfo=None)
    assert timedelta(0) < on_the_wall <= timedelta(days=7)
