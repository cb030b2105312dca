"""What every tool answers, and how a question is put when words fit more than one row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from todo import questions, speaking
from todo.actor import Actor
from todo.models import Change, Question, Reminder, Todo
from todo.selecting import ReminderSelection, Selection, numbers
from todo.shapes import reminder_shape, short_todo

# Rows in an answer beyond these are only counted: they would crowd out a model's context.
MOST_ROWS = 50
Status = Literal["ok", "nothing", "ask", "refused"]
Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    row: Question
    kind: Literal["which", "confirm"]
    options: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Answer:
    """`said` is true of the database after the change."""

    status: Status
    said: str
    change: Change | None = None
    todos: Sequence[Todo] = ()
    reminders: Sequence[Reminder] = ()
    question: Asked | None = None
    summary: str = ""
    lists: list[dict[str, Any]] = field(default_factory=list)
    ends_call: bool = False
    """It was the last word: once it was heard, the call is over."""

    def as_dict(self, actor: Actor) -> dict[str, Any]:
        places = numbers(actor) if self.todos else {}
        more: dict[str, Any] = {"lists": self.lists} if self.lists else {}
        if self.ends_call:
            more["ends_call"] = True
        return {
            "status": self.status,
            "said": self.said,
            "summary": self.summary or (self.change.summary if self.change else ""),
            "change": self.change.pk if self.change else None,
            "todos": [short_todo(t, actor, places.get(t.pk)) for t in self.todos[:MOST_ROWS]],
            "reminders": [reminder_shape(r, actor) for r in self.reminders[:MOST_ROWS]],
            "question": _question(self.question),
        } | more


def nothing(said: str) -> Answer:
    return Answer("nothing", said)


def refused(said: str) -> Answer:
    return Answer("refused", said)


def ask_which(
    actor: Actor, tool: str, todos: Sequence[Todo], values: Values, *, unsure: bool = False
) -> Answer:
    """Ask which of these todos is meant; `unsure`: none of them fits well."""
    items = _distinct(todos, actor)
    said = speaking.did_you_mean(items) if unsure else speaking.which_question(items)
    kind: questions.Kind = "confirm" if len(todos) == 1 else "which"
    places = numbers(actor)
    options = [
        {"number": places.get(todo.pk, place), "title": todo.title}
        for place, todo in enumerate(todos, 1)
    ]
    row = questions.ask(actor, tool, kind, said, [todo.pk for todo in todos], values)
    return Answer("ask", said, todos=todos, question=Asked(row, kind, options))


def ask_confirm(
    actor: Actor, tool: str, said: str, todos: Sequence[Todo], values: Values
) -> Answer:
    row = questions.ask(actor, tool, "confirm", said, [todo.pk for todo in todos], values)
    places = numbers(actor)
    options = [{"number": places.get(todo.pk), "title": todo.title} for todo in todos]
    return Answer("ask", said, todos=todos, question=Asked(row, "confirm", options))


def ask_reminders(actor: Actor, tool: str, found: ReminderSelection, values: Values) -> Answer:
    rows = found.reminders
    items = [speaking.reminder_item(row, actor) for row in rows]
    kind: questions.Kind = "which" if found.kind == "which" else "confirm"
    if found.kind == "which":
        said = speaking.which_question(items)
    elif found.kind == "weak":
        kind = "confirm" if len(rows) == 1 else "which"
        said = speaking.did_you_mean(items)
    else:
        count = speaking.counted(len(rows), "reminder")
        said = f"That cancels {count}: {speaking.some(items)}. Shall I?"
    row = questions.ask(actor, tool, kind, said, [one.pk for one in rows], values)
    options = [{"number": n, "title": one.text} for n, one in enumerate(rows, 1)]
    return Answer("ask", said, reminders=rows, question=Asked(row, kind, options))


def with_one(
    actor: Actor, tool: str, found: Selection, values: Values, act: Callable[[Todo], Answer]
) -> Answer:
    """Act on the one todo meant; ask when it is not clear which."""
    if found.kind == "none":
        return nothing(found.why)
    if len(found.todos) == 1 and found.kind in ("one", "all"):
        return act(found.todos[0])
    return ask_which(actor, tool, found.todos, values, unsure=found.kind == "weak")


def _distinct(todos: Sequence[Todo], actor: Actor) -> list[str]:
    """Titles; with the due date or the list where two are the same."""
    titles = [todo.title for todo in todos]
    items = []
    for todo in todos:
        same = titles.count(todo.title) > 1
        extra = speaking.due_text(todo, actor) or f"on {todo.list.name}"
        items.append(f"{todo.title} ({extra})" if same else todo.title)
    return items


def _question(asked: Asked | None) -> dict[str, Any] | None:
    if asked is None:
        return None
    return {"id": str(asked.row.pk), "kind": asked.kind, "options": asked.options}
