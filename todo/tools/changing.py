"""change_todo, complete_todos and reopen_todo."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from todo import dates, speaking, todos
from todo.actor import Actor
from todo.errors import Refused
from todo.lists import NAME_LENGTH, find_list
from todo.models import Priority, Todo
from todo.moments import read_due, read_repeat
from todo.selecting import select_todos, todos_by_id
from todo.tools.answers import Answer, ask_which, nothing, with_one
from todo.tools.arguments import Arguments

_FIELDS = (
    "title", "due", "add_note", "priority", "add_tags", "remove_tags", "assignee", "list", "repeat",
)  # fmt: skip
_NOBODY = {"nobody", "no one", "none", "noone"}


def change(actor: Actor, arguments: Arguments) -> Answer:
    which = arguments.needed("which", "Which todo shall I change?")
    if not any(name in arguments for name in _FIELDS):
        raise Refused("What shall I change about it?")
    found = select_todos(actor, which)
    return with_one(
        actor, "change_todo", found, arguments.values, lambda todo: _changed(actor, todo, arguments)
    )


def resume_change(actor: Actor, ids: list[int], values: dict[str, Any]) -> Answer:
    found = todos_by_id(actor, ids)
    if len(found) != 1:
        return nothing(
            "That todo is not there any more." if not found else "One at a time, please."
        )
    return _changed(actor, found[0], Arguments(values))


def complete(actor: Actor, arguments: Arguments) -> Answer:
    which = arguments.needed("which", "Which todo is done?")
    found = select_todos(actor, which)
    if found.kind == "none":
        return _perhaps_done(actor, which) or nothing(found.why)
    if found.kind in ("one", "all"):
        return _completed(actor, found.todos)
    return ask_which(
        actor, "complete_todos", found.todos, arguments.values, unsure=found.kind == "weak"
    )


def resume_complete(actor: Actor, ids: list[int], values: dict[str, Any]) -> Answer:
    still_open = [todo for todo in todos_by_id(actor, ids) if todo.completed_at is None]
    return _completed(actor, still_open) if still_open else nothing("That is done already.")


def reopen(actor: Actor, arguments: Arguments) -> Answer:
    which = arguments.needed("which", "Which todo shall I reopen?")
    found = select_todos(actor, which, "done")
    if found.kind == "none":
        already = select_todos(actor, which)
        if already.kind == "one":
            return nothing(speaking.sentence(f"{already.todos[0].title} is still open"))
        return nothing(found.why.replace("no todo", "no finished todo"))
    if found.kind in ("one", "all"):
        return _reopened(actor, found.todos)
    return ask_which(
        actor, "reopen_todo", found.todos, arguments.values, unsure=found.kind == "weak"
    )


def resume_reopen(actor: Actor, ids: list[int], values: dict[str, Any]) -> Answer:
    found = [todo for todo in todos_by_id(actor, ids) if todo.completed_at is not None]
    return _reopened(actor, found) if found else nothing("That is open already.")


def _changed(actor: Actor, todo: Todo, arguments: Arguments) -> Answer:
    before = todo.title
    change_made = todos.change_todo(actor, todo, _values(actor, todo, arguments))
    if change_made is None:
        return Answer("nothing", f"{speaking.sentence(before)[:-1]} was so already.", todos=[todo])
    said = speaking.sentence(_said(actor, todo, before, arguments))
    return Answer("ok", said, change_made, todos=[todo])


def _values(actor: Actor, todo: Todo, arguments: Arguments) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if "title" in arguments:
        values["title"] = todos.check_title(arguments.text("title", todos.TITLE_LENGTH))
    if "due" in arguments:
        due = read_due(actor, arguments.needed("due", "When is it due?"), of=todo)
        values |= {"due_at": due.at, "due_has_time": due.has_time}
        if due.repeat:
            values["repeat"] = due.repeat
    if "repeat" in arguments:
        values |= _repeat(actor, todo, arguments, "due" in arguments)
    if "add_note" in arguments:
        note = arguments.needed("add_note", "What is the note?", todos.NOTES_LENGTH)
        values["notes"] = f"{todo.notes}\n{note}".strip()
        if len(values["notes"]) > todos.NOTES_LENGTH:
            raise Refused("That todo's notes are full.")
    if "priority" in arguments:
        values["priority"] = arguments.priority()
    if "add_tags" in arguments or "remove_tags" in arguments:
        gone = todos.check_tags(arguments.texts("remove_tags"))
        kept = [tag for tag in todo.tags if tag not in gone]
        values["tags"] = todos.check_tags([*kept, *arguments.texts("add_tags")])
    if "assignee" in arguments:
        who = arguments.text("assignee", todos.NAME_LENGTH)
        values["assignee"] = "" if who.lower() in _NOBODY else who
    if "list" in arguments:
        values["list"] = _list(actor, arguments)
    return values


def _repeat(actor: Actor, todo: Todo, arguments: Arguments, moved: bool) -> dict[str, Any]:
    rule = read_repeat(actor, arguments.needed("repeat", "How often is it?"))
    if not rule.repeat or todo.due_at is not None or moved or rule.at is None:
        return {"repeat": rule.repeat}
    return {"repeat": rule.repeat, "due_at": rule.at, "due_has_time": rule.has_time}


def _list(actor: Actor, arguments: Arguments) -> Any:
    name = arguments.needed("list", "To which list?", NAME_LENGTH)
    target = find_list(actor.user, name)
    if target is None:
        raise Refused(f"There is no list called {name}. Shall I create it first?")
    return target


def _said(actor: Actor, todo: Todo, before: str, arguments: Arguments) -> str:
    parts = []
    if "title" in arguments:
        parts.append(f"is now called {todo.title}")
    if "due" in arguments:
        parts.append(f"{'is now' if todo.due_at else 'now'} {_due(actor, todo)}")
    if "repeat" in arguments and "due" not in arguments:
        repeat = dates.describe_repeat(todo.repeat) if todo.repeat else ""
        parts.append(f"now repeats {repeat}" if repeat else "does not repeat any more")
    if "priority" in arguments:
        parts.append(f"has {Priority(todo.priority).label} priority now")
    if "add_note" in arguments:
        parts.append(f"has the note: {arguments.text('add_note', todos.NOTES_LENGTH)}")
    if "add_tags" in arguments or "remove_tags" in arguments:
        tags = speaking.joined(todo.tags)
        parts.append(f"is tagged {tags} now" if tags else "has no tags now")
    if "assignee" in arguments:
        parts.append(
            f"is assigned to {todo.assignee} now" if todo.assignee else "is assigned to nobody now"
        )
    if "list" in arguments:
        parts.append(f"is on the {todo.list.name} list now")
    return f"{before} {speaking.joined(parts)}"


def _due(actor: Actor, todo: Todo) -> str:
    return speaking.due_clause(todo, actor).removeprefix("is ")


def _completed(actor: Actor, found: Sequence[Todo]) -> Answer:
    made = todos.complete(actor, found)
    if made is None:
        return nothing("That is done already.")
    done = [todo for todo in found if todo.completed_at is not None]
    moved = [todo for todo in found if todo.completed_at is None]
    said = [f"Done: {speaking.titles(done)}."] if done else []
    said += [
        speaking.sentence(
            f"{todo.title} is done for this time and comes back"
            f" {speaking.on_when(speaking.due_text(todo, actor))}"
        )
        for todo in moved[: speaking.MOST_ITEMS]
    ]
    return Answer("ok", " ".join(said), made, todos=found)


def _perhaps_done(actor: Actor, which: str) -> Answer | None:
    done = select_todos(actor, which, "done")
    if done.kind != "one":
        return None
    return nothing(speaking.sentence(f"{done.todos[0].title} is done already"))


def _reopened(actor: Actor, found: Sequence[Todo]) -> Answer:
    made = todos.reopen(actor, found)
    verb = "is" if len(found) == 1 else "are"
    return Answer(
        "ok", speaking.sentence(f"{speaking.titles(found)} {verb} open again"), made, todos=found
    )
