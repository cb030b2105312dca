"""The page's requests about a person's choices: what is told, kept and refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
import redis as redis_library
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from voice import broker as broker_module
from voice import choice_views, keys
from voice.models import Business, CallPreferences
from voice.samples import FAILED, MOST_A_MINUTE

pytestmark = pytest.mark.django_db
ADDRESS, SAMPLE = "/preferences/", "/preferences/sample/"


@pytest.fixture(autouse=True)
def server(settings: Any) -> None:
    settings.LANGUAGE_MODELS = ["local"]
    settings.SYNTHESIZERS = ["pico"]
    settings.PREFER_LOCAL = False


@pytest.fixture
def anna() -> User:
    return User.objects.create_user("anna")


@pytest.fixture
def page(anna: User) -> Client:
    """Anna's page, as a browser sends its requests."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(anna)
    client.get("/")
    token = client.cookies["csrftoken"].value
    client.defaults["HTTP_X_CSRFTOKEN"] = token
    return client


@pytest.fixture
def ordered(
    redis: redis_library.Redis, broker: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> Any:
    """The voices that samples were ordered of, with a real broker behind the page."""
    settings.REDIS_URL = broker
    broker_module.broker.cache_clear()
    orders: list[str] = []
    monkeypatch.setattr(choice_views, "_order", orders.append)
    yield orders
    broker_module.broker.cache_clear()


def put(client: Client, body: Any) -> Any:
    return client.put(ADDRESS, json.dumps(body), content_type="application/json")


def listen(client: Client, voice: Any) -> Any:
    return client.post(SAMPLE, json.dumps({"voice": voice}), content_type="application/json")


def kept() -> list[tuple[str, str, str]]:
    rows = CallPreferences.objects.order_by("owner__username")
    return list(rows.values_list("owner__username", "language_model", "voice"))


def test_a_person_reads_what_there_is_and_what_holds_now(page: Client) -> None:
    told = page.get(ADDRESS).json()
    assert (told["language_model"], told["voice"], told["prefer_local"]) == ("", "", False)
    assert (told["language_models"]["left_to"], told["language_models"]["now"]) == (
        "the server",
        "Local commands",
    )
    first = told["language_models"]["options"][0]
    assert first == {"name": "local", "label": "Local commands", "reason": ""}
    assert told["voices"]["now"] == "Pico"
    assert {"name": "pico/de-DE", "label": "German"} in told["voices"]["groups"][0]["voices"]
    assert kept() == []


def test_a_member_reads_what_the_business_chose(page: Client, anna: User) -> None:
    Business.objects.create(name="Acme", voice="pico/en-GB").members.add(anna)
    told = page.get(ADDRESS).json()
    assert (told["voices"]["left_to"], told["voices"]["now"]) == ("Acme", "British English, Pico")
    assert told["language_models"]["left_to"] == "the server"


def test_a_choice_that_lost_its_effect_leaves_it_to_the_server_as_calls_do(
    page: Client, anna: User
) -> None:
    business = Business.objects.create(name="Acme", language_model="local", voice="pico/en-GB")
    business.members.add(anna)
    CallPreferences.objects.create(owner=anna, language_model="openai", voice="openai/alloy")
    told = page.get(ADDRESS).json()
    assert (told["language_model"], told["voice"]) == ("", "")
    left = (told["language_models"]["left_to"], told["voices"]["left_to"])
    assert left == ("the server", "the server")


def test_a_choice_is_kept_for_its_person_alone(page: Client) -> None:
    ben = User.objects.create_user("ben")
    CallPreferences.objects.create(owner=ben, voice="pico/fr-FR")
    assert put(page, {"language_model": "local"}).json()["language_model"] == "local"
    assert put(page, {"voice": "pico/de-DE"}).json()["voice"] == "pico/de-DE"
    assert kept() == [("anna", "local", "pico/de-DE"), ("ben", "", "pico/fr-FR")]
    assert put(page, {"language_model": "", "voice": ""}).status_code == 200
    assert kept()[0] == ("anna", "", "")


@pytest.mark.parametrize(
    "body",
    [
        {"language_model": "openai"},
        {"language_model": "workers.models_llm.local.LocalCommandModel"},
        {"language_model": 7},
        {"language_model": None},
        {"voice": "openai/alloy"},
        {"voice": "pico/"},
        {"voice": ["pico/de-DE"]},
        {"voice": "pico/de-DE", "language_model": "nobody"},
        {"voice": "pico/de-DE", "owner": 2},
        {},
        [],
        "local",
    ],
)
def test_what_is_not_offered_is_refused_in_one_sentence_and_nothing_is_kept(
    page: Client, body: Any
) -> None:
    answer = put(page, body)
    assert answer.status_code == 400
    assert answer.json()["error"].endswith(".")
    assert kept() == []


def test_strangers_and_pages_of_other_sites_are_refused(page: Client, anna: User) -> None:
    stranger = Client()
    assert stranger.get(ADDRESS).status_code == 403
    assert put(stranger, {"voice": "pico/de-DE"}).status_code == 403
    assert listen(stranger, "pico/de-DE").status_code == 403
    elsewhere = Client(enforce_csrf_checks=True)
    elsewhere.force_login(anna)
    assert put(elsewhere, {"voice": "pico/de-DE"}).status_code == 403
    assert listen(elsewhere, "pico/de-DE").status_code == 403
    assert kept() == []


def test_only_staff_are_told_what_is_missing_by_name(page: Client, anna: User) -> None:
    assert "LANGUAGE_MODEL" not in page.get(ADDRESS).content.decode()
    User.objects.filter(pk=anna.pk).update(is_staff=True)
    assert "LANGUAGE_MODEL" in page.get(ADDRESS).content.decode()


def test_a_voice_is_heard_once_it_has_been_made(
    page: Client, ordered: list[str], redis: redis_library.Redis
) -> None:
    assert listen(page, "pico/de-DE").status_code == 202
    redis.hset(keys.voice_sample("pico/de-DE"), "wav", b"RIFF")
    answer = listen(page, "pico/de-DE")
    assert (answer.status_code, answer.content) == (200, b"RIFF")
    assert answer.headers["Content-Type"] == "audio/wav"
    assert ordered == ["pico/de-DE"]


def test_without_a_choice_the_voice_that_speaks_then_is_heard(
    page: Client, ordered: list[str], anna: User
) -> None:
    listen(page, "")
    Business.objects.create(name="Acme", voice="pico/en-GB").members.add(anna)
    listen(page, "")
    assert ordered == ["pico/", "pico/en-GB"]


@pytest.mark.parametrize("voice", ["openai/alloy", "pico/xx", "../x", None, 7])
def test_no_sample_is_made_of_what_is_not_offered(
    page: Client, ordered: list[str], voice: Any
) -> None:
    assert listen(page, voice).status_code == 400
    assert ordered == []


def test_a_voice_that_did_not_speak_too_much_listening_and_a_lost_broker_are_told_apart(
    page: Client, ordered: list[str], redis: redis_library.Redis, anna: User, settings: Any
) -> None:
    redis.hset(keys.voice_sample("pico/de-DE"), "state", FAILED)
    assert listen(page, "pico/de-DE").status_code == 502
    redis.set(keys.samples_of(anna.pk), MOST_A_MINUTE)
    assert listen(page, "pico/de-DE").status_code == 429
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    broker_module.broker.cache_clear()
    answer = listen(page, "pico/de-DE")
    assert answer.status_code == 503
    assert answer.json()["error"].endswith(".")


def test_an_order_that_cannot_be_queued_is_told_and_forgotten(
    page: Client, ordered: list[str], redis: redis_library.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(voice: str) -> None:
        raise redis_library.ConnectionError("no queue")

    monkeypatch.setattr(choice_views, "_order", lost)
    assert listen(page, "pico/de-DE").status_code == 503
    assert redis.exists(keys.voice_sample("pico/de-DE")) == 0


def test_the_way_to_the_costs_is_shown_to_whom_may_read_them(page: Client, anna: User) -> None:
    link = f'href="{reverse("admin:voice_providers", urlconf="convonet.admin_urls")}"'
    assert link not in page.get("/").content.decode()
    User.objects.filter(pk=anna.pk).update(is_staff=True, is_superuser=True)
    assert link in page.get("/").content.decode()
