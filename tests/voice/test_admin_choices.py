"""An operator chooses for a business or a person, among what this server can do."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from voice.models import Business, CallPreferences
from voice.preferences import chosen

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def server(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.LANGUAGE_MODELS = ["openai", "anthropic"]
    settings.SYNTHESIZERS = ["openai", "elevenlabs", "pico"]
    monkeypatch.setenv("OPENAI_API_KEY", "x")
    for name in ("ANTHROPIC_API_KEY", "ELEVENLABS_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("convonet.providers.importlib.util.find_spec", lambda name: object())


@pytest.fixture
def anna() -> User:
    return User.objects.create_user("anna")


@pytest.fixture
def operator() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("operator"))
    return client


def offered(answer: Any, field: str) -> dict[str, str]:
    select = re.search(rf'<select name="{field}".*?</select>', answer.content.decode(), re.DOTALL)
    assert select is not None
    found = re.findall(r'<option value="([^"]*)"[^>]*>\s*(.*?)\s*</option>', select.group())
    return dict(found)


def test_what_the_server_can_do_is_offered_and_nothing_else(operator: Client) -> None:
    page = operator.get("/admin/voice/business/add/")
    models = offered(page, "language_model")
    lacking = models.pop("anthropic")
    assert models == {
        "": "Not chosen: the server&#x27;s default",
        "openai": "OpenAI",
        "local": "Local commands",
    }
    assert lacking.startswith("Anthropic Claude (not now: ")
    assert "ANTHROPIC_API_KEY" in lacking
    voices = offered(page, "voice")
    assert voices["openai/nova"] == "Nova, OpenAI voices"
    assert voices["pico/en-GB"] == "British English, Pico"
    assert not [key for key in voices if key.startswith(("elevenlabs", "deepgram", "piper"))]


def test_a_business_chooses_for_its_members(operator: Client, anna: User) -> None:
    fields = {"name": "Miller", "members": [anna.pk], "language_model": "openai"}
    answer = operator.post("/admin/voice/business/add/", fields | {"voice": "pico/en-GB"})
    assert answer.status_code == 302
    assert Business.objects.get().members.get() == anna
    found = chosen(anna.pk)
    assert (found.language_model, found.why, found.voice) == ("openai", "business", "pico/en-GB")
    listed = operator.get("/admin/voice/business/").content.decode()
    assert "British English, Pico" in listed


def test_a_persons_choice_comes_first_and_can_be_taken_back(operator: Client, anna: User) -> None:
    fields = {"owner": anna.pk, "language_model": "local", "voice": ""}
    assert operator.post("/admin/voice/callpreferences/add/", fields).status_code == 302
    assert (chosen(anna.pk).language_model, chosen(anna.pk).why) == ("local", "user")
    page = f"/admin/voice/callpreferences/{CallPreferences.objects.get().pk}/change/"
    assert operator.post(page, fields | {"language_model": ""}).status_code == 302
    assert chosen(anna.pk).language_model == ""


@pytest.mark.parametrize(
    "wrong", [{"language_model": "google"}, {"voice": "elevenlabs/x"}, {"voice": "nonsense"}]
)
def test_what_is_not_offered_is_refused(
    operator: Client, anna: User, wrong: dict[str, str]
) -> None:
    fields = {"owner": anna.pk, "language_model": "", "voice": ""} | wrong
    answer = operator.post("/admin/voice/callpreferences/add/", fields)
    assert answer.status_code == 200
    assert "is not one of the available choices" in answer.content.decode()
    assert not CallPreferences.objects.exists()


def test_an_earlier_choice_that_is_no_longer_offered_is_kept_until_changed(
    operator: Client, anna: User
) -> None:
    kept = CallPreferences.objects.create(owner=anna, language_model="google", voice="piper/joe")
    page = f"/admin/voice/callpreferences/{kept.pk}/change/"
    shown = operator.get(page)
    assert offered(shown, "language_model")["google"] == "google (no longer offered)"
    fields = {"owner": anna.pk, "language_model": "google", "voice": "openai/ash"}
    assert operator.post(page, fields).status_code == 302
    kept.refresh_from_db()
    assert (kept.language_model, kept.voice) == ("google", "openai/ash")


def test_only_staff_who_were_allowed_to_may_choose_for_others(anna: User) -> None:
    staff = User.objects.create_user("staff", is_staff=True)
    business = Business.objects.create(name="Miller", language_model="openai")
    page = f"/admin/voice/business/{business.pk}/change/"
    client = Client()
    client.force_login(staff)
    assert client.get(page).status_code == 403
    staff.user_permissions.add(Permission.objects.get(codename="view_business"))
    seen = client.get(page)
    assert seen.status_code == 200
    assert "<select" not in seen.content.decode()
    assert client.post(page, {"name": "Mine"}).status_code == 403
    business.refresh_from_db()
    assert business.name == "Miller"
