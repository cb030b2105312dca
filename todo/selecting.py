"""From a person's words to their own rows. Reads only; nothing here acts on what it finds."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from django.db.models import QuerySet

from todo import dates, mentions
from todo.actor import Actor
from todo.daywords import names_a_day, part_of_day
from todo.lists import find_list
from todo.matching import Candidate, all_about, content_words, match
from todo.models import Reminder, Todo
from todo.naming import is_ordinal, read_name

Pool = Literal["open", "done"]
Kind = Literal["one", "all", "which", "weak", "none"]
# More rows than this are never loaded for one sentence.
MOST_ROWS = 2000
_FINISHED = re.compile(r"\b(?:done|finished|completed)\b")


@dataclass(frozen=True, slots=True)
class Selection:
    """`one` and `all` may be acted on; `which` and `weak` need the person's word; `none`: `why`."""

    kind: Kind
    todos: list[Todo] = field(default_factory=list)
    why: str = ""


@dataclass(frozen=True, slots=True)
class ReminderSelection:
    kind: Kind
    reminders: list[Reminder] = field(default_factory=list)
    why: str = ""


def open_todos(actor: Actor) -> list[Todo]:
    """In the order shown and spoken: the default list first, then as they were made."""
    return list(_rows(actor).filter(completed_at=None)[:MOST_ROWS])


def done_todos(actor: Actor) -> list[Todo]:
    """The latest first."""
    done = _rows(actor).exclude(completed_at=None).order_by("-completed_at", "-pk")
    return list(done[:MOST_ROWS])


def numbers(actor: Actor) -> dict[int, int]:
    """Each open todo's number by its id."""
    keys = _rows(actor).filter(completed_at=None).values_list("pk", flat=True)[:MOST_ROWS]
    return {pk: place for place, pk in enumerate(keys, 1)}


def todos_by_id(actor: Actor, ids: Sequence[int]) -> list[Todo]:
    """The person's own among these that still exist, in the order of the ids."""
    found = {todo.pk: todo for todo in _rows(actor).filter(pk__in=list(ids))}
    return [found[pk] for pk in ids if pk in found]


def waiting_reminders(actor: Actor) -> list[Reminder]:
    """Those still to come and those that went off without being told."""
    states = [Reminder.State.WAITING, Reminder.State.FIRED]
    return list(Reminder.objects.filter(owner=actor.user, state__in=states)[:MOST_ROWS])


def is_overdue(todo: Todo, actor: Actor) -> bool:
    if todo.due_at is None or todo.completed_at is not None:
        return False
    if todo.due_has_time:
        return todo.due_at < actor.now
    return actor.local(todo.due_at).date() < actor.local_now.date()


def select_todos(actor: Actor, which: str, pool: Pool = "open") -> Selection:
    """What `which` names: words, a number, a day, "everything ...", or the one last spoken of."""
    rows = open_todos(actor) if pool == "open" else done_todos(actor)
    name = read_name(which)
    if name.kind == "last" or name.kind == "them":
        return _recent(actor, rows, plural=name.kind == "them")
    if name.kind == "numbers":
        spoken = _spoken_place(actor, rows, name.numbers) if is_ordinal(which) else []
        if spoken:
            return Selection("one" if len(spoken) == 1 else "all", spoken)
        return _numbered(actor, rows, name.numbers, pool)
    if name.kind == "all":
        rest = _FINISHED.sub("", name.words)
        if rest != name.words:
            rows = done_todos(actor)
        found = everything(actor, rows, rest)
        return Selection("all", found) if found else Selection("none", why=_nothing_like(which))
    found_by_words = _by_words(actor, rows, which)
    if found_by_words.kind in ("weak", "none", "which"):
        return _each_of(actor, rows, which) or found_by_words
    return found_by_words


