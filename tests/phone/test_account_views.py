"""The page's requests about a person's telephone: what is told, kept and refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import reload
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import clear_url_caches

from phone import account_views, pins, tries
from phone.models import FailedTries, PhoneAccount

pytestmark = pytest.mark.django_db
ADDRESS, NUMBERS, PIN = "/phone/account/", "/phone/account/numbers/", "/phone/account/pin/"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def telephone(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The addresses as a server with a telephone has them."""
    import convonet.urls

    settings.TWILIO_AUTH_TOKEN = "secret"
    monkeypatch.setattr(pins, "ITERATIONS", 1000)
    reload(convonet.urls)
    clear_url_caches()
    yield
    settings.TWILIO_AUTH_TOKEN = ""
    reload(convonet.urls)
    clear_url_caches()


@pytest.fixture
def anna() -> User:
    return User.objects.create_user("anna")


@pytest.fixture
def page(anna: User) -> Client:
    """Anna's page, as a browser sends its requests."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(anna)
    client.get("/")
    client.defaults["HTTP_X_CSRFTOKEN"] = client.cookies["csrftoken"].value
    return client


def ask(client: Client, method: str, address: str, body: Any) -> Any:
    return client.generic(method, address, json.dumps(body), content_type="application/json")


def add(client: Client, number: Any) -> Any:
    return ask(client, "POST", NUMBERS, {"number": number})


def test_who_has_set_nothing_reads_that(page: Client) -> None:
    assert page.get(ADDRESS).json() == {
        "numbers": [],
        "has_pin": False,
        "rings": False,
        "can_ring": False,
        "recorded": "business",
    }
    assert not PhoneAccount.objects.exists()


@pytest.mark.parametrize(
    "written", ["+15551234567", "+1 (555) 123-4567", "001 555 123 4567", " +1.555.123.4567 "]
)
def test_a_number_is_kept_however_it_is_written(page: Client, written: str) -> None:
    assert add(page, written).json()["numbers"] == ["+15551234567"]
    assert add(page, "+15551234567").json()["numbers"] == ["+15551234567"]


@pytest.mark.parametrize(
    "written",
    ["", "555 1234", "+1", "+0123456789", "+1555123456789012", "call me", "+1555<b>", None, 7],
)
def test_what_is_no_number_is_refused_with_how_to_write_it(page: Client, written: Any) -> None:
    answer = add(page, written)
    assert (answer.status_code, answer.json()["error"]) == (400, account_views.NO_NUMBER)
    assert not page.get(ADDRESS).json()["numbers"]


def test_a_number_is_removed(page: Client) -> None:
    add(page, "+15551234567")
    add(page, "+4930123456")
    told = ask(page, "DELETE", NUMBERS, {"number": "+15551234567"}).json()
    assert told["numbers"] == ["+4930123456"]


def test_a_person_has_only_so_many_numbers(page: Client) -> None:
    for number in range(account_views.MOST_NUMBERS):
        assert add(page, f"+1555123000{number}").status_code == 200
    answer = add(page, "+15551239999")
    assert (answer.status_code, answer.json()["error"]) == (400, account_views.TOO_MANY)


def test_two_people_may_share_a_number_and_neither_learns_of_the_other(page: Client) -> None:
    ben = PhoneAccount.objects.create(owner=User.objects.create_user("ben"))
    ben.numbers.create(number="+15551234567")
    assert add(page, "+15551234567").json()["numbers"] == ["+15551234567"]
    ask(page, "DELETE", NUMBERS, {"number": "+15551234567"})
    assert ben.numbers.count() == 1


def test_a_pin_is_set_and_never_told(page: Client, anna: User) -> None:
    pin = "471183"  # long enough to be in no hash by chance
    answer = ask(page, "PUT", PIN, {"pin": pin})
    assert answer.json()["has_pin"] is True
    assert pin not in answer.content.decode()
    kept = PhoneAccount.objects.get(owner=anna)
    assert pin not in kept.pin
    assert pins.matches(pin, kept.pin)
    assert kept.pin_set_at is not None


def test_a_pin_is_forgotten(page: Client, anna: User) -> None:
    ask(page, "PUT", PIN, {"pin": "4711"})
    assert ask(page, "DELETE", PIN, {}).json()["has_pin"] is False
    kept = PhoneAccount.objects.get(owner=anna)
    assert (kept.pin, kept.pin_set_at) == ("", None)


@pytest.mark.parametrize("pin", ["", "123", "1234567", "12a4", 4711, None, ["4", "7"]])
def test_what_is_no_pin_is_refused(page: Client, pin: Any) -> None:
    answer = ask(page, "PUT", PIN, {"pin": pin})
    assert (answer.status_code, answer.json()["error"]) == (400, account_views.NO_PIN)
    assert not PhoneAccount.objects.exists()


@pytest.mark.parametrize("pin", ["0000", "1234", "654321"])
def test_what_everybody_tries_first_is_refused(page: Client, pin: str) -> None:
    answer = ask(page, "PUT", PIN, {"pin": pin})
    assert (answer.status_code, answer.json()["error"]) == (400, account_views.GUESSABLE)


def test_a_new_pin_lifts_the_lock_that_others_guesses_made(page: Client, anna: User) -> None:
    ask(page, "PUT", PIN, {"pin": "4711"})
    account = tries.of_account(PhoneAccount.objects.get(owner=anna).pk)
    for _ in range(tries.FREE_TRIES):
        tries.wrong(tries.begin("number:+4930123456", [account], NOW), NOW)
    ask(page, "PUT", PIN, {"pin": "4712"})
    assert list(FailedTries.objects.values_list("subject", flat=True)) == ["number:+4930123456"]
    tries.begin("number:+15551234567", [account], NOW)


def test_wishes_are_kept_for_their_person_alone(page: Client) -> None:
    ben = PhoneAccount.objects.create(owner=User.objects.create_user("ben"))
    told = ask(page, "PUT", ADDRESS, {"rings": True, "recorded": "never"}).json()
    assert (told["rings"], told["recorded"]) == (True, "never")
    ben.refresh_from_db()
    assert (ben.rings, ben.recorded) == (False, "business")


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"rings": "yes"},
        {"rings": 1},
        {"recorded": "sometimes"},
        {"recorded": None},
        {"pin": "x"},
        {"rings": True, "owner": 2},
    ],
)
def test_a_wish_that_is_none_is_refused(page: Client, body: Any) -> None:
    answer = ask(page, "PUT", ADDRESS, body)
    assert answer.status_code == 400
    assert answer.json()["error"].endswith(".")
    assert not PhoneAccount.objects.exists()


REQUESTS = [
    ("PUT", ADDRESS, {"rings": True}),
    ("POST", NUMBERS, {"number": "+15551234567"}),
    ("DELETE", NUMBERS, {"number": "+15551234567"}),
    ("PUT", PIN, {"pin": "4711"}),
    ("DELETE", PIN, {}),
]


@pytest.mark.parametrize(("method", "address", "body"), REQUESTS)
def test_strangers_and_pages_of_other_sites_are_refused(
    anna: User, method: str, address: str, body: Any
) -> None:
    stranger = Client()
    assert ask(stranger, method, address, body).status_code == 403
    elsewhere = Client(enforce_csrf_checks=True)
    elsewhere.force_login(anna)
    assert ask(elsewhere, method, address, body).status_code == 403
    assert stranger.get(ADDRESS).status_code == 403
    assert not PhoneAccount.objects.exists()


def test_the_settings_are_on_the_page_only_where_there_is_a_telephone(
    page: Client, settings: Any
) -> None:
    assert f'data-url="{ADDRESS}"' in page.get("/").content.decode()
    import convonet.urls

    settings.TWILIO_AUTH_TOKEN = ""
    reload(convonet.urls)
    clear_url_caches()
    assert "By telephone" not in page.get("/").content.decode()
    assert page.get(ADDRESS).status_code == 404
