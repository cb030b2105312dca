"""create_list, delete_list and show_lists."""

from __future__ import annotations

from typing import Any

from todo import lists, questions, speaking
from todo.actor import Actor
from todo.models import TodoList
from todo.shapes import list_shape
from todo.tools.answers import Answer, Asked, nothing
from todo.tools.arguments import Arguments


def create(actor: Actor, arguments: Arguments) -> Answer:
    name = arguments.needed("name", "What shall the list be called?", lists.NAME_LENGTH + 20)
    made, change = lists.create_list(actor, name)
    return Answer("ok", f"Created the list {made.name}.", change, lists=_shapes(actor))


def delete(actor: Actor, arguments: Arguments) -> Answer:
    name = arguments.needed("name", "Which list shall I delete?", lists.NAME_LENGTH + 20)
    found = lists.find_list(actor.user, name)
    if found is None:
        return nothing(f"There is no list called {lists.bare_name(name)}.")
    waiting = _open_on(found)
    if not waiting or found.is_default:
        return _deleted(actor, found)
    count = speaking.counted(waiting, "open todo")
    said = f"The list {found.name} has {count}, which would go too. Shall I delete it?"
    row = questions.ask(actor, "delete_list", "confirm", said, [found.pk], arguments.values)
    return Answer("ask", said, question=Asked(row, "confirm", []))


def resume_delete(actor: Actor, ids: list[int], values: dict[str, Any]) -> Answer:
    found = TodoList.objects.filter(owner=actor.user, pk__in=ids).first()
    return _deleted(actor, found) if found else nothing("That list is gone already.")


def show(actor: Actor, arguments: Arguments) -> Answer:
    found = lists.lists_of(actor.user)
    items = [f"{one.name} with {speaking.number(_open_on(one))} open" for one in found]
    if len(found) == 1:
        said = f"You have one list: {items[0]}."
    else:
        said = f"You have {speaking.counted(len(found), 'list')}: {speaking.some(items)}."
    return Answer("ok", said, lists=_shapes(actor))


def _deleted(actor: Actor, found: TodoList) -> Answer:
    name = found.name
    change = lists.delete_list(actor, found)
    said = f"Deleted the list {name}. Say undo to bring it back."
    return Answer("ok", said, change, lists=_shapes(actor))


def _open_on(one: TodoList) -> int:
    return one.todos.filter(deleted_at=None, completed_at=None).count()


def _shapes(actor: Actor) -> list[dict[str, Any]]:
    return [list_shape(one) for one in lists.lists_of(actor.user)]
