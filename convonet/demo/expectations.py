"""What must be true after each of the forty commands; state counts, not words.

A check answers "" when right, else what is wrong in a few words. A title counts when it differs
by at most one word after lower-casing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from convonet.demo.snapshot import Alarm, Item, Snapshot

PLUMBER, DENTIST, PAINT = "call the plumber", "dentist appointment", "buy paint"
BUDGET, GROCERY, DAVID = "write the annual budget", "grocery shopping", "meeting with David"
REPORT, FENCE, BANK = "finish the board report", "paint the fence", "appointment at the bank"
SLIDES, TAX = "prepare the presentation", "tax return"
OPEN = (PLUMBER, DENTIST, PAINT, BUDGET, GROCERY, DAVID, REPORT, FENCE, BANK, SLIDES)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One call: the list before and after, all that was said back, and when (caller's zone)."""

    before: Snapshot
    after: Snapshot
    reply: str
    now: datetime

    def says(self, *words: str) -> bool:
        return any(re.search(rf"\b{word.lower()}\b", self.reply.lower()) for word in words)


Check = Callable[[Outcome], str]


def close(title: str, wanted: str) -> bool:
    """Equal but for one word added, left out or replaced."""
    have, want = (re.findall(r"[\w']+", text.lower()) for text in (title, wanted))
    if have == want:
        return True
    if abs(len(have) - len(want)) > 1:
        return False
    same = 0
    while same < min(len(have), len(want)) and have[same] == want[same]:
        same += 1
    tails = [(have[same + 1 :], want[same + 1 :])]
    tails += [(have[same + 1 :], want[same:]), (have[same:], want[same + 1 :])]
    return any(a == b for a, b in tails)


# Checks' parts ------------------------------------------------------------------------------
def unchanged(o: Outcome) -> str:
    return "" if o.before == o.after else "the list was changed"


def only(o: Outcome, *, added: int = 0, changed: int = 0, gone: int = 0, alarms: int = 0) -> str:
    counts = {
        "added": (len(o.after.added(o.before)), added),
        "changed": (len(o.after.changed(o.before)), changed),
        "gone": (len(o.after.gone(o.before)), gone),
        "reminders": (len(o.after.new_alarms(o.before)), alarms),
    }
    wrong = [f"{have} {what}" for what, (have, want) in counts.items() if have != want]
    return ", ".join(wrong)


def date_of(now: datetime, month: int, day: int) -> tuple[int, int, int]:
    """The next such day to come."""
    year = now.year + ((month, day) < (now.month, now.day))
    return year, month, day


def on_weekday(now: datetime, weekday: int) -> tuple[tuple[int, int, int], ...]:
    """The coming such day; said on that very day, today or in a week."""
    ahead = (weekday - now.weekday()) % 7
    days = (ahead,) if ahead else (0, 7)
    return tuple(_ymd(now + timedelta(days=d)) for d in days)


def next_weekday(now: datetime, weekday: int) -> tuple[tuple[int, int, int], ...]:
    """ "next tuesday": the coming one, or the one of next week."""
    ahead = (weekday - now.weekday()) % 7 or 7
    monday = now - timedelta(days=now.weekday())
    return _ymd(now + timedelta(days=ahead)), _ymd(monday + timedelta(days=7 + weekday))


def _ymd(moment: datetime) -> tuple[int, int, int]:
    return moment.year, moment.month, moment.day


def due(item: Item | Alarm, days: Iterable[tuple[int, int, int]], hour: str = "") -> str:
    if item.due is None:
        return "no date"
    if _ymd(item.due) not in days:
        return f"due {item.due:%a %d %b}"
    return "" if not hour or f"{item.due:%H:%M}" == hour else f"due at {item.due:%H:%M}"


def new(o: Outcome, title: str) -> Item | str:
    """The one new item by this title, else what is wrong."""
    added = o.after.added(o.before)
    wrong = only(o, added=1)
    if wrong:
        return wrong
    return added[0] if close(added[0].title, title) else f"named {added[0].title!r}"


def adds(
    title: str, days: Callable[[datetime], Iterable[tuple[int, int, int]]], at: str = ""
) -> Check:
    def check(o: Outcome) -> str:
        item = new(o, title)
        return item if isinstance(item, str) else due(item, days(o.now), at)

    return check


def completes(*titles: str) -> Check:
    def check(o: Outcome) -> str:
        wrong = only(o, changed=len(titles))
        undone = [title for title in titles if not o.after.named(title).done]
        return wrong or (f"not done: {', '.join(undone)}" if undone else "")

    return check


