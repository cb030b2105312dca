"""What a question is said to have cost, and how a host corrects the price list."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured

from convonet import providers
from convonet.prices import FREE, LIST, SOURCES, Price, cost_micro_usd, parse, price_of


@pytest.mark.parametrize(
    ("question", "micro_usd"),
    [
        # 1,000 of a quarter dollar by million, and 100 of two dollars.
        (("think", "openai", "gpt-5-mini", 1000, 100), 250 + 200),
        (("think", "openai", "gpt-5-mini-2025-08-07", 1000, 100), 250 + 200),
        (("think", "anthropic", "claude-haiku-4-5-20251001", 2000, 40), 2000 + 200),
        (("think", "google", "models/gemini-2.5-flash", 0, 1_000_000), 2_500_000),
        (("think", "google", "gemini-2.5-flash-lite", 0, 1_000_000), 400_000),
        (("hear", "openai", "whisper-1", 0, 0, 30_000), 3_000),
        (("hear", "deepgram", "nova-3-general", 0, 0, 60_000), 7_700),
        (("speak", "deepgram", "aura-2-thalia-en", 0, 0, 0, 1000), 30_000),
        (("speak", "deepgram", "aura-asteria-en", 0, 0, 0, 1000), 15_000),
        (("speak", "elevenlabs", "eleven_flash_v2_5", 0, 0, 4000, 20), 1_000),
        # By the minute where it is known, else by what a voice says in one.
        (("speak", "openai", "gpt-4o-mini-tts", 0, 0, 60_000, 5), 15_000),
        (("speak", "openai", "gpt-4o-mini-tts", 0, 0, 0, 900), 15_000),
        # A model that hears and speaks, by text alone.
        (("think", "openai", "gpt-realtime-2.1", 1000, 100), 4000 + 2400),
        (("think", "openai", "gpt-realtime-2.1-mini-2026-08-01", 1000, 100), 600 + 240),
        (("hear", "openai", "gpt-transcribe", 0, 0, 60_000), 4_500),
        # What costs anything costs at least a millionth.
        (("think", "openai", "gpt-5-nano", 1, 0), 1),
        (("think", "local", "", 500, 500), 0),
        (("hear", "local", "tiny.en", 0, 0, 60_000), 0),
        (("speak", "pico", "en-GB", 0, 0, 900, 80), 0),
        (("think", "workers.models_llm.local.LocalCommandModel", ""), 0),
    ],
)
def test_a_question_costs_what_the_list_says(question: tuple[str, ...], micro_usd: int) -> None:
    assert cost_micro_usd(*question) == micro_usd  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "question",
    [
        ("think", "openai", "gpt-17", 1000, 100),
        # A later model of the same name is another model.
        ("think", "anthropic", "claude-sonnet-5-9", 1000, 100),
        ("think", "openai", "gpt-5-mini-turbo", 1000, 100),
        ("think", "compatible", "qwen3-8b", 1000, 100),
        ("think", "somebody.elses.Model", "", 1000, 100),
        # The provider did not say how much it was.
        ("think", "openai", "gpt-5-mini", 0, 0),
    ],
)
def test_what_is_not_known_is_not_said_to_be_free(question: tuple[str, ...]) -> None:
    assert cost_micro_usd(*question) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "prices"),
    [
        ("", {}),
        ("openai/gpt-17=0.5:4", {("openai", "gpt-17"): Price(0.5, 4)}),
        ("deepgram/nova-3*=0.0043/min", {("deepgram", "nova-3*"): Price(minute=0.0043)}),
        (
            " elevenlabs=0.05/1k, compatible=0:0 ",
            {("elevenlabs", "*"): Price(characters=0.05), ("compatible", "*"): FREE},
        ),
        ("compatible/org/model=1:2", {("compatible", "org/model"): Price(1, 2)}),
    ],
)
def test_a_host_names_its_own_prices(text: str, prices: dict[tuple[str, str], Price]) -> None:
    assert parse(text) == prices


@pytest.mark.parametrize(
    "text",
    ["openai", "=1:2", "/m=1:2", "openai/x=1", "openai/x=-1:2", "a=nan:1", "a=inf/min", "a=x/1k"],
)
def test_a_price_that_cannot_be_read_stops_the_start(text: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="PROVIDER_PRICES must name prices like"):
        parse(text)


def test_the_hosts_price_comes_before_the_list() -> None:
    own = parse("openai/gpt-5-mini=1:1, compatible=0:0")
    assert cost_micro_usd("think", "openai", "gpt-5-mini", 10, 10, overrides=own) == 20
    assert cost_micro_usd("think", "compatible", "any", 10, 10, overrides=own) == 0
    assert cost_micro_usd("think", "openai", "gpt-5-nano", 1000, 0, overrides=own) == 50


def test_every_provider_with_a_price_is_one_that_can_be_configured_and_has_a_source() -> None:
    names = {*providers.LANGUAGE, *providers.HEARING, *providers.SPEAKING}
    priced = {provider for provider, _ in LIST}
    assert priced <= names
    assert {name for name in priced if price_of(name, "any") != FREE} == set(SOURCES)


def test_settings_read_the_hosts_prices_at_the_start() -> None:
    def start(value: str) -> subprocess.CompletedProcess[str]:
        code = "from django.conf import settings; print(settings.PROVIDER_PRICES)"
        env = os.environ | {"PROVIDER_PRICES": value, "DJANGO_SETTINGS_MODULE": "tests.settings"}
        return subprocess.run(
            [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False
        )

    assert "('openai', 'gpt-17')" in start("openai/gpt-17=1:2").stdout
    refused = start("openai/gpt-17=cheap")
    assert refused.returncode != 0
    assert "PROVIDER_PRICES must name prices like" in refused.stderr


def test_tokens_of_audio_cost_more_than_those_of_text() -> None:
    asked = cost_micro_usd(
        "think", "openai", "gpt-realtime-2.1", 1000, 100, audio_tokens_in=900, audio_tokens_out=80
    )
    assert asked == 100 * 4 + 900 * 32 + 20 * 24 + 80 * 64


def test_tokens_of_audio_cost_what_text_does_by_a_price_that_has_none() -> None:
    own = parse("openai/gpt-realtime-2.1=1:2")
    asked = cost_micro_usd(
        "think", "openai", "gpt-realtime-2.1", 1000, 100, audio_tokens_in=900, overrides=own
    )
    assert asked == 1000 * 1 + 100 * 2
