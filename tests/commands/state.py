"""What must be true after each of the forty commands, as state and not as words."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.contrib.auth.models import User

from todo.models import Reminder, Todo, TodoList

FIELDS = (
    "title due_at due_has_time priority tags assignee repeat notes completed_at deleted_at list_id"
)
Row = dict[str, Any]
TITLES = [
    "call the plumber", "dentist appointment", "buy paint", "write the annual budget",
    "grocery shopping", "meeting with David", "finish the board report", "paint the fence",
    "appointment at the bank", "prepare the presentation",
]  # fmt: skip


@dataclass(frozen=True)
class Snapshot:
    todos: dict[int, Row]
    reminders: list[Row]
    lists: set[str]

    @classmethod
    def of(cls, user: User) -> Snapshot:
        todos = {
            row["id"]: row for row in Todo.objects.filter(owner=user).values("id", *FIELDS.split())
        }
        waiting = Reminder.objects.filter(owner=user, state="waiting")
        reminders: list[Row] = [dict(row) for row in waiting.values("text", "due_at", "repeat")]
        lists = set(TodoList.objects.filter(owner=user).values_list("name", flat=True))
        return cls(todos, reminders, lists)


@dataclass(frozen=True)
class Outcome:
    """`now` is aware, in the caller's zone; `reply` is what the caller heard last."""

    before: Snapshot
    after: Snapshot
    reply: str
    now: datetime

    def number(self, number: int) -> Row:
        return self.after.todos[sorted(self.before.todos)[number - 1]]

    def was(self, number: int) -> Row:
        return self.before.todos[sorted(self.before.todos)[number - 1]]

    def untouched(self, *but: int) -> bool:
        """No todo but these changed, and nothing else was made."""
        keys = [key for place, key in enumerate(sorted(self.before.todos), 1) if place not in but]
        return all(self.before.todos[key] == self.after.todos[key] for key in keys)

    def new(self) -> list[Row]:
        return [row for key, row in self.after.todos.items() if key not in self.before.todos]

    def same(self) -> bool:
        return self.before == self.after

    def says(self, *titles: str) -> bool:
        return all(title.lower() in self.reply.lower() for title in titles)

    def says_only(self, *titles: str) -> bool:
        others = [title for title in TITLES if title not in titles]
        return self.says(*titles) and not any(
            title.lower() in self.reply.lower() for title in others
        )

    def only_changed(self, number: int, *fields: str) -> bool:
        changed = {
            key for key in FIELDS.split() if self.number(number)[key] != self.was(number)[key]
        }
        return changed == set(fields) and self.untouched(number) and not self.new()


Check = Callable[[Outcome], bool]


def close(title: str, expected: str) -> bool:
    """Equal, or one word changed, added or lost."""
    a, b = (re.findall(r"[\w']+", text.lower()) for text in (title, expected))
    row = list(range(len(b) + 1))
    for i, word in enumerate(a, 1):
        previous, row[0] = row[0], i
        for j, other in enumerate(b, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (word != other))
    return row[-1] <= 1


def local(row: Row, outcome: Outcome, key: str = "due_at") -> datetime:
    moment: datetime = row[key].astimezone(outcome.now.tzinfo)
    return moment


def next_weekday(now: datetime, weekday: int) -> date:
    return now.date() + timedelta(days=(weekday - now.weekday() - 1) % 7 + 1)


def next_day(now: datetime, month: int, day: int) -> date:
    this = date(now.year, month, day)
    return this if this >= now.date() else date(now.year + 1, month, day)


def next_clock(now: datetime, hour: int, minute: int) -> datetime:
    at = datetime.combine(now.date(), time(hour, minute), now.tzinfo)
    return at if at > now else at + timedelta(days=1)


