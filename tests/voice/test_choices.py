"""What a person may choose: who answers, in which voice, and what holds without a choice."""

from __future__ import annotations

from typing import Any

import pytest

from convonet import providers
from convonet.providers import Provider
from voice import choices
from voice.models import Business, CallPreferences

KEYS = ("PAID_KEY", "OPENAI_API_KEY", "DEEPGRAM_API_KEY", "ELEVENLABS_API_KEY")


@pytest.fixture(autouse=True)
def server(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """Offers a paid model and the local one, OpenAI's voices and the local one; has no key."""
    paid = Provider("paid", "Paid model", "no.where.make", "PAID_KEY")
    monkeypatch.setitem(providers.LANGUAGE, "paid", paid)
    for name in KEYS:
        monkeypatch.delenv(name, raising=False)
    settings.LANGUAGE_MODELS = ["paid", "local"]
    settings.SYNTHESIZERS = ["openai", "pico"]


@pytest.fixture
def keys_are_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in KEYS:
        monkeypatch.setenv(name, "k")


def reasons(*, staff: bool = False) -> dict[str, str]:
    return {option.name: option.reason for option in choices.answerers(staff=staff)}


def test_what_the_server_offers_comes_first_and_the_rest_says_why_not() -> None:
    listed = [option.name for option in choices.answerers(staff=False)]
    assert listed[:2] == ["paid", "local"]
    assert set(listed) == set(providers.LANGUAGE)
    assert [name for name, reason in reasons().items() if not reason] == ["local"]


def test_only_staff_read_the_names_of_variables() -> None:
    assert reasons()["paid"] == choices.NOT_SET_UP
    assert reasons(staff=True)["paid"] == "Needs PAID_KEY."
    assert reasons()["anthropic"] == choices.NOT_SET_UP
    assert "LANGUAGE_MODEL" in reasons(staff=True)["anthropic"]
    spoken = {group.provider: group.reason for group in choices.voice_groups(staff=True)}
    assert spoken == {"openai": "Needs OPENAI_API_KEY.", "pico": ""}
    assert choices.voice_groups(staff=False)[0].reason == choices.NOT_SET_UP


def test_the_local_one_may_always_answer(settings: Any) -> None:
    settings.LANGUAGE_MODELS = ["paid"]
    assert choices.may_answer("local")


@pytest.mark.usefixtures("keys_are_set")
def test_a_key_alone_offers_nothing_that_the_server_does_not_name() -> None:
    assert choices.may_answer("paid")
    assert not choices.may_answer("openai")
    assert not choices.may_answer("")
    assert choices.may_speak("openai/alloy")
    assert not choices.may_speak("elevenlabs/JBFqnCBsd6RMkjVDRZzb")
    assert not choices.may_speak("openai/")


def test_without_a_key_neither_the_model_nor_its_voices_may_be_chosen() -> None:
    assert not choices.may_answer("paid")
    assert not choices.may_speak("openai/alloy")
    assert choices.may_speak("pico/de-DE")


def test_without_a_choice_the_servers_first_that_can_work_answers() -> None:
    assert choices.answer_left(None) == choices.Left("the server", "local", "Local commands")
    assert choices.voice_left(None) == choices.Left("the server", "pico/", "Pico")


def test_a_providers_dotted_path_is_told_by_its_last_name(settings: Any) -> None:
    settings.LANGUAGE_MODELS = ["workers.models_llm.local.LocalCommandModel"]
    assert choices.answer_left(None).label == "LocalCommandModel"


@pytest.mark.usefixtures("keys_are_set")
def test_a_business_chooses_for_its_members() -> None:
    acme = Business(name="Acme", language_model="paid", voice="openai/alloy")
    assert choices.answer_left(acme) == choices.Left("Acme", "paid", "Paid model")
    assert choices.voice_left(acme) == choices.Left("Acme", "openai/alloy", "Alloy, OpenAI voices")


def test_a_business_that_chose_what_cannot_work_leaves_it_to_the_server() -> None:
    acme = Business(name="Acme", language_model="paid", voice="openai/alloy")
    assert choices.answer_left(acme).to == "the server"
    assert choices.voice_left(acme).to == "the server"


def test_a_choice_that_is_no_longer_offered_has_no_effect() -> None:
    assert choices.effective(CallPreferences()) == ("", "")
    old = CallPreferences(language_model="paid", voice="openai/alloy")
    assert choices.effective(old) == ("", "")
    new = CallPreferences(language_model="local", voice="pico/en-GB")
    assert choices.effective(new) == ("local", "pico/en-GB")
