"""The page's own requests: what they answer, and to whom they refuse."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from todo import demo, todos
from todo.actor import actor_for
from todo.models import Change, Reminder, Todo, TodoList

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(anna: User) -> Client:
    client = Client()
    client.force_login(anna)
    return client


def send(client: Client, method: str, path: str, **values: Any) -> Any:
    return client.generic(
        method, path, json.dumps(values), "application/json", headers={"X-Time-Zone": "Asia/Tokyo"}
    )


def test_natural_words_become_a_todo_in_the_browsers_zone(page: Client) -> None:
    response = send(page, "POST", "/todos/", text="buy milk tomorrow at five pm")
    assert response.status_code == 201
    made = response.json()
    assert (made["title"], made["due_text"], made["number"]) == ("buy milk", "tomorrow at 5 PM", 1)
    assert made["due"].endswith("17:00:00+09:00")


def test_a_title_that_is_a_date_stays_a_title(page: Client) -> None:
    assert send(page, "POST", "/todos/", text="tomorrow").json()["title"] == "tomorrow"


def test_the_list_has_open_ones_and_those_done_today(page: Client, anna: User) -> None:
    now = timezone.now()
    demo.reset(anna, now)
    Todo.objects.filter(title="tax return").update(completed_at=now - timedelta(hours=30))
    actor = actor_for(anna, now)
    todos.complete(actor, list(Todo.objects.filter(title="buy paint")))
    got = page.get("/todos/").json()
    assert [row["number"] for row in got["todos"]] == [1, 2, 3, 4, 5, 6, 7, 8, 9, None]
    assert got["todos"][-1]["title"] == "buy paint"
    assert got["lists"] == [{"id": TodoList.objects.get().pk, "name": "todo", "default": True}]


@pytest.mark.parametrize(
    ("sent", "field", "value"),
    [
        ({"title": "buy oat milk"}, "title", "buy oat milk"),
        ({"notes": "two bottles"}, "notes", "two bottles"),
        ({"due": "2027-01-31T10:30"}, "due", "2027-01-31T10:30:00+09:00"),
        ({"due": None}, "due", None),
        ({"priority": "urgent"}, "priority", "urgent"),
        ({"tags": ["home"]}, "tags", ["home"]),
        ({"assignee": "Ben"}, "assignee", "Ben"),
        ({"done": True}, "done", True),
    ],
)
def test_each_field_can_be_edited(
    page: Client, sent: dict[str, Any], field: str, value: Any
) -> None:
    made = send(page, "POST", "/todos/", text="buy milk tomorrow").json()
    assert send(page, "PATCH", f"/todos/{made['id']}/", **sent).json()[field] == value


def test_deleting_gives_the_change_that_undoes_it(page: Client) -> None:
    made = send(page, "POST", "/todos/", text="buy milk").json()
    change = send(page, "DELETE", f"/todos/{made['id']}/").json()["change"]
    assert page.get("/todos/").json()["todos"] == []
    undone = send(page, "POST", f"/changes/{change}/undo/")
    assert undone.json()["summary"] == "Undone: buy milk is back on your list."
    assert len(page.get("/todos/").json()["todos"]) == 1
    assert send(page, "POST", f"/changes/{change}/undo/").status_code == 409


def test_a_reminder_is_cancelled_or_told(page: Client, anna: User) -> None:
    due = timezone.now()
    waiting = Reminder.objects.create(owner=anna, text="a", due_at=due + timedelta(hours=1))
    fired = Reminder.objects.create(owner=anna, text="b", due_at=due, state="fired")
    assert send(page, "DELETE", f"/reminders/{waiting.pk}/").json()["change"]
    assert send(page, "DELETE", f"/reminders/{waiting.pk}/").status_code == 409
    assert send(page, "POST", f"/reminders/{fired.pk}/told/").status_code == 204
    fired.refresh_from_db()
    assert fired.state == Reminder.State.TOLD


@pytest.mark.parametrize(
    "sent",
    [
        {"text": ""},
        {"text": "x" * 500},
        {"title": "x" * 201},
        {"title": "milk", "due": "gibberish"},
        {"title": "milk", "list": "nowhere"},
        {"title": "milk", "tags": [{}]},
    ],
)
def test_bad_fields_are_400_with_a_sentence(page: Client, sent: dict[str, Any]) -> None:
    response = send(page, "POST", "/todos/", **sent)
    assert response.status_code == 400
    assert response.json()["error"][-1] in ".?"
    assert not Todo.objects.exists()


@pytest.mark.parametrize("sent", ["", "[]", "{", "nul", '"milk"'])
def test_what_is_not_a_json_object_is_400(page: Client, sent: str) -> None:
    response = page.post("/todos/", sent, content_type="application/json")
    assert (response.status_code, "error" in response.json()) == (400, True)


def test_an_unknown_field_is_refused(page: Client) -> None:
    made = send(page, "POST", "/todos/", text="buy milk").json()
    assert send(page, "PATCH", f"/todos/{made['id']}/", owner=2).status_code == 400


def test_strangers_are_refused() -> None:
    for method, path in [("GET", "/todos/"), ("POST", "/todos/"), ("DELETE", "/todos/1/")]:
        response = send(Client(), method, path, text="milk")
        assert response.status_code == 403
        assert response.json()["error"]


def test_a_change_needs_the_csrf_token(anna: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(anna)
    assert send(client, "POST", "/todos/", text="milk").status_code == 403
    assert not Todo.objects.exists()


def test_another_persons_rows_are_not_there(page: Client, ben: User) -> None:
    demo.reset(ben, timezone.now())
    theirs = Todo.objects.filter(owner=ben).first()
    reminder = Reminder.objects.create(owner=ben, text="x", due_at=timezone.now(), state="fired")
    change = todos.delete(
        actor_for(ben, timezone.now()), list(Todo.objects.filter(title="buy paint"))
    )
    assert theirs is not None
    assert change is not None
    before = list(Todo.objects.values())
    for method, path in [
        ("PATCH", f"/todos/{theirs.pk}/"),
        ("DELETE", f"/todos/{theirs.pk}/"),
        ("DELETE", f"/reminders/{reminder.pk}/"),
        ("POST", f"/reminders/{reminder.pk}/told/"),
        ("POST", f"/changes/{change.pk}/undo/"),
    ]:
        assert send(page, method, path, title="mine").status_code == 404, path
    assert page.get("/todos/").json()["todos"] == []
    assert list(Todo.objects.values()) == before
    assert Change.objects.get(pk=change.pk).undone_at is None
    assert Reminder.objects.get().state == "fired"