def deletes(title: str) -> Check:
    return lambda o: only(o, gone=1) or ("" if o.after.gone(o.before) == [title] else "wrong one")


def changes(title: str, check: Callable[[Item, Outcome], str]) -> Check:
    def whole(o: Outcome) -> str:
        pk = o.before.named(title).pk
        wrong = only(o, changed=1)
        return wrong or check(o.after.items[pk], o)

    return whole


def reminds(text: str, check: Callable[[Alarm, Outcome], str]) -> Check:
    def whole(o: Outcome) -> str:
        wrong = only(o, alarms=1)
        if wrong:
            return wrong
        alarm = o.after.new_alarms(o.before)[0]
        if text and not close(alarm.text, text):
            return f"reminds of {alarm.text!r}"
        return check(alarm, o)

    return whole


def says(*titles: str, never: Iterable[str] = (), words: tuple[str, ...] = ()) -> Check:
    """Changes nothing, says every title, none of `never`, and one of `words` if given."""

    def check(o: Outcome) -> str:
        missing = [t for t in titles if not o.says(re.escape(t))]
        wrong = [t for t in never if t not in titles and o.says(re.escape(t))]
        if missing or wrong:
            return "; ".join([f"does not say {t}" for t in missing] + [f"says {t}" for t in wrong])
        return unchanged(o) or ("" if not words or o.says(*words) else f"says none of {words}")

    return check


def asks(o: Outcome) -> str:
    return unchanged(o) or ("" if "?" in o.reply or o.says("did not understand") else "no question")


# The forty ----------------------------------------------------------------------------------
def _tomorrow(now: datetime) -> list[tuple[int, int, int]]:
    return [_ymd(now + timedelta(days=1))]


def _today(now: datetime) -> list[tuple[int, int, int]]:
    return [_ymd(now)]


def _next_time(now: datetime, hour: int, minute: int) -> list[tuple[int, int, int]]:
    at = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return [_ymd(at if at > now else at + timedelta(days=1))]


def _is_morning(o: Outcome) -> str:
    item = new(o, "send the invoice to Robert")
    if isinstance(item, str):
        return item
    wrong = due(item, next_weekday(o.now, 0))
    if wrong or item.due is None:
        return wrong
    hour = f"{item.due.hour}"
    return "" if 6 <= item.due.hour < 12 and o.says(hour) else "no morning hour, or not said"


def _this_week(o: Outcome) -> str:
    sunday = (o.now + timedelta(days=6 - o.now.weekday())).date()
    today = o.now.date()
    dated = [i for i in o.before.items.values() if i.due and not i.done and i.title != REPORT]
    within = [i.title for i in dated if i.due and today <= i.due.date() <= sunday]
    first = within if len(within) <= 3 else []
    later = [i.title for i in dated if i.title not in within]
    return says(*first, never=later)(o)


def _overdue(o: Outcome) -> str:
    passed = [i.title for i in o.before.items.values() if i.due and not i.done and i.due < o.now]
    return says(*passed, never=[t for t in OPEN if t not in passed])(o)


def _reads_the_list(o: Outcome) -> str:
    said = [title for title in OPEN if o.says(re.escape(title))]
    if unchanged(o) or len(said) >= len(OPEN) - 1:
        return unchanged(o)
    rest = len(OPEN) - len(said)
    return "" if len(said) >= 3 and o.says(str(rest), NUMBERS[rest]) else "does not read it"


def _groceries(o: Outcome) -> str:
    added = o.after.added(o.before)
    if only(o, added=len(added)) or not added:
        return only(o, added=3)
    text = " ".join(item.title.lower() for item in added)
    missing = [word for word in ("egg", "bread", "butter") if word not in text]
    lists = {item.list for item in added}
    wrong = lists != {"groceries"} or len(added) not in (1, 3)
    return f"misses {missing}" if missing else (f"{len(added)} on {lists}" if wrong else "")


def _flights(o: Outcome) -> str:
    added = o.after.added(o.before)
    if only(o, added=1):
        return only(o, added=1)
    text = f"{added[0].title} {added[0].notes}".lower()
    number = "350" in text or "three hundred and fifty" in text
    return "" if "flights to berlin" in text and number else f"is {text!r}"


