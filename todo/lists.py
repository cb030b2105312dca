"""A person's lists: made, found by words, deleted with what is on them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from todo import changes
from todo.actor import Actor
from todo.errors import Refused
from todo.matching import Candidate, match
from todo.models import Change, Reminder, Todo, TodoList

if TYPE_CHECKING:
    from django.contrib.auth.models import User

DEFAULT_NAME = "todo"
NAME_LENGTH = 80
MOST_LISTS = 100
_DEFAULT_WORDS = {"", "my", "todo", "to do", "to-do", "default", "main", "todos", "usual", "normal"}


def default_list(user: User) -> TodoList:
    made, _ = TodoList.objects.get_or_create(
        owner=user, is_default=True, defaults={"name": DEFAULT_NAME}
    )
    return made


def lists_of(user: User) -> list[TodoList]:
    default_list(user)
    return list(TodoList.objects.filter(owner=user))


def bare_name(text: str) -> str:
    """ "groceries" of "the groceries list"."""
    name = re.sub(r"\s+", " ", text.strip(" .,!?\"'"))
    name = re.sub(r"^(?:the|my|a|an|our)\s+(?=\S)", "", name, flags=re.IGNORECASE)
    return re.sub(r"(?<=\S)\s+list$", "", name, flags=re.IGNORECASE)


def find_list(user: User, text: str) -> TodoList | None:
    """The list these words surely name, or None."""
    name = bare_name(text)
    found = lists_of(user)
    for one in found:
        if one.name.lower() == name.lower():
            return one
    if name.lower() in _DEFAULT_WORDS or name.lower() == "list":
        return default_list(user)
    best = match(name, [Candidate(one.pk, one.name) for one in found])
    return next(one for one in found if one.pk == best.ids[0]) if best.kind == "one" else None


def create_list(actor: Actor, text: str) -> tuple[TodoList, Change | None]:
    """Raises Refused for a name that is taken, missing or too long."""
    name = bare_name(text)
    check_name(actor, name)
    with changes.recording(actor) as recording:
        made = add_list(recording, name)
        return made, recording.finish(f"new list: {name}")


def add_list(recording: changes.Recording, name: str) -> TodoList:
    default_list(recording.actor.user)
    made = TodoList(owner=recording.actor.user, name=name)
    recording.create(made)
    return made


def check_name(actor: Actor, name: str) -> None:
    if not name:
        raise Refused("What shall the list be called?")
    if len(name) > NAME_LENGTH:
        raise Refused(f"A list's name can have {NAME_LENGTH} characters at most.")
    found = lists_of(actor.user)
    if any(one.name.lower() == name.lower() for one in found):
        raise Refused(f"You already have a list called {name}.", status=409)
    if len(found) >= MOST_LISTS:
        raise Refused(f"You have {MOST_LISTS} lists already, which is the most there can be.")


def delete_list(actor: Actor, one: TodoList) -> Change | None:
    """Deletes the list and the open todos on it; finished ones move to the default list."""
    if one.is_default:
        raise Refused("That is your main list, which always stays.", status=409)
    default = default_list(actor.user)
    with changes.recording(actor) as recording:
        for todo in one.todos.all():
            gone = todo.deleted_at or (None if todo.completed_at else actor.now)
            recording.edit(todo, list=default, deleted_at=gone)
            if gone:
                silence(recording, todo)
        name = one.name
        recording.remove(one)
        return recording.finish(f"deleted list: {name}")


def silence(recording: changes.Recording, todo: Todo) -> None:
    """Cancel the reminders that wait for a todo that is done or gone."""
    for reminder in todo.reminders.filter(state=Reminder.State.WAITING):
        recording.edit(reminder, state=Reminder.State.CANCELLED)
