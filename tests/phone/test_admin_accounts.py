"""Operators see who calls from where and who is locked out, and never a PIN."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from convonet.far_end import names
from phone import pins, tries
from phone.models import FailedTries, PhoneAccount
from tests.phone import known

pytestmark = pytest.mark.django_db
ACCOUNTS, TRIES = "/admin/phone/phoneaccount/", "/admin/phone/failedtries/"


@pytest.fixture(autouse=True)
def anna(monkeypatch: pytest.MonkeyPatch) -> PhoneAccount:
    monkeypatch.setattr(pins, "ITERATIONS", 1000)
    tries._remembered.clear()
    return known.person("anna", "4711")


@pytest.fixture
def operator() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("operator"))
    return client


def lock(account: PhoneAccount) -> str:
    now, subject = timezone.now(), tries.of_account(account.pk)
    for _ in range(tries.FREE_TRIES):
        tries.begin("number:+4930123456", [subject], now)
    return subject


def act(operator: Client, action: str, account: PhoneAccount) -> Any:
    form = {"action": action, "_selected_action": str(account.pk)}
    return operator.post(ACCOUNTS, form, follow=True)


def test_the_pages_show_numbers_and_locks_and_no_pin(operator: Client, anna: PhoneAccount) -> None:
    lock(anna)
    for address in (ACCOUNTS, f"{ACCOUNTS}{anna.pk}/change/", TRIES):
        shown = operator.get(address).content.decode()
        assert anna.pin not in shown
        assert "pbkdf2" not in shown
    assert names.CALLER in operator.get(ACCOUNTS).content.decode()
    assert "locked until" in operator.get(TRIES).content.decode()


def test_a_pin_is_forgotten_and_a_lock_lifted(operator: Client, anna: PhoneAccount) -> None:
    subject = lock(anna)
    assert "can try again" in act(operator, "unlock", anna).content.decode()
    assert not FailedTries.objects.filter(subject=subject).exists()
    act(operator, "forget_pin", anna)
    anna.refresh_from_db()
    assert (anna.pin, anna.pin_set_at) == ("", None)


def test_a_pin_cannot_be_set_here(operator: Client, anna: PhoneAccount) -> None:
    form = {
        "owner": str(anna.owner_id),
        "recorded": "never",
        "pin": pins.hashed("0815"),
        "numbers-TOTAL_FORMS": "0",
        "numbers-INITIAL_FORMS": "0",
    }
    assert operator.post(f"{ACCOUNTS}{anna.pk}/change/", form).status_code == 302
    anna.refresh_from_db()
    assert anna.recorded == "never"
    assert pins.matches("4711", anna.pin)


def test_staff_without_the_right_see_nothing() -> None:
    client = Client()
    client.force_login(User.objects.create_user("staff", is_staff=True))
    assert client.get(ACCOUNTS).status_code == 403
    assert client.get(TRIES).status_code == 403