def everything(actor: Actor, rows: list[Todo], words: str) -> list[Todo]:
    """All of the rows that fit what followed "everything": a day, "overdue", a list, or words."""
    rest, keep = _narrow(actor, words)
    rows = [row for row in rows if keep(row)]
    if not content_words(rest):
        return rows
    named = find_list(actor.user, rest) if " list" in f" {rest}" else None
    if named is not None:
        return [row for row in rows if row.list_id == named.pk]
    ids = set(all_about(rest, _candidates(rows)))
    return [row for row in rows if row.pk in ids]


def about(rows: list[Todo], words: str) -> list[Todo]:
    """All of the rows these words surely fit, notes, tags and lists included."""
    ids = set(all_about(words, _candidates(rows)))
    return [row for row in rows if row.pk in ids]


def due_in(actor: Actor, phrase: str) -> Callable[[datetime, bool], bool] | None:
    """A test for (due, has a time) made from a date phrase; None when it is not one."""
    when = dates.parse(phrase, actor.local_now, morning_hour=actor.morning_hour)
    day = dates.span(phrase, actor.local_now)
    if day is None and when is not None:
        start = when.at.replace(hour=0, minute=0, second=0, microsecond=0)
        day = (start, start + timedelta(days=1))
    if day is None:
        return None
    start, end = day
    part = part_of_day(phrase)
    said_hour = when is not None and when.has_time and part is None
    hour = (when.at.hour, when.at.minute) if when is not None and said_hour else None
    any_day = hour is not None and not names_a_day(phrase)

    def fits(due: datetime, has_time: bool) -> bool:
        local = actor.local(due)
        if part is not None and not (has_time and part[0] <= local.hour < part[1]):
            return False
        if hour is not None and has_time and (local.hour, local.minute) != hour:
            return False
        return (any_day and has_time) or start <= local < end

    return fits


def select_reminders(actor: Actor, which: str) -> ReminderSelection:
    rows = waiting_reminders(actor)
    name = read_name(which)
    if name.kind in ("last", "them"):
        known = mentions.recent_reminders(actor)
        rows = [row for row in rows if row.pk in known]
        return _reminders(rows, plural=name.kind == "them", why="I am not sure which one you mean.")
    if name.kind == "numbers":
        chosen = [rows[n - 1] for n in name.numbers if n <= len(rows)]
        return _reminders(chosen, plural=True, why="There is no reminder with that number.")
    rest, fits = _date_test(actor, name.words)
    near = [row for row in rows if fits is None or fits(row.due_at, True)]
    if name.kind == "all" or (fits is not None and not content_words(rest)):
        ids = set(all_about(rest, _reminder_candidates(near))) if content_words(rest) else None
        chosen = [row for row in near if ids is None or row.pk in ids]
        return _reminders(chosen, plural=name.kind == "all", why="I found no such reminder.")
    found = match(rest, _reminder_candidates(near or rows))
    if found.kind == "none":
        found = match(name.words, _reminder_candidates(rows))
    chosen = [row for row in rows if row.pk in found.ids]
    if found.kind == "weak":
        return ReminderSelection("weak", chosen)
    return _reminders(chosen, plural=False, why=f"I found no reminder about {which}.")


def _rows(actor: Actor) -> QuerySet[Todo]:
    return Todo.objects.filter(owner=actor.user, deleted_at=None).select_related("list")


def _recent(actor: Actor, rows: list[Todo], *, plural: bool) -> Selection:
    known = mentions.recent_todos(actor)
    recent = [row for row in rows if row.pk in known]
    if not recent:
        return Selection("none", why="I am not sure which todo you mean.")
    if len(recent) == 1:
        return Selection("one", recent)
    return Selection("all" if plural else "which", recent)


def _spoken_place(actor: Actor, rows: list[Todo], wanted: tuple[int, ...]) -> list[Todo]:
    """ "the first one" right after some were read out: the first of those."""
    known = mentions.recent_todos(actor)
    by_id = {row.pk: row for row in rows}
    if len(known) < 2 or max(wanted) > len(known):
        return []
    return [by_id[known[n - 1]] for n in wanted if known[n - 1] in by_id]


