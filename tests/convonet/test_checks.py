"""Each system check, with a configuration that it must refuse and one that it must not."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.test import override_settings

from convonet.checks import uses_native_sockets

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


@pytest.mark.django_db
def test_refused_configuration_stops_the_start_with_its_sentence() -> None:
    with (
        override_settings(**PUBLIC | {"DEBUG": True}),
        pytest.raises(CommandError, match="DEBUG is on while PUBLIC_URL is set"),
    ):
        call_command("prepare")
