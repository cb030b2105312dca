"""The list beside the conversation: read and edited by hand, own rows only."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.views.decorators.http import require_http_methods, require_POST

from todo import changes, dates, lists, reminders, todos
from todo.actor import Actor
from todo.errors import Refused
from todo.models import Change, Reminder, Todo
from todo.moments import read_due
from todo.requests import body, for_person
from todo.selecting import done_todos, numbers, open_todos, todos_by_id
from todo.shapes import list_shape, reminder_shape, todo_shape
from todo.tools.arguments import Arguments
from todo.tools.removing import undone_sentence

# Finished ones stay in sight for a day, so that a slip can be taken back.
SHOW_DONE_FOR = timedelta(hours=24)
_FIELDS = {"title", "notes", "due", "priority", "tags", "assignee", "list", "done"}


@require_http_methods(["GET", "POST"])
@for_person
def collection(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    return _add(request, actor) if request.method == "POST" else _all(actor)


@require_http_methods(["PATCH", "DELETE"])
@for_person
def one(request: HttpRequest, actor: Actor, pk: int) -> HttpResponseBase:
    with changes.exclusive(actor.user):
        found = todos_by_id(actor, [pk])
        if not found:
            raise Refused("There is no such todo.", status=404)
        if request.method == "DELETE":
            change = todos.delete(actor, found)
            return JsonResponse({"change": change.pk if change else None})
        _edit(actor, found[0], body(request))
        return JsonResponse(_shape(actor, found[0].pk))


@require_http_methods(["DELETE"])
@for_person
def reminder(request: HttpRequest, actor: Actor, pk: int) -> HttpResponseBase:
    with changes.exclusive(actor.user):
        found = _reminder(actor, pk)
        if found.state not in (Reminder.State.WAITING, Reminder.State.FIRED):
            raise Refused("That reminder is no longer waiting.", status=409)
        change = reminders.cancel(actor, [found])
        return JsonResponse({"change": change.pk if change else None})


@require_POST
@for_person
def told(request: HttpRequest, actor: Actor, pk: int) -> HttpResponseBase:
    reminders.told(_reminder(actor, pk), actor.now)
    return HttpResponse(status=204)


@require_POST
@for_person
def undo(request: HttpRequest, actor: Actor, pk: int) -> HttpResponseBase:
    change = Change.objects.filter(pk=pk, owner=actor.user).first()
    if change is None:
        raise Refused("There is no such change.", status=404)
    return JsonResponse({"summary": undone_sentence(changes.undo(actor, change))})


def _all(actor: Actor) -> JsonResponse:
    places = numbers(actor)
    recent = actor.now - SHOW_DONE_FOR
    done = [row for row in done_todos(actor) if row.completed_at and row.completed_at >= recent]
    waiting = Reminder.objects.filter(owner=actor.user, state=Reminder.State.WAITING)
    return JsonResponse(
        {
            "lists": [list_shape(row) for row in lists.lists_of(actor.user)],
            "todos": [
                todo_shape(row, actor, places.get(row.pk)) for row in open_todos(actor) + done
            ],
            "reminders": [reminder_shape(row, actor) for row in waiting],
        }
    )


def _add(request: HttpRequest, actor: Actor) -> JsonResponse:
    sent = Arguments(body(request))
    with changes.exclusive(actor.user):
        draft = _natural(actor, sent) if "text" in sent else _fields(actor, sent)
        made, _, _ = todos.add_todos(actor, [draft])
        return JsonResponse(_shape(actor, made[0].pk), status=201)


def _natural(actor: Actor, sent: Arguments) -> todos.Draft:
    """ "buy milk tomorrow at five": the date is cut out of the words."""
    text = sent.needed("text", "What shall I add?", 400)
    title, phrase = dates.cut(text, actor.local_now)
    if not phrase or not title.strip():
        return todos.Draft(title=text)
    due = read_due(actor, phrase)
    return todos.Draft(
        title=title.strip(), due_at=due.at, due_has_time=due.has_time, repeat=due.repeat
    )


def _fields(actor: Actor, sent: Arguments) -> todos.Draft:
    due = read_due(actor, sent.text("due")) if sent.text("due") else None
    return todos.Draft(
        title=sent.text("title", todos.TITLE_LENGTH),
        due_at=due.at if due else None,
        due_has_time=due.has_time if due else True,
        repeat=due.repeat if due else "",
        notes=sent.text("notes", todos.NOTES_LENGTH),
        priority=sent.priority() if sent.text("priority") else todos.Draft(title="").priority,
        tags=tuple(sent.texts("tags")),
        assignee=sent.text("assignee", todos.NAME_LENGTH),
        list=_list(actor, sent) if "list" in sent else None,
    )


def _edit(actor: Actor, todo: Todo, sent: dict[str, Any]) -> None:
    unknown = set(sent) - _FIELDS
    if unknown:
        raise Refused(f"A todo has no field {sorted(unknown)[0][:40]}.")
    values = _values(actor, todo, sent)
    if values:
        todos.change_todo(actor, todo, values)
    done = sent.get("done")
    if done is True and todo.completed_at is None:
        todos.complete(actor, [todo])
    elif done is False and todo.completed_at is not None:
        todos.reopen(actor, [todo])


def _values(actor: Actor, todo: Todo, sent: dict[str, Any]) -> dict[str, Any]:
    arguments = Arguments(sent)
    values: dict[str, Any] = {}
    if "title" in sent:
        values["title"] = todos.check_title(arguments.text("title", todos.TITLE_LENGTH))
    if "notes" in sent:
        values["notes"] = arguments.text("notes", todos.NOTES_LENGTH)
    if "due" in sent:
        values |= _due(actor, todo, arguments)
    if "priority" in sent:
        values["priority"] = arguments.priority()
    if "tags" in sent:
        values["tags"] = todos.check_tags(arguments.texts("tags"))
    if "assignee" in sent:
        values["assignee"] = arguments.text("assignee", todos.NAME_LENGTH)
    if "list" in sent:
        values["list"] = _list(actor, arguments)
    return values


def _due(actor: Actor, todo: Todo, arguments: Arguments) -> dict[str, Any]:
    words = arguments.text("due")
    if not words:
        return {"due_at": None, "due_has_time": True}
    due = read_due(actor, words, of=todo)
    moved: dict[str, Any] = {"due_at": due.at, "due_has_time": due.has_time}
    return moved | ({"repeat": due.repeat} if due.repeat else {})


def _list(actor: Actor, arguments: Arguments) -> Any:
    name = arguments.text("list", lists.NAME_LENGTH)
    found = lists.find_list(actor.user, name)
    if found is None:
        raise Refused(f"There is no list called {name}.")
    return found


def _reminder(actor: Actor, pk: int) -> Reminder:
    found = Reminder.objects.filter(pk=pk, owner=actor.user).first()
    if found is None:
        raise Refused("There is no such reminder.", status=404)
    return found


def _shape(actor: Actor, pk: int) -> dict[str, Any]:
    todo = todos_by_id(actor, [pk])[0]
    return todo_shape(todo, actor, numbers(actor).get(pk))