def _numbered(actor: Actor, rows: list[Todo], wanted: tuple[int, ...], pool: Pool) -> Selection:
    missing = [number for number in wanted if number > len(rows)]
    if missing:
        kind = "open" if pool == "open" else "finished"
        why = f"There is no number {missing[0]}: you have {len(rows)} {kind} todos."
        return Selection("none", why=why)
    chosen = [rows[number - 1] for number in dict.fromkeys(wanted)]
    return Selection("one" if len(chosen) == 1 else "all", chosen)


def _by_words(actor: Actor, rows: list[Todo], which: str) -> Selection:
    whole = match(which, _candidates(rows))
    rest, keep = _narrow(actor, which)
    if rest != which.strip().lower() and not _is_exact(rows, which):
        near = [row for row in rows if keep(row)]
        if near and not content_words(rest):
            return Selection("one" if len(near) == 1 else "which", near)
        narrowed = match(rest, _candidates(near))
        if narrowed.kind in ("one", "several"):
            whole = narrowed
    by_id = {row.pk: row for row in rows}
    found = [by_id[pk] for pk in whole.ids]
    kinds: dict[str, Kind] = {"one": "one", "several": "which", "weak": "weak", "none": "none"}
    why = _nothing_like(which) if whole.kind == "none" else ""
    return Selection(kinds[whole.kind], found, why)


def _each_of(actor: Actor, rows: list[Todo], which: str) -> Selection | None:
    """ "the plumber and the dentist": all of them, when each part surely names one."""
    parts = [part for part in re.split(r",? and |, ", which.lower()) if content_words(part)]
    if len(parts) < 2:
        return None
    each = [_by_words(actor, rows, part) for part in parts]
    if any(one.kind != "one" for one in each):
        return None
    chosen = list({one.todos[0].pk: one.todos[0] for one in each}.values())
    return Selection("all", chosen) if len(chosen) == len(parts) else None


def _is_exact(rows: list[Todo], which: str) -> bool:
    return any(row.title.lower() == which.strip().lower() for row in rows)


def _narrow(actor: Actor, words: str) -> tuple[str, Callable[[Todo], bool]]:
    """The words without "overdue" or a date phrase, and the test that phrase makes."""
    lowered = words.strip().lower()
    for late in ("overdue", "late", "past due"):
        if late in lowered.split() or late == lowered:
            return lowered.replace(late, " ").strip(), lambda row: is_overdue(row, actor)
    rest, fits = _date_test(actor, lowered)
    if fits is None:
        return lowered, lambda row: True
    return rest, lambda row: row.due_at is not None and fits(row.due_at, row.due_has_time)


def _date_test(actor: Actor, words: str) -> tuple[str, Callable[[datetime, bool], bool] | None]:
    # People say "today's todos" and "the one from tomorrow".
    plain = words.lower().replace("'s", "").replace(" from ", " on ")
    plain = f"on {plain[5:]}" if plain.startswith("from ") else plain
    rest, phrase = dates.cut(plain, actor.local_now)
    if not phrase:
        # With a word before it, "tomorrow" alone is a day too and not a title.
        rest, phrase = dates.cut(f"thing {plain}", actor.local_now)
    if not phrase:
        return words, None
    fits = due_in(actor, phrase)
    return (rest, fits) if fits is not None else (words, None)


def _candidates(rows: list[Todo]) -> list[Candidate]:
    return [
        Candidate(row.pk, row.title, (*row.tags, row.assignee, row.list.name), row.notes)
        for row in rows
    ]


def _reminder_candidates(rows: list[Reminder]) -> list[Candidate]:
    return [Candidate(row.pk, row.text) for row in rows]


def _reminders(rows: list[Reminder], *, plural: bool, why: str) -> ReminderSelection:
    if not rows:
        return ReminderSelection("none", why=why)
    if len(rows) == 1:
        return ReminderSelection("one", rows)
    return ReminderSelection("all" if plural else "which", rows)


def _nothing_like(which: str) -> str:
    words = which.strip(" .,!?")
    return f"I found no todo like “{words}”." if words else "Which todo do you mean?"
