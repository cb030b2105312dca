"""Each system check, with a configuration that it must refuse and one that it must not."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from typing import Any

import pytest
from django.core.checks import WARNING, run_checks
from django.core.management import CommandError, call_command
from django.test import override_settings

from convonet.checks import uses_native_sockets
from convonet.providers import HEARING, LANGUAGE, SPEAKING

PUBLIC = {
    "PUBLIC_URL": "https://talk.example.org",
    "EMBEDDED_LOGIN": False,
    "ALLOWED_HOSTS": ["talk.example.org"],
}


def found(**settings: Any) -> set[str]:
    with override_settings(**settings):
        return {str(message.id) for message in run_checks(tags=["convonet"])}


def test_embedded_default_passes_every_check() -> None:
    assert found() == set()


def test_published_service_with_its_own_host_passes_every_check() -> None:
    assert found(**PUBLIC) == set()


def test_sockets_without_native_code_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOBAHN_USE_NVX", "0")
    assert found() == {"convonet.W001"}


@pytest.mark.parametrize("wish", ["", "0", "no"])
def test_native_code_is_in_use_when_autobahn_says_so(
    wish: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOBAHN_USE_NVX", wish)
    asked = [sys.executable, "-c", "from autobahn.websocket import USES_NVX as u; print(u)"]
    said = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    assert said.strip() == str(uses_native_sockets())


def told(**settings: Any) -> list[str]:
    with override_settings(**settings):
        return [str(message.msg) for message in run_checks(tags=["convonet"])]


@pytest.mark.parametrize(
    ("setting", "names", "sentence"),
    [
        ("LANGUAGE_MODELS", [], "LANGUAGE_MODEL names nobody; leave it unset for the local one."),
        (
            "LANGUAGE_MODELS",
            ["local", "cluade"],
            "LANGUAGE_MODEL names 'cluade', which is not one of local, anthropic, google, openai, "
            "compatible.",
        ),
        (
            "SYNTHESIZERS",
            ["gone.by.Voice"],
            "SYNTHESIZER names 'gone.by.Voice', and there is no such module.",
        ),
        ("LANGUAGE_MODELS", ["anthropic"], "Anthropic Claude needs ANTHROPIC_API_KEY."),
        ("LANGUAGE_MODELS", ["compatible"], "Own server needs COMPATIBLE_URL."),
        ("TRANSCRIBERS", ["local", "deepgram"], "Deepgram needs DEEPGRAM_API_KEY."),
        ("SYNTHESIZERS", ["elevenlabs"], "ElevenLabs needs ELEVENLABS_API_KEY."),
    ],
)
def test_a_provider_that_cannot_work_is_one_sentence(
    setting: str, names: list[str], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for provider in [*LANGUAGE.values(), *HEARING.values(), *SPEAKING.values()]:
        monkeypatch.delenv(provider.key or "NO_KEY", raising=False)
    assert told(**{setting: names}) == [sentence]


def test_a_provider_that_is_not_installed_is_told_with_what_brings_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", "k")
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *rest: None if name == "langchain_google_genai" else find(name, *rest),
    )
    sentence = "Google Gemini is not installed; start with LOCK=google."
    assert told(LANGUAGE_MODELS=["local", "google"]) == [sentence]


def test_providers_with_their_keys_and_dotted_paths_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "DEEPGRAM_API_KEY"):
        monkeypatch.setenv(name, "k")
    monkeypatch.setenv("COMPATIBLE_URL", "http://127.0.0.1:8080/v1")
    named = {
        "LANGUAGE_MODELS": ["anthropic", "compatible", "tests.workers.scripted_model.X", "local"],
        "TRANSCRIBERS": ["deepgram", "local"],
        "SYNTHESIZERS": ["openai", "pico"],
    }
    assert told(**named) == []


def test_a_provider_that_nobody_named_may_lack_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    assert told() == []


@pytest.mark.parametrize("value", ["localhost:8080", "127.0.0.1:8080/v1", "ftp://x/v1", "http://"])
def test_an_address_that_is_none_is_one_sentence(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMPATIBLE_URL", value)
    (sentence,) = told()
    assert sentence.startswith("COMPATIBLE_URL must be a whole address")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"SECRET_KEY": "short"}, "convonet.E001"),
        (PUBLIC | {"DEBUG": True}, "convonet.E002"),
        (PUBLIC | {"EMBEDDED_LOGIN": True}, "convonet.E003"),
        (PUBLIC | {"REDIS_URL": "redis://broker.example.org:6379/0"}, "convonet.E004"),
        (PUBLIC | {"PUBLIC_URL": "talk.example.org"}, "convonet.E005"),
        (PUBLIC | {"ALLOWED_HOSTS": ["*"]}, "convonet.E006"),
        (PUBLIC | {"ALLOWED_HOSTS": ["other.example.org"]}, "convonet.E007"),
    ],
)
def test_unsafe_configuration_is_refused(settings: dict[str, Any], expected: str) -> None:
    assert found(**settings) == {expected}


@pytest.mark.parametrize(
    "url",
    [
        "redis://:secret@broker.example.org:6379/0",
        "redis://127.0.0.1:6379/0",
        "redis://localhost/0",
        "redis://[::1]:6379/0",
        "unix:///run/valkey.sock",
    ],
)
def test_broker_with_a_password_or_on_this_machine_is_accepted(url: str) -> None:
    assert found(**PUBLIC, REDIS_URL=url) == set()


def test_a_broker_without_a_password_is_said_and_let_pass_on_a_private_network() -> None:
    more = {"REDIS_URL": "redis://red-abc:6379/0", "PRIVATE_NETWORK": True}
    with override_settings(**PUBLIC | more):
        (message,) = run_checks(tags=["convonet"])
    assert message.level == WARNING
    assert "has no password" in message.msg


@pytest.mark.django_db
def test_refused_configuration_stops_the_start_with_its_sentence() -> None:
    with (
        override_settings(**PUBLIC | {"DEBUG": True}),
        pytest.raises(CommandError, match="DEBUG is on while PUBLIC_URL is set"),
    ):
        call_command("prepare")


PHONE = {**PUBLIC, "TWILIO_AUTH_TOKEN": "token", "TWILIO_ACCOUNT_SID": "AC1"}


def test_a_service_with_a_telephone_passes_every_check() -> None:
    assert found(**PHONE, TWILIO_NUMBER="+15551234567") == set()


@pytest.mark.parametrize("url", ["", "http://talk.example.org", "talk.example.org"])
def test_telephone_that_twilio_cannot_reach_is_refused(url: str) -> None:
    assert "convonet.E010" in found(**{**PHONE, "PUBLIC_URL": url})


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000", "http://localhost:8000"])
def test_telephone_of_this_machine_alone_needs_no_certificate(url: str) -> None:
    assert found(**{**PHONE, "PUBLIC_URL": url, "ALLOWED_HOSTS": ["127.0.0.1", "localhost"]}) == (
        set()
    )


def test_telephone_without_its_package_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convonet.checks.is_installed", lambda: False)
    assert found(**PHONE) == {"convonet.E011"}
    assert found() == set()


@pytest.mark.parametrize("number", ["5551234567", "+1 555 123 4567", "+0123456789", "sip:a@b.c"])
def test_number_to_call_from_that_is_none_is_refused(number: str) -> None:
    assert found(**PHONE, TWILIO_NUMBER=number) == {"convonet.E012"}


def test_number_to_call_from_without_an_account_is_refused() -> None:
    assert found(**PUBLIC, TWILIO_NUMBER="+15551234567") == {"convonet.E012"}


@pytest.mark.parametrize("variable", ["OPENAI_API_KEY", "OPENAI_REALTIME_API_KEY"])
def test_a_speech_to_speech_model_with_a_key_passes_every_check(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "k")
    assert found(REALTIME="openai") == set()


def test_a_speech_to_speech_model_without_a_key_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_REALTIME_API_KEY", raising=False)
    assert found(REALTIME="openai") == {"convonet.E013"}


def test_a_speech_to_speech_model_at_no_socket_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    monkeypatch.setenv("OPENAI_REALTIME_URL", "https://api.openai.com/v1/realtime")
    assert found(REALTIME="openai") == {"convonet.E013"}
