"""Each system check, with a configuration that it must refuse and one that it must not."""

from __future__ import annotations

from typing import Any

import autobahn.websocket
import pytest
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.test import override_settings

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


def test_missing_native_code_for_sockets_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(autobahn.websocket, "USES_NVX", False)
    assert found() == {"convonet.W001"}


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
