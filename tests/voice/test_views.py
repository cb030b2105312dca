"""The page's address, call tickets and spoken reminders: who gets what."""

from __future__ import annotations

from typing import Any

import pytest
import redis as redis_library
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from todo.models import Reminder
from voice import broker as broker_module
from voice import keys

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna() -> User:
    return User.objects.create_user("anna", password="a-long-password")


@pytest.fixture
def client_of_anna(anna: User) -> Client:
    client = Client(enforce_csrf_checks=True)
    client.force_login(anna)
    return client


@pytest.fixture
def reminder(anna: User) -> Reminder:
    return Reminder.objects.create(owner=anna, text="call Ben", due_at=timezone.now())


@pytest.fixture
def broker_of_views(redis: redis_library.Redis, broker: str, settings: Any) -> Any:
    settings.REDIS_URL = broker
    broker_module.broker.cache_clear()
    yield redis
    broker_module.broker.cache_clear()


def speech(client: Client, reminder: Reminder) -> Any:
    return client.get(f"/reminders/{reminder.pk}/speech.wav")


def test_the_page_sends_strangers_to_sign_in_and_forbids_foreign_code(
    client_of_anna: Client, settings: Any
) -> None:
    settings.EMBEDDED_LOGIN = False
    assert Client().get("/").headers["Location"] == "/login/?next=/"
    answer = client_of_anna.get("/", headers={"host": "localhost:8000"})
    policy = answer.headers["Content-Security-Policy"]
    assert "connect-src 'self' ws://localhost:8000 wss://localhost:8000;" in policy
    assert "unsafe" not in policy
    assert "<script>" not in answer.content.decode()


@pytest.mark.parametrize(("embedded", "told"), [(True, True), (False, False)])
def test_the_demo_user_of_this_machine_is_told_so(
    settings: Any, *, embedded: bool, told: bool
) -> None:
    settings.EMBEDDED_LOGIN = embedded
    client = Client()
    client.force_login(User.objects.create_user(settings.DEMO_USERNAME))
    assert ("signed in as the demo user" in client.get("/").content.decode()) is told


def test_a_ticket_is_given_to_a_signed_in_page_alone(client_of_anna: Client) -> None:
    assert Client().post("/call/ticket").status_code == 403
    assert client_of_anna.post("/call/ticket").status_code == 403
    client_of_anna.get("/")
    token = client_of_anna.cookies["csrftoken"].value
    answer = client_of_anna.post("/call/ticket", headers={"x-csrftoken": token})
    assert answer.json()["expires_seconds"] == 60
    assert answer.json()["ticket"]
    assert client_of_anna.get("/call/ticket").status_code == 405


def test_a_reminder_is_heard_by_its_owner_alone(
    client_of_anna: Client, reminder: Reminder, broker_of_views: Any
) -> None:
    broker_of_views.set(keys.reminder_audio(reminder.pk), b"RIFF", ex=60)
    answer = speech(client_of_anna, reminder)
    assert (answer.content, answer.headers["Content-Type"]) == (b"RIFF", "audio/wav")
    stranger = Client()
    stranger.force_login(User.objects.create_user("ben"))
    assert speech(stranger, reminder).status_code == 404
    assert speech(Client(), reminder).status_code == 404


def test_a_reminder_without_sound_and_a_broker_away_are_told_apart(
    client_of_anna: Client, reminder: Reminder, broker_of_views: Any, settings: Any
) -> None:
    assert speech(client_of_anna, reminder).status_code == 404
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    broker_module.broker.cache_clear()
    answer = speech(client_of_anna, reminder)
    assert answer.status_code == 503
    assert answer.json()["error"].endswith(".")