def added(title: str, when: Callable[[datetime], date | datetime | None]) -> Check:
    def check(outcome: Outcome) -> bool:
        rows = outcome.new()
        if len(rows) != 1 or not outcome.untouched() or not close(rows[0]["title"], title):
            return False
        expected = when(outcome.now)
        if expected is None:
            return rows[0]["due_at"] is None
        due = local(rows[0], outcome)
        if isinstance(expected, datetime):
            return bool(rows[0]["due_has_time"]) and due == expected
        return due.date() == expected

    return check


def reminded(text: str, when: Callable[[datetime], datetime]) -> Check:
    def check(outcome: Outcome) -> bool:
        fresh = [one for one in outcome.after.reminders if one not in outcome.before.reminders]
        if len(fresh) != 1 or outcome.before.todos != outcome.after.todos:
            return False
        late = abs(local(fresh[0], outcome) - when(outcome.now))
        return late <= timedelta(minutes=1) and (not text or close(fresh[0]["text"], text))

    return check


def moved(number: int, when: Callable[[datetime], date]) -> Check:
    def check(outcome: Outcome) -> bool:
        old, new = local(outcome.was(number), outcome), local(outcome.number(number), outcome)
        same_day = old.date() == when(outcome.now)
        return (
            outcome.only_changed(number, *([] if same_day else ["due_at"]))
            and new.date() == when(outcome.now)
            and new.time() == old.time()
        )

    return check


def done(*numbers: int) -> Check:
    def check(outcome: Outcome) -> bool:
        return (
            all(outcome.number(number)["completed_at"] for number in numbers)
            and outcome.untouched(*numbers)
            and not outcome.new()
        )

    return check


def gone(number: int) -> Check:
    return lambda outcome: outcome.only_changed(number, "deleted_at")


def at(day: Callable[[datetime], date], hour: int) -> Callable[[datetime], datetime]:
    return lambda now: datetime.combine(day(now), time(hour), now.tzinfo)


def read(*titles: str, only: bool = False) -> Check:
    return lambda o: o.same() and (o.says_only(*titles) if only else o.says(*titles))


def _this_week(outcome: Outcome) -> bool:
    end = outcome.now.date() + timedelta(days=6 - outcome.now.weekday())
    rows = sorted(outcome.before.todos.items())[:10]
    due = [
        row["title"]
        for _, row in rows
        if row["due_at"] and outcome.now.date() <= local(row, outcome).date() <= end
    ]
    allowed = {*due, "finish the board report"}
    others = [title for title in TITLES if title not in allowed]
    # Of more than three, the first three and how many more.
    counted = len(due) > 3 and re.search(r"and \w+ more", outcome.reply) is not None
    said = sum(outcome.says(one) for one in due) >= 3 if counted else outcome.says(*due)
    return outcome.same() and said and not any(outcome.says(one) for one in others)


def _overdue(outcome: Outcome) -> bool:
    expected = ["finish the board report"]
    for number in (1, 2):
        if local(outcome.was(number), outcome) < outcome.now:
            expected.append(TITLES[number - 1])
    return outcome.same() and outcome.says_only(*expected)


def _groceries(outcome: Outcome) -> bool:
    named = " ".join(row["title"].lower() for row in outcome.new())
    lists = {row["list_id"] for row in outcome.new()}
    other = {row["list_id"] for row in outcome.before.todos.values()}
    return (
        len(outcome.new()) in (1, 3)
        and all(word in named for word in ("eggs", "bread", "butter"))
        and len(lists) == 1
        and not lists & other
        and outcome.untouched()
    )


def _plants(outcome: Outcome) -> bool:
    rule = outcome.new()[0]["repeat"] if outcome.new() else ""
    weekly = {"FREQ=WEEKLY", "BYDAY=MO", "BYHOUR=9", "BYMINUTE=0"} == set(rule.split(";"))
    return weekly and added("water the plants", _monday_at_nine)(outcome)


def _monday_at_nine(now: datetime) -> datetime:
    today = datetime.combine(now.date(), time(9), now.tzinfo)
    return today if now.weekday() == 0 and today > now else at(lambda n: next_weekday(n, 0), 9)(now)


