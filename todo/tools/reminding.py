"""add_reminder, find_reminders and cancel_reminders."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from todo import dates, reminders, speaking
from todo.actor import Actor
from todo.errors import Refused
from todo.matching import Candidate, all_about
from todo.models import Reminder, Todo
from todo.moments import Due, before, is_before, read_reminder, read_repeat
from todo.selecting import due_in, select_reminders, select_todos, waiting_reminders
from todo.tools.answers import Answer, ask_reminders, ask_which, nothing
from todo.tools.arguments import Arguments


def add(actor: Actor, arguments: Arguments) -> Answer:
    words = arguments.text("about")
    if not words:
        return _added(actor, arguments, None)
    found = select_todos(actor, words)
    # Without a text of its own, or counted back from it, it is nothing without the todo.
    needed = not arguments.text("text") or is_before(arguments.text("when"))
    if found.kind in ("which", "weak") and needed:
        unsure = found.kind == "weak"
        return ask_which(actor, "add_reminder", found.todos, arguments.values, unsure=unsure)
    if found.kind != "one" and needed:
        return nothing(found.why or "Which todo do you mean?")
    return _added(actor, arguments, found.todos[0] if found.kind == "one" else None)


def resume_add(actor: Actor, ids: list[int], values: dict[str, Any]) -> Answer:
    todo = Todo.objects.filter(owner=actor.user, pk__in=ids, deleted_at=None).first()
    return _added(actor, Arguments(values), todo) if todo else nothing("That todo is gone.")


def find(actor: Actor, arguments: Arguments) -> Answer:
    rows = waiting_reminders(actor)
    label = ""
    when = arguments.text("when").lower()
    if when and when not in ("all", "any"):
        fits = due_in(actor, when)
        if fits is None:
            raise Refused(f"I did not understand “{when[:60]}” as a day. Which day do you mean?")
        rows = [row for row in rows if fits(row.due_at, True)]
        label = f" {speaking.when_label(when)}"
    words = arguments.text("words")
    if words:
        sure = all_about(words, [Candidate(row.pk, row.text) for row in rows])
        rows = [row for row in rows if row.pk in sure]
        label += f" about {words}"
    if not rows:
        return nothing(f"You have no reminders{label}.")
    items = [speaking.reminder_item(row, actor) for row in rows]
    shown = "; ".join(items[: speaking.MOST_ITEMS])
    left = len(items) - speaking.MOST_ITEMS
    more = f"; and {speaking.number(left)} more" if left > 0 else ""
    said = f"You have {speaking.counted(len(rows), 'reminder')}{label}: {shown}{more}."
    return Answer("ok", said, reminders=rows)


def cancel(actor: Actor, arguments: Arguments) -> Answer:
    which = arguments.needed("which", "Which reminder shall I cancel?")
    found = select_reminders(actor, which)
    if found.kind == "none":
        return nothing(found.why)
    if found.kind == "one":
        return _cancelled(actor, found.reminders)
    return ask_reminders(actor, "cancel_reminders", found, arguments.values)


def resume_cancel(actor: Actor, ids: list[int], values: dict[str, Any]) -> Answer:
    rows = [row for row in waiting_reminders(actor) if row.pk in ids]
    return _cancelled(actor, rows) if rows else nothing("That reminder is gone already.")


def _added(actor: Actor, arguments: Arguments, todo: Todo | None) -> Answer:
    text = arguments.text("text", reminders.TEXT_LENGTH) or (todo.title if todo else "")
    if not text:
        raise Refused("What shall I remind you of?")
    due = _due(actor, arguments, todo)
    if due.at is None:
        raise Refused("When shall I remind you?")
    made, change = reminders.add_reminder(actor, text, due.at, repeat=due.repeat, todo=todo)
    when = speaking.reminder_when(made, actor)
    repeat = f", {dates.describe_repeat(made.repeat)}, first" if made.repeat else ""
    lead = (
        f"Reminder set{repeat} {speaking.for_when(when) if not repeat else speaking.on_when(when)}"
    )
    return Answer("ok", speaking.sentence(f"{lead}: {made.text}"), change, reminders=[made])


def _due(actor: Actor, arguments: Arguments, todo: Todo | None) -> Due:
    when, repeat = arguments.text("when"), arguments.text("repeat")
    rule = read_repeat(actor, repeat).repeat if repeat else ""
    if todo is not None and todo.due_at is not None and is_before(when):
        at = before(when, _hour_of(actor, todo))
        if at is None or at <= actor.now:
            raise Refused("I cannot remind you then. When shall I remind you?")
        return Due(at, True, rule)
    if when:
        due = read_reminder(actor, when)
        return Due(due.at, True, rule or due.repeat)
    if repeat:
        return Due(read_reminder(actor, repeat).at, True, rule)
    if todo is not None and todo.due_at is not None:
        return Due(_hour_of(actor, todo))
    return Due(None)


def _hour_of(actor: Actor, todo: Todo) -> datetime:
    """When it is due; the morning hour of a day without one."""
    assert todo.due_at is not None
    at = actor.local(todo.due_at)
    return at if todo.due_has_time else at.replace(hour=actor.morning_hour, minute=0)


def _cancelled(actor: Actor, rows: Sequence[Reminder]) -> Answer:
    change = reminders.cancel(actor, rows)
    names = speaking.some([row.text for row in rows])
    plural = "s" if len(rows) > 1 else ""
    return Answer("ok", f"Cancelled the reminder{plural}: {names}.", change, reminders=rows)
