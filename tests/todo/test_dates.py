"""The table of date phrases, at several moments and in several zones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from todo import dates

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
NOWS = {
    "sunday": datetime(2026, 11, 22, 10, 0, tzinfo=BERLIN),
    "late": datetime(2026, 11, 27, 23, 40, tzinfo=BERLIN),
    "month end": datetime(2027, 1, 31, 8, 0, tzinfo=NEW_YORK),
    "leap": datetime(2028, 2, 28, 17, 5, tzinfo=ZoneInfo("Asia/Kolkata")),
    "before spring": datetime(2027, 3, 27, 22, 0, tzinfo=BERLIN),
    "before autumn": datetime(2026, 10, 24, 22, 0, tzinfo=BERLIN),
}
# Now, words, the moment ("day" alone: no hour), rule.
TABLE = """
sunday|today|2026-11-22
sunday|tomorrow|2026-11-23
sunday|yesterday|2026-11-21
sunday|the day after tomorrow|2026-11-24
sunday|tomorrow at five pm|2026-11-23 17:00
sunday|tomorrow at five|2026-11-23 17:00
sunday|tomorrow at eight|2026-11-23 08:00
sunday|for tomorrow at five p.m.|2026-11-23 17:00
sunday|tomorrow 5pm|2026-11-23 17:00
sunday|5 PM tomorrow|2026-11-23 17:00
sunday|at 17:00|2026-11-22 17:00
sunday|5.30|2026-11-22 17:30
sunday|3 30|2026-11-22 15:30
sunday|at half past three|2026-11-22 15:30
sunday|half past 3|2026-11-22 15:30
sunday|half past free|2026-11-22 15:30
sunday|at quarter to six|2026-11-22 17:45
sunday|a quarter past two|2026-11-22 14:15
sunday|ten to three|2026-11-22 14:50
sunday|twenty minutes past four|2026-11-22 16:20
sunday|at ten fifteen|2026-11-22 10:15
sunday|at 10.15|2026-11-22 10:15
sunday|10, 15|2026-11-22 10:15
sunday|at 1015|2026-11-22 10:15
sunday|at ten|2026-11-23 10:00
sunday|at nine|2026-11-23 09:00
sunday|at nine oh five|2026-11-23 09:05
sunday|at eleven|2026-11-22 11:00
sunday|at seven in the evening|2026-11-22 19:00
sunday|at 9 at night|2026-11-22 21:00
sunday|today at nine|2026-11-22 21:00
sunday|three o'clock|2026-11-22 15:00
sunday|at 6 o'clock in the morning|2026-11-23 06:00
sunday|06:30|2026-11-23 06:30
sunday|noon|2026-11-22 12:00
sunday|tomorrow at noon|2026-11-23 12:00
sunday|midnight|2026-11-23 00:00
sunday|friday at midnight|2026-11-28 00:00
sunday|12 am tomorrow|2026-11-23 00:00
sunday|at 12:30 pm|2026-11-22 12:30
sunday|tonight at eleven|2026-11-22 23:00
sunday|at eleven tonight|2026-11-22 23:00
sunday|tonight|2026-11-22 20:00
sunday|tonight at twelve|2026-11-23 00:00
sunday|this evening|2026-11-22 19:00
sunday|this afternoon at four|2026-11-22 16:00
sunday|tomorrow morning|2026-11-23 09:00
sunday|six thirty tomorrow morning|2026-11-23 06:30
sunday|6.30 tomorrow morning|2026-11-23 06:30
sunday|at six thirty tomorrow morning|2026-11-23 06:30
sunday|monday morning|2026-11-23 09:00
sunday|by monday morning|2026-11-23 09:00
sunday|on friday|2026-11-27
sunday|next friday|2026-11-27
sunday|the coming friday|2026-11-27
sunday|this friday|2026-11-27
sunday|next tuesday|2026-11-24
sunday|next, Tuesday|2026-11-24
sunday|sunday|2026-11-29
sunday|this sunday|2026-11-22
sunday|next sunday|2026-11-29
sunday|last friday|2026-11-20
sunday|friday next week|2026-11-27
sunday|tuesday week|2026-12-01
sunday|a week from tuesday|2026-12-01
sunday|two weeks from today|2026-12-06
sunday|a week on friday at nine|2026-12-04 09:00
sunday|friday at half past two in the afternoon|2026-11-27 14:30
sunday|next week|2026-11-23
sunday|next month|2026-12-01
sunday|next year|2027-01-01
sunday|this weekend|2026-11-22
sunday|next weekend|2026-11-28
sunday|the week after next|2026-11-30
sunday|the third of march|2027-03-03
sunday|3rd of March|2027-03-03
sunday|on the third of march|2027-03-03
sunday|next 3 March|2027-03-03
sunday|march third|2027-03-03
sunday|December 2nd|2026-12-02
sunday|december second|2026-12-02
sunday|December 2|2026-12-02
sunday|the twenty first of october|2027-10-21
sunday|21st of October|2027-10-21
sunday|twenty-first of october|2027-10-21
sunday|the fourteenth of may at noon|2027-05-14 12:00
sunday|the 14th of May that noon|2027-05-14 12:00
sunday|22 november|2026-11-22
sunday|3 march 2029|2029-03-03
sunday|march 3 twenty twenty nine|2029-03-03
sunday|the 5th|2026-12-05
sunday|on the fifth at ten|2026-12-05 10:00
sunday|the 31st|2026-12-31
sunday|24/12|2026-12-24
sunday|12/24/2027|2027-12-24
sunday|in june|2027-06-01
sunday|end of june|2027-06-30
sunday|before the end of june|2027-06-30
sunday|by the end of the month|2026-11-30
sunday|the end of the year|2026-12-31
sunday|the middle of may|2027-05-15
sunday|beginning of next month|2026-12-01
sunday|by the end of the week|2026-11-22
sunday|in two hours|2026-11-22 12:00
sunday|in half an hour|2026-11-22 10:30
sunday|in an hour|2026-11-22 11:00
sunday|in an hour and a half|2026-11-22 11:30
sunday|in two and a half hours|2026-11-22 12:30
sunday|in one hour and fifteen minutes|2026-11-22 11:15
sunday|in twenty minutes|2026-11-22 10:20
sunday|ten minutes from now|2026-11-22 10:10
sunday|in a couple of hours|2026-11-22 12:00
sunday|in three days|2026-11-25
sunday|in three days at noon|2026-11-25 12:00
sunday|a week from now|2026-11-29
sunday|in two weeks|2026-12-06
sunday|in a fortnight|2026-12-06
sunday|in a month|2026-12-22
sunday|two days ago|2026-11-20
sunday|christmas eve|2026-12-24
sunday|new year's day|2027-01-01
sunday|2026-12-01|2026-12-01
sunday|2026-12-01T09:30|2026-12-01 09:30
sunday|2026-12-01T09:30:00Z|2026-12-01 10:30
sunday|2026-12-01T09:30+02:00|2026-12-01 08:30
sunday|every monday at nine|2026-11-23 09:00|FREQ=WEEKLY;BYDAY=MO;BYHOUR=9;BYMINUTE=0
sunday|every Monday at 9|2026-11-23 09:00|FREQ=WEEKLY;BYDAY=MO;BYHOUR=9;BYMINUTE=0
sunday|every weekday|2026-11-23|WORKDAYS
sunday|every weekday at seven thirty am|2026-11-23 07:30|WORKDAYS;BYHOUR=7;BYMINUTE=30
sunday|every other week|2026-11-22|FREQ=WEEKLY;INTERVAL=2
sunday|every other tuesday|2026-11-24|FREQ=WEEKLY;INTERVAL=2;BYDAY=TU
sunday|daily at 8|2026-11-23 08:00|FREQ=DAILY;BYHOUR=8;BYMINUTE=0
sunday|every day at noon|2026-11-22 12:00|FREQ=DAILY;BYHOUR=12;BYMINUTE=0
sunday|every morning|2026-11-23 09:00|FREQ=DAILY;BYHOUR=9;BYMINUTE=0
sunday|every tuesday and thursday at 6 pm|2026-11-24 18:00|TUETHU;BYHOUR=18;BYMINUTE=0
sunday|on mondays|2026-11-23|FREQ=WEEKLY;BYDAY=MO
sunday|every weekend|2026-11-22|FREQ=WEEKLY;BYDAY=SA,SU
sunday|the first of every month|2026-12-01|FREQ=MONTHLY;BYMONTHDAY=1
sunday|the last day of every month|2026-11-30|FREQ=MONTHLY;BYMONTHDAY=-1
sunday|the first monday of every month|2026-12-07|FREQ=MONTHLY;BYDAY=1MO
sunday|every three days|2026-11-22|FREQ=DAILY;INTERVAL=3
sunday|every two hours|2026-11-22 12:00|FREQ=HOURLY;INTERVAL=2
sunday|weekly|2026-11-22|FREQ=WEEKLY
sunday|every year on the third of march|2027-03-03|FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=3
sunday|every quarter|2026-11-22|FREQ=MONTHLY;INTERVAL=3
late|today|2026-11-27
late|friday|2026-12-04
late|saturday|2026-11-28
late|in half an hour|2026-11-28 00:10
late|at eleven|2026-11-28 11:00
late|tomorrow at five|2026-11-28 17:00
late|at half past three|2026-11-28 15:30
late|at 11:30 pm|2026-11-28 23:30
late|midnight|2026-11-28 00:00
month end|tomorrow|2027-02-01
month end|in a month|2027-02-28
month end|next month|2027-02-01
month end|the 30th|2027-03-30
month end|end of the month|2027-01-31
month end|the end of february|2027-02-28
month end|the first of march at nine|2027-03-01 09:00
month end|every month on the 31st|2027-01-31|FREQ=MONTHLY;BYMONTHDAY=31
leap|tomorrow|2028-02-29
leap|the twenty ninth of february|2028-02-29
leap|in two days|2028-03-01
leap|next year|2029-01-01
leap|in a year|2029-02-28
leap|end of february|2028-02-29
leap|at five|2028-02-29 17:00
leap|at half past five|2028-02-28 17:30
before spring|tomorrow at nine|2027-03-28 09:00
before spring|in eight hours|2027-03-28 07:00
before spring|tomorrow at 02:30|2027-03-28 03:30
before spring|in one day|2027-03-28
before autumn|in eight hours|2026-10-25 05:00
before autumn|tomorrow at nine|2026-10-25 09:00
before autumn|tomorrow at 02:30|2026-10-25 02:30
"""
SHORT = {"WORKDAYS": "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "TUETHU": "FREQ=WEEKLY;BYDAY=TU,TH"}
for short, rule in SHORT.items():
    TABLE = TABLE.replace(short, rule)
ROWS = [line.split("|") for line in TABLE.strip().splitlines()]
SCRAPS = [
    "at", "on", "by", "in", "the", "a", "every", "next", "last", "5", "31", "31st", "of",
    "may", "february", "monday", "tomorrow", "half", "past", "to", "quarter", "noon", "pm",
    "am", "hours", "week", "until", "end", "year", "99", "1015", "2026-02-30", "24:61",
]  # fmt: skip
NO_DATES = [
    "", "   ", "buy two black cartridges", "read chapter five", "order a second monitor",
    "book flights to berlin with a budget of three hundred and fifty euros", "hello", "?!",
    "the thirty second of march", "february thirtieth 2027", "buy 12 eggs", "call may",
    "the month", "half", "every", "in", "at", "ask march about it", "2026-13-45",
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}: {row[1]}")
def test_a_phrase_means_its_moment(row: list[str]) -> None:
    now = NOWS[row[0]]
    when = dates.parse(row[1], now)
    assert when is not None
    assert f"{when.at:%Y-%m-%d %H:%M}" == (row[2] if " " in row[2] else f"{row[2]} 00:00")
    assert when.has_time == (" " in row[2])
    assert when.repeat == (row[3] if len(row) > 3 else "")
    assert when.at.tzinfo == now.tzinfo


def test_the_table_is_long_enough_to_mean_something() -> None:
    assert len(ROWS) >= 150


@pytest.mark.parametrize("words", NO_DATES)
def test_words_without_a_date_give_none(words: str) -> None:
    assert dates.parse(words, NOWS["sunday"]) is None


@pytest.mark.parametrize(
    ("words", "limit"),
    [("by monday", True), ("before the end of june", True), ("until friday at noon", True),
     ("on monday", False), ("tomorrow at five", False)],
)  # fmt: skip
def test_a_limit_is_told_from_a_day(words: str, limit: bool) -> None:
    when = dates.parse(words, NOWS["sunday"])
    assert when is not None
    assert when.is_range_end is limit


def test_a_reminder_without_an_hour_comes_in_the_morning() -> None:
    when = dates.parse("on friday", NOWS["sunday"], morning_hour=7, reminder=True)
    assert when == dates.When(datetime(2026, 11, 27, 7, tzinfo=BERLIN), True)


def test_a_reminder_for_today_is_still_to_come() -> None:
    when = dates.parse("today", NOWS["sunday"], reminder=True)
    assert when is not None
    assert when.at == datetime(2026, 11, 22, 11, tzinfo=BERLIN)


def test_a_repeating_reminder_without_an_hour_repeats_in_the_morning() -> None:
    when = dates.parse("every day", NOWS["sunday"], reminder=True)
    assert when is not None
    assert when.repeat == "FREQ=DAILY;BYHOUR=9;BYMINUTE=0"
    assert when.at == datetime(2026, 11, 23, 9, tzinfo=BERLIN)


def test_the_morning_of_a_day_is_the_persons_own() -> None:
    when = dates.parse("tomorrow morning", NOWS["sunday"], morning_hour=6)
    assert when is not None
    assert when.at.hour == 6


def test_hours_are_elapsed_time_over_a_clock_change() -> None:
    now = NOWS["before spring"]
    when = dates.parse("in eight hours", now)
    assert when is not None
    assert when.at.astimezone(UTC) - now.astimezone(UTC) == timedelta(hours=8)


@pytest.mark.parametrize(
    ("words", "item", "phrase"),
    [
        ("buy milk for tomorrow at five pm", "buy milk", "tomorrow at five pm"),
        ("pick up the kids at half past three", "pick up the kids", "at half past three"),
        ("send the invoice by monday morning", "send the invoice", "by monday morning"),
        ("renew my passport before the end of june", "renew my passport", "before the end of june"),
        ("pay the bill due on the third of march", "pay the bill", "on the third of march"),
        (
            "wish emma a happy birthday on december second",
            "wish emma a happy birthday",
            "december second",
        ),
        ("water the plants every monday at nine", "water the plants", "every monday at nine"),
        ("on friday call anna", "call anna", "friday"),
        ("tomorrow at five buy milk", "buy milk", "tomorrow at five"),
        ("every monday water the plants", "water the plants", "every monday"),
        ("book a table for two at eight", "book a table for two", "at eight"),
        ("prepare the report for friday", "prepare the report", "friday"),
        ("apply in march", "apply", "in march"),
        ("call may in may", "call may", "in may"),
    ],
)
def test_the_date_is_cut_from_head_or_tail(words: str, item: str, phrase: str) -> None:
    assert dates.cut(words, NOWS["sunday"]) == (item, phrase)


@pytest.mark.parametrize(
    "words",
    [
        "book flights to berlin with a budget of three hundred and fifty euros",
        "buy two black cartridges", "read chapter five", "order a second monitor",
        "the friday report", "finish the friday report", "call may", "march in the parade",
        "order the second", "monday meeting notes", "buy six eggs", "run ten kilometres",
        "fix room 101", "tomorrow", "the christmas presents", "buy a quarter pounder",
    ],
)  # fmt: skip
def test_numbers_and_names_are_not_cut(words: str) -> None:
    assert dates.cut(words, NOWS["sunday"]) == (words, "")


@pytest.mark.parametrize(
    ("words", "first", "last"),
    [
        ("today", "2026-11-22", "2026-11-23"),
        ("tomorrow", "2026-11-23", "2026-11-24"),
        ("yesterday", "2026-11-21", "2026-11-22"),
        ("this week", "2026-11-22", "2026-11-23"),
        ("next week", "2026-11-23", "2026-11-30"),
        ("on saturday", "2026-11-28", "2026-11-29"),
        ("this weekend", "2026-11-22", "2026-11-23"),
        ("next month", "2026-12-01", "2027-01-01"),
        ("in october", "2027-10-01", "2027-11-01"),
        ("the third of march", "2027-03-03", "2027-03-04"),
        ("tonight", "2026-11-22", "2026-11-23"),
        ("next year", "2027-01-01", "2028-01-01"),
    ],
)
def test_a_span_is_half_open(words: str, first: str, last: str) -> None:
    found = dates.span(words, NOWS["sunday"])
    assert found is not None
    assert [f"{moment:%Y-%m-%d %H:%M}" for moment in found] == [f"{first} 00:00", f"{last} 00:00"]


def test_this_week_is_today_to_sunday() -> None:
    found = dates.span("this week", datetime(2026, 11, 25, 12, tzinfo=BERLIN))
    assert found == (datetime(2026, 11, 25, tzinfo=BERLIN), datetime(2026, 11, 30, tzinfo=BERLIN))


def test_a_weekday_of_the_past_is_the_last_one() -> None:
    found = dates.span("on monday", NOWS["sunday"], past=True)
    assert found is not None
    assert found[0] == datetime(2026, 11, 16, tzinfo=BERLIN)


def test_no_day_is_no_span() -> None:
    assert dates.span("overdue", NOWS["sunday"]) is None


@pytest.mark.parametrize(
    ("moment", "has_time", "words"),
    [
        ("2026-11-22 16:00", True, "today at 4 PM"),
        ("2026-11-23 17:00", True, "tomorrow at 5 PM"),
        ("2026-11-27 09:00", True, "Friday at 9 AM"),
        ("2026-11-21 17:30", True, "yesterday at 5:30 PM"),
        ("2026-12-01 15:30", True, "Tuesday 1 December at 3:30 PM"),
        ("2027-03-03 00:00", False, "3 March"),
        ("2027-05-14 12:00", True, "14 May at noon"),
        ("2028-01-05 00:00", False, "5 January 2028"),
        ("2026-11-23 00:30", True, "tomorrow at 12:30 AM"),
    ],
)
def test_dates_are_said_as_people_say_them(moment: str, has_time: bool, words: str) -> None:
    at = datetime.fromisoformat(moment).replace(tzinfo=BERLIN)
    assert dates.describe(at, has_time, NOWS["sunday"]) == words


@pytest.mark.parametrize(
    ("phrase", "words"),
    [
        ("every monday at nine", "every Monday at 9 AM"),
        ("every weekday at 17:30", "every weekday at 5:30 PM"),
        ("every other week", "every other week"),
        ("every other tuesday", "every other Tuesday"),
        ("every tuesday and thursday", "every Tuesday and Thursday"),
        ("every three days", "every 3 days"),
        ("the first of every month", "the 1st of every month"),
        ("the last friday of every month", "the last Friday of every month"),
        ("every year on the third of march", "every 3 March"),
        ("every weekend", "every weekend"),
        ("every day at noon", "every day at noon"),
    ],
)
def test_repetitions_are_said_as_people_say_them(phrase: str, words: str) -> None:
    when = dates.parse(phrase, NOWS["sunday"])
    assert when is not None
    assert dates.describe_repeat(when.repeat) == words


def test_the_next_occurrence_keeps_the_clock_over_a_clock_change() -> None:
    before = datetime(2027, 3, 22, 9, tzinfo=BERLIN)
    after = dates.next_occurrence("FREQ=WEEKLY;BYDAY=MO;BYHOUR=9;BYMINUTE=0", before)
    assert after == datetime(2027, 3, 29, 9, tzinfo=BERLIN)


def test_an_interval_counts_from_the_occurrence_before() -> None:
    before = datetime(2026, 11, 24, 18, tzinfo=BERLIN)
    after = dates.next_occurrence("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU", before)
    assert after == datetime(2026, 12, 8, 18, tzinfo=BERLIN)


def test_a_rule_that_is_over_has_no_next() -> None:
    rule = "FREQ=DAILY;UNTIL=20261123T235959"
    assert dates.next_occurrence(rule, datetime(2026, 11, 23, 9, tzinfo=BERLIN)) is None


def test_a_broken_rule_is_a_value_error() -> None:
    for rule in ("FREQ=SOMETIMES", "nonsense", ""):
        with pytest.raises(ValueError, match="not a repeat rule"):
            dates.next_occurrence(rule, NOWS["sunday"])


@settings(max_examples=150)
@given(
    st.lists(
        st.sampled_from(SCRAPS),
        max_size=8,
    )
)
def test_no_words_break_it(words: list[str]) -> None:
    text = " ".join(words)
    for now in NOWS.values():
        when = dates.parse(text, now)
        dates.span(text, now)
        dates.cut(text, now)
        if when is not None:
            dates.describe(when.at, when.has_time, now)
            assert dates.describe_repeat(when.repeat) or not when.repeat


@settings(max_examples=60)
@given(st.text(max_size=60))
def test_no_text_breaks_it(text: str) -> None:
    dates.parse(text, NOWS["sunday"])
    rest, phrase = dates.cut(text, NOWS["sunday"])
    assert len(rest) + len(phrase) <= len(text)