def _flights(outcome: Outcome) -> bool:
    rows = outcome.new()
    if len(rows) != 1 or not outcome.untouched():
        return False
    both = f"{rows[0]['title']} {rows[0]['notes']}".lower()
    budget = "350" in both or "three hundred and fifty" in both
    title = re.sub(r" with a budget of .*", "", rows[0]["title"])
    return budget and close(title, "book flights to Berlin") and rows[0]["due_at"] is None


def _printer(outcome: Outcome) -> bool:
    named = " ".join(row["title"].lower() for row in outcome.new())
    return (
        1 <= len(outcome.new()) <= 2
        and "printer paper" in named
        and "two black cartridges" in named
        and outcome.untouched()
    )


def _note(outcome: Outcome) -> bool:
    return outcome.only_changed(4, "notes") and close(
        outcome.number(4)["notes"], "ask Sarah for the numbers"
    )


def _priority(outcome: Outcome) -> bool:
    return outcome.only_changed(1, "priority") and outcome.number(1)["priority"] == 3


def _renamed(outcome: Outcome) -> bool:
    return outcome.only_changed(3, "title") and close(outcome.number(3)["title"], "buy white paint")


def _new_list(outcome: Outcome) -> bool:
    made = {name.lower() for name in outcome.after.lists - outcome.before.lists}
    return made == {"groceries"} and outcome.before.todos == outcome.after.todos


def _asks(outcome: Outcome) -> bool:
    return outcome.same() and re.search(r"sure|what|which|\?", outcome.reply) is not None


def _ends(outcome: Outcome) -> bool:
    return outcome.same() and re.search(r"bye", outcome.reply, re.IGNORECASE) is not None


CHECKS: dict[int, Check] = {
    0: added("buy milk", at(lambda now: now.date() + timedelta(days=1), 17)),
    1: lambda o: o.same() and o.says_only("call the plumber", "dentist appointment"),
    2: done(2),
    3: lambda o: (
        reminded("call Anna", at(lambda n: next_weekday(n, 4), 9))(o) and "9 AM" in o.reply
    ),
    4: gone(5),
    5: moved(6, lambda now: next_weekday(now, 1)),
    6: added("pay the electricity bill", lambda now: next_day(now, 3, 3)),
    7: _this_week,
    8: lambda o: (
        added("send the invoice to Robert", at(lambda n: next_weekday(n, 0), 9))(o)
        and "9 AM" in o.reply
    ),
    9: _priority,
    10: lambda o: (
        o.same() and o.says(*TITLES[:3]) and re.search(r"more|David", o.reply) is not None
    ),
    11: lambda o: o.same() and re.search(r"\b(?:10|ten)\b", o.reply) is not None,
    12: reminded("take the cake out of the oven", lambda now: now + timedelta(hours=2)),
    13: added("pick up the kids", lambda now: next_clock(now, 15, 30)),
    14: done(4),
    15: gone(2),
    16: _plants,
    17: _overdue,
    18: _new_list,
    19: _groceries,
    20: lambda o: o.same() and re.search("undo|nothing", o.reply) is not None,
    21: moved(7, lambda now: next_day(now, 10, 21)),
    22: _flights,
    23: reminded("call Doctor Martinez", lambda now: next_clock(now, 10, 15)),
    24: read("Anna"),
    25: added("renew my passport", lambda now: next_day(now, 6, 30)),
    26: _renamed,
    27: read("tax return"),
    28: _note,
    29: read("grocery shopping"),
    30: added("charge the car", at(lambda now: now.date(), 23)),
    31: done(1, 2),
    32: gone(9),
    33: added("wish Emma a happy birthday", lambda now: next_day(now, 12, 2)),
    34: read("paint the fence"),
    35: reminded(
        "", lambda n: datetime.combine(n.date() + timedelta(days=1), time(6, 30), n.tzinfo)
    ),
    36: _printer,
    37: _asks,
    38: _asks,
    39: _ends,
}
