"""The admin: what operators see, what they may change, and that their edits can be undone."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from todo import changes, demo
from todo.actor import actor_for
from todo.models import Change, Reminder, Todo
from voice.models import Call, ToolCall, Turn

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator() -> User:
    return User.objects.create_superuser("operator")


@pytest.fixture
def admin_page(operator: User) -> Client:
    client = Client()
    client.force_login(operator)
    return client


@pytest.fixture
def turn(anna: User) -> Turn:
    call = Call.objects.create(user=anna)
    made = Turn.objects.create(
        call=call,
        number=1,
        state=Turn.State.INTERRUPTED,
        transcript="read <b>me</b> my list",
        reply="You have two todos: milk and bread.",
        heard="You have two",
        first_audio_ms=1400,
    )
    ToolCall.objects.create(
        turn=made,
        tool_call_id=str(uuid4()),
        name="find_todos",
        arguments={"when": "today"},
        result={"said": "You have two todos: milk and bread."},
        ok=True,
        started_at=timezone.now(),
        took_ms=7,
    )
    return made


@pytest.mark.parametrize(
    "path",
    [
        "",
        "voice/call/",
        "voice/turn/",
        "todo/todo/",
        "todo/todolist/",
        "todo/reminder/",
        "todo/change/",
        "auth/user/",
        "auth/group/",
    ],
)
def test_every_page_opens(admin_page: Client, turn: Turn, anna: User, path: str) -> None:
    demo.reset(anna, timezone.now())
    assert admin_page.get(f"/admin/{path}").status_code == 200


def test_a_turn_reads_as_a_timeline(admin_page: Client, turn: Turn) -> None:
    text = admin_page.get(f"/admin/voice/turn/{turn.pk}/change/").content.decode()
    places = [text.index(part) for part in ("read &lt;b&gt;me", "find_todos", "7 ms", "<del>")]
    assert places == sorted(places)
    assert "<del>todos: milk and bread.</del>" in text
    assert "1400 ms" in text
    assert "<b>me</b>" not in text


@pytest.mark.parametrize("method", ["add/", "{}/delete/"])
def test_what_happened_cannot_be_changed(admin_page: Client, turn: Turn, method: str) -> None:
    for path in (
        f"voice/turn/{method.format(turn.pk)}",
        f"voice/call/{method.format(turn.call_id)}",
    ):
        assert admin_page.post(f"/admin/{path}", {"post": "yes"}).status_code == 403
    sent = {"transcript": "something else"}
    assert admin_page.post(f"/admin/voice/turn/{turn.pk}/change/", sent).status_code == 403
    turn.refresh_from_db()
    assert turn.transcript == "read <b>me</b> my list"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("kind=interrupted", True),
        ("kind=slow", True),
        ("kind=failed", False),
        ("day=today", True),
        ("q=read", True),
        ("q=find_todos", True),
        ("q=nowhere", False),
        ("day=today&kind=failed", False),
    ],
)
def test_turns_are_filtered_as_operators_ask(
    admin_page: Client, turn: Turn, query: str, found: bool
) -> None:
    text = admin_page.get(f"/admin/voice/turn/?{query}").content.decode()
    assert (f"/admin/voice/turn/{turn.pk}/" in text) is found


@pytest.mark.parametrize(
    ("query", "found"),
    [("kind=slow", True), ("kind=failed", False), ("kind=live", True), ("day=today", True)],
)
def test_calls_are_filtered_by_what_their_turns_did(
    admin_page: Client, turn: Turn, query: str, found: bool
) -> None:
    text = admin_page.get(f"/admin/voice/call/?{query}").content.decode()
    assert (f"/admin/voice/call/{turn.call_id}/" in text) is found


def test_an_unknown_page_is_no_error(admin_page: Client) -> None:
    assert admin_page.get("/admin/voice/turn/not-an-id/change/").status_code == 302


def test_an_operators_edit_is_the_owners_undoable_change(admin_page: Client, anna: User) -> None:
    row = demo.reset(anna, timezone.now())[2]
    sent = {
        "list": row.list_id, "title": "buy white paint", "notes": "", "repeat": "",
        "due_has_time": "on", "priority": 2, "tags": "[]", "assignee": "",
    }  # fmt: skip
    assert admin_page.post(f"/admin/todo/todo/{row.pk}/change/", sent).status_code == 302
    row.refresh_from_db()
    assert row.title == "buy white paint"
    change = Change.objects.get()
    assert change.owner == anna
    changes.undo(actor_for(anna, timezone.now()), change)
    row.refresh_from_db()
    assert row.title == "buy paint"


def test_deleting_in_the_admin_can_be_undone(admin_page: Client, anna: User) -> None:
    row = demo.reset(anna, timezone.now())[2]
    admin_page.post(f"/admin/todo/todo/{row.pk}/delete/", {"post": "yes"})
    changes.undo(actor_for(anna, timezone.now()), Change.objects.get())
    assert Todo.objects.get(pk=row.pk).deleted_at is None


def test_a_todo_never_moves_to_another_persons_list(
    admin_page: Client, anna: User, ben: User
) -> None:
    row, theirs = demo.reset(anna, timezone.now())[2], demo.reset(ben, timezone.now())[0]
    sent = {
        "list": theirs.list_id, "title": "mine", "due_has_time": "on", "priority": 2,
        "tags": "[]", "repeat": "FREQ=NEVER",
    }  # fmt: skip
    page = admin_page.post(f"/admin/todo/todo/{row.pk}/change/", sent)
    assert "belongs to somebody else" in page.content.decode()
    assert "not an RRULE" in page.content.decode()
    assert not Change.objects.exists()


def test_a_reminder_made_in_the_admin_waits(admin_page: Client, anna: User) -> None:
    due = timezone.localtime() + timedelta(days=1)
    sent = {
        "owner": anna.pk, "text": "call Ben", "due_at_0": f"{due:%Y-%m-%d}",
        "due_at_1": f"{due:%H:%M}", "repeat": "",
    }  # fmt: skip
    assert admin_page.post("/admin/todo/reminder/add/", sent).status_code == 302
    assert Reminder.objects.get().state == Reminder.State.WAITING


def test_only_superusers_see_the_password_of_flower(admin_page: Client) -> None:
    assert settings.FLOWER_PASSWORD in admin_page.get("/admin/").content.decode()
    helper = User.objects.create_user("helper", is_staff=True)
    helper.user_permissions.add(Permission.objects.get(codename="view_call"))
    client = Client()
    client.force_login(helper)
    text = client.get("/admin/").content.decode()
    assert "Calls today" in text
    assert settings.FLOWER_PASSWORD not in text
    assert "Flower" not in text


def test_strangers_are_sent_to_the_login(anna: User) -> None:
    client = Client()
    client.force_login(anna)
    assert client.get("/admin/voice/call/").status_code == 302
