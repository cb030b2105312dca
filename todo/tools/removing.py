"""delete_todos and undo_last_change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from todo import changes, speaking, todos
from todo.actor import Actor
from todo.errors import Refused
from todo.models import Change, Todo
from todo.selecting import select_todos, todos_by_id
from todo.tools.answers import Answer, ask_confirm, ask_which, nothing
from todo.tools.arguments import Arguments

_UNDONE = {
    "added": "{} {is} off your list again",
    "done": "{} {is} open again",
    "reopened": "{} {is} done again",
    "deleted": "{} {is} back on your list",
    "changed": "{} {is} as before",
    "reminder": "the reminder {} is cancelled",
    "reminder cancelled": "the reminder {} is back",
    "new list": "the list {} is gone again",
    "deleted list": "the list {} is back",
}


def delete(actor: Actor, arguments: Arguments) -> Answer:
    """One clear match goes at once; more than one only after the person's yes."""
    which = arguments.needed("which", "Which todo shall I delete?")
    found = select_todos(actor, which)
    if found.kind == "none":
        done = select_todos(actor, which, "done")
        found = done if done.kind in ("one", "all") else found
    if found.kind == "none":
        return nothing(found.why)
    if found.kind in ("which", "weak"):
        unsure = found.kind == "weak"
        return ask_which(actor, "delete_todos", found.todos, arguments.values, unsure=unsure)
    if len(found.todos) == 1:
        return _deleted(actor, found.todos)
    count = speaking.counted(len(found.todos), "todo")
    said = f"That deletes {count}: {speaking.titles(found.todos)}. Shall I?"
    return ask_confirm(actor, "delete_todos", said, found.todos, arguments.values)


def resume_delete(actor: Actor, ids: list[int], values: dict[str, Any]) -> Answer:
    found = todos_by_id(actor, ids)
    return _deleted(actor, found) if found else nothing("That is gone already.")


def undo_last(actor: Actor, arguments: Arguments) -> Answer:
    change = changes.last_undoable(actor)
    if change is None:
        return nothing("There is nothing to undo.")
    return undo_change(actor, change)


def undo_change(actor: Actor, change: Change) -> Answer:
    try:
        undone = changes.undo(actor, change)
    except Refused as refusal:
        return Answer("refused", refusal.sentence)
    ids = [row["pk"] for row in undone.rows if row["model"] == "todo"]
    summary = f"undone: {undone.summary}"[:300]
    return Answer("ok", undone_sentence(undone), todos=todos_by_id(actor, ids), summary=summary)


def undone_sentence(change: Change) -> str:
    """ "Undone: buy milk is off your list again." """
    kind = change.summary.partition(":")[0]
    wanted = {"reminder": "reminder", "reminder cancelled": "reminder"}.get(kind, "todo")
    wanted = "list" if kind.endswith("list") else wanted
    names = [_name(row) for row in change.rows if row["model"] == wanted]
    pattern = _UNDONE.get(kind)
    if pattern is None or not names:
        return speaking.sentence(f"undone: {change.summary}")
    verb = "is" if len(names) == 1 else "are"
    return speaking.sentence("undone: " + pattern.format(speaking.some(names), **{"is": verb}))


def _name(row: dict[str, Any]) -> str:
    values = row["before"] or row["after"]
    return str(values.get("title") or values.get("text") or values.get("name"))


def _deleted(actor: Actor, found: Sequence[Todo]) -> Answer:
    made = todos.delete(actor, found)
    said = f"Deleted {speaking.titles(found)}. Say undo to bring {_them(found)} back."
    return Answer("ok", said, made, todos=found)


def _them(found: Sequence[Todo]) -> str:
    return "it" if len(found) == 1 else "them"