def _printer(o: Outcome) -> str:
    added = o.after.added(o.before)
    if only(o, added=len(added)) or len(added) not in (1, 2):
        return only(o, added=1)
    text = " ".join(item.title.lower() for item in added)
    right = "printer paper" in text and re.search(r"(two|2) black cartridges?", text)
    return "" if right else f"is {text!r}"


def _new_list(o: Outcome) -> str:
    lists = {name.lower() for name in o.after.lists - o.before.lists}
    return only(o) or ("" if lists == {"groceries"} else f"lists {lists}")


def _repeats(o: Outcome) -> str:
    item = new(o, "water the plants")
    if isinstance(item, str):
        return item
    weekly = "WEEKLY" in item.repeat and "MO" in item.repeat
    return (
        due(item, next_weekday(o.now, 0) + on_weekday(o.now, 0), "09:00") if weekly else "no repeat"
    )


def _in_two_hours(alarm: Alarm, o: Outcome) -> str:
    off = abs((alarm.due - o.now).total_seconds() - 7200)
    return "" if off <= 60 else f"off by {off:.0f} s"


def _friday(alarm: Alarm, o: Outcome) -> str:
    hour = f"{(alarm.due.hour - 1) % 12 + 1}"
    return due(alarm, on_weekday(o.now, 4)) or ("" if o.says(hour) else "hour not said")


def _saturday(o: Outcome) -> str:
    return says(GROCERY, never=[t for t in OPEN if t not in (GROCERY, *_same_day(o))])(o)


def _same_day(o: Outcome) -> list[str]:
    day = o.before.named(GROCERY).due
    items = [i for i in o.before.items.values() if i.due and day and i.due.date() == day.date()]
    return [item.title for item in items]


NUMBERS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]

CHECKS: dict[int, Check] = {
    0: adds("buy milk", _tomorrow, "17:00"),
    1: says(PLUMBER, DENTIST, never=[t for t in OPEN if t != REPORT]),
    2: completes(DENTIST),
    3: reminds("call Anna", _friday),
    4: deletes(GROCERY),
    5: changes(DAVID, lambda i, o: due(i, next_weekday(o.now, 1), "10:00")),
    6: adds("pay the electricity bill", lambda now: [date_of(now, 3, 3)]),
    7: _this_week,
    8: _is_morning,
    9: changes(PLUMBER, lambda i, o: "" if i.priority == "high" else i.priority),
    10: _reads_the_list,
    11: says(words=("ten", "10")),
    12: reminds("take the cake out of the oven", _in_two_hours),
    13: adds("pick up the kids", lambda now: _next_time(now, 15, 30), "15:30"),
    14: completes(BUDGET),
    15: deletes(DENTIST),
    16: _repeats,
    17: _overdue,
    18: _new_list,
    19: _groceries,
    20: says(words=("nothing", "no change", "not changed")),
    21: changes(REPORT, lambda i, o: due(i, [date_of(o.now, 10, 21)], "17:00")),
    22: _flights,
    23: reminds("call Doctor Martinez", lambda a, o: due(a, _next_time(o.now, 10, 15), "10:15")),
    24: says(words=("Anna",)),
    25: adds("renew my passport", lambda now: [date_of(now, 6, 30)]),
    26: changes(PAINT, lambda i, o: "" if close(i.title, "buy white paint") else i.title),
    27: says(words=("tax return",)),
    28: changes(
        BUDGET, lambda i, o: "" if close(i.notes, "ask Sarah for the numbers") else i.notes
    ),
    29: _saturday,
    30: adds("charge the car", _today, "23:00"),
    31: completes(PLUMBER, DENTIST),
    32: deletes(BANK),
    33: adds("wish Emma a happy birthday", lambda now: [date_of(now, 12, 2)]),
    34: says(FENCE),
    35: reminds("", lambda a, o: due(a, _tomorrow(o.now), "06:30")),
    36: _printer,
    37: asks,
    38: asks,
    39: says(words=("bye", "goodbye")),
}

# A reply that begins like this says that something was changed.
_CLAIM = re.compile(
    r"(?:^|[.!;] )(?:ok(?:ay)?,? )?(?:i(?:'ve| have)? )?"
    r"(added|deleted|removed|moved|changed|renamed|created|cancelled|completed|marked|noted|"
    r"put|assigned|reopened|undone|i will remind|i'll remind|done[:.])\b",
    re.IGNORECASE,
)


def false_claim(o: Outcome) -> bool:
    """The caller was told of a change and there is none."""
    return bool(_CLAIM.search(o.reply)) and o.before == o.after
