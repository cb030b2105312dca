"""System checks, each one sentence; an error stops the start instead of the first call."""

from __future__ import annotations

import importlib.util
import ipaddress
import os
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from convonet import env, providers
from convonet.providers import Provider
from phone.present import is_installed

TAG = "convonet"
# A secret with fewer characters than this can be guessed.
SECRET_LENGTH = 32


@register(TAG)
def fast_sockets(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if uses_native_sockets():
        return []
    return [
        Warning(
            "Autobahn runs without its native code, so a call's audio costs several times the CPU.",
            hint="Unset AUTOBAHN_USE_NVX, or install a wheel of autobahn that has NVX.",
            id="convonet.W001",
        )
    ]


@register(TAG)
def strong_secret(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """The tool server's token and Flower's password are derived from it."""
    if len(settings.SECRET_KEY) >= SECRET_LENGTH:
        return []
    return [
        Error(
            f"SECRET_KEY has fewer than {SECRET_LENGTH} characters, and every password between the "
            "processes is made from it.",
            hint="Unset it to have one made, or set a long random one.",
            id="convonet.E001",
        )
    ]


@register(TAG)
def published_without_debug(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if not (settings.PUBLIC_URL and settings.DEBUG):
        return []
    return [
        Error(
            "DEBUG is on while PUBLIC_URL is set: error pages would show settings to anyone.",
            hint="Unset one of them.",
            id="convonet.E002",
        )
    ]


@register(TAG)
def published_without_demo(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if not (settings.PUBLIC_URL and settings.EMBEDDED_LOGIN):
        return []
    return [
        Error(
            "CONVONET_EMBEDDED_LOGIN is on while PUBLIC_URL is set: visitors that a proxy on this "
            "machine brings could be let in without a password.",
            hint="Unset one of them.",
            id="convonet.E003",
        )
    ]


@register(TAG)
def broker_has_password(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    broker = urlsplit(settings.REDIS_URL)
    host = broker.hostname or ""
    if broker.scheme == "unix" or broker.password or _is_loopback(host):
        return []
    kind = Error if settings.PUBLIC_URL and not settings.PRIVATE_NETWORK else Warning
    return [
        kind(
            f"The broker at {host} has no password: who reaches it can run tasks and hear calls.",
            hint="Give it one and put it in REDIS_URL; or, where nobody else is on its network, "
            "set PRIVATE_NETWORK=yes.",
            id="convonet.E004",
        )
    ]


@register(TAG)
def hosts_are_named(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    public = urlsplit(settings.PUBLIC_URL)
    if settings.PUBLIC_URL and (public.scheme not in ("http", "https") or not public.hostname):
        return [
            Error(
                f"PUBLIC_URL must be a whole address such as https://talk.example.org, not "
                f"{settings.PUBLIC_URL!r}.",
                id="convonet.E005",
            )
        ]
    if "*" in settings.ALLOWED_HOSTS:
        return [
            Error(
                "ALLOWED_HOSTS is *, which lets other sites' pages speak as this one.",
                hint="Name the hosts this service is reached by.",
                id="convonet.E006",
            )
        ]
    if public.hostname and not _is_allowed(public.hostname, settings.ALLOWED_HOSTS):
        return [
            Error(
                f"PUBLIC_URL's host {public.hostname} is not in ALLOWED_HOSTS, so every page would "
                "be refused.",
                hint="Add it there.",
                id="convonet.E007",
            )
        ]
    return []


@register(TAG)
def providers_can_work(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Everything that is named to answer, hear or speak; not what could be named."""
    named = (
        ("LANGUAGE_MODEL", providers.LANGUAGE, settings.LANGUAGE_MODELS),
        ("TRANSCRIBER", providers.HEARING, settings.TRANSCRIBERS),
        ("SYNTHESIZER", providers.SPEAKING, settings.SYNTHESIZERS),
    )
    wrong = [_unable(*one) for one in named]
    return [Error(sentence, id="convonet.E008") for found in wrong for sentence in found]


@register(TAG)
def providers_have_addresses(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    wrong = [
        name
        for name in ("ANTHROPIC_URL", "GOOGLE_URL", "OPENAI_URL", "COMPATIBLE_URL")
        if (value := env.text(name)) and not _is_web_address(value)
    ]
    return [
        Error(
            f"{name} must be a whole address such as http://127.0.0.1:8080/v1.",
            id="convonet.E009",
        )
        for name in wrong
    ]


@register(TAG)
def telephone_can_work(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """What a phone call would be the first to find missing."""
    found: list[CheckMessage] = []
    if settings.TWILIO_AUTH_TOKEN and not _can_be_called(settings.PUBLIC_URL):
        found.append(
            Error(
                "TWILIO_AUTH_TOKEN is set, and PUBLIC_URL is no address that Twilio can reach: it "
                "must begin with https://.",
                hint="Set PUBLIC_URL to where this server is reached from outside.",
                id="convonet.E010",
            )
        )
    if settings.TWILIO_AUTH_TOKEN and not is_installed():
        found.append(
            Error(
                "TWILIO_AUTH_TOKEN is set, and the twilio package is not installed.",
                hint="Install it: LOCK=twilio make run.",
                id="convonet.E011",
            )
        )
    return found + _wrong_number()


def _can_be_called(url: str) -> bool:
    """A simulated telephone on this machine needs no certificate."""
    parts = urlsplit(url)
    plain = parts.scheme == "http" and bool(parts.hostname) and _is_loopback(parts.hostname or "")
    return plain or (parts.scheme == "https" and bool(parts.hostname))


def _wrong_number() -> list[CheckMessage]:
    number = settings.TWILIO_NUMBER
    if not number:
        return []
    if re.fullmatch(r"\+[1-9]\d{6,14}", number) is None:
        wrong = (
            f"TWILIO_NUMBER must be a number with its country, like +15551234567, not {number!r}."
        )
    elif not (settings.TWILIO_ACCOUNT_SID and settings.TWILIO_AUTH_TOKEN):
        wrong = "TWILIO_NUMBER is set without TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN."
    else:
        return []
    return [Error(wrong, id="convonet.E012")]


@register(TAG)
def realtime_has_a_key(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Also stops a value that is no setting, before the first call would meet it."""
    if settings.REALTIME != "openai":
        return []
    from voice.realtime import options

    wanted = options.from_environment()
    if wanted is None:
        wrong = "REALTIME is openai, and neither OPENAI_API_KEY nor OPENAI_REALTIME_API_KEY is set."
    elif urlsplit(wanted.url).scheme not in ("ws", "wss"):
        wrong = f"OPENAI_REALTIME_URL must begin with wss:// or ws://, not {wanted.url!r}."
    else:
        return []
    return [Error(wrong, id="convonet.E013")]


def _unable(variable: str, catalogue: dict[str, Provider], names: Sequence[str]) -> list[str]:
    """Why what is named there cannot work, one sentence each."""
    if not names:
        return [f"{variable} names nobody; leave it unset for the local one."]
    return [sentence for name in names if (sentence := _lacks(variable, catalogue, name))]


def _lacks(variable: str, catalogue: dict[str, Provider], name: str) -> str:
    provider = providers.named(catalogue, name)
    if provider is None:
        return f"{variable} names {name!r}, which is not one of {', '.join(catalogue)}."
    # Its first part alone: to look further would import it.
    if importlib.util.find_spec(provider.path.partition(".")[0]) is None:
        return f"{variable} names {name!r}, and there is no such module."
    return providers.missing(provider)


def _is_web_address(value: str) -> bool:
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def uses_native_sockets() -> bool:
    """What `autobahn.websocket.USES_NVX` will be, without the 10 MB that importing it takes."""
    refused = os.environ.get("AUTOBAHN_USE_NVX", "").strip().lower() in ("0", "no", "false")
    parts = ("_nvx_utf8validator", "_nvx_xormasker")
    return not refused and all(importlib.util.find_spec(part) for part in parts)


def _is_loopback(host: str) -> bool:
    if host in ("", "localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_allowed(host: str, allowed: Sequence[str]) -> bool:
    from django.http.request import validate_host

    return validate_host(host, list(allowed))
