"""The catalogue of voices that people choose from."""

from __future__ import annotations

import pytest

from convonet import providers, voices


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "DEEPGRAM_API_KEY", "ELEVENLABS_API_KEY", "ELEVENLABS_VOICES"):
        monkeypatch.delenv(name, raising=False)


def test_every_voice_is_of_a_provider_that_speaks_and_has_a_key_of_its_own() -> None:
    known = voices.known()
    assert {voice.provider for voice in known} == set(providers.SPEAKING)
    assert len({voice.key for voice in known}) == len(known)
    assert all(len(voice.key) <= 80 for voice in known)


def test_only_voices_that_can_speak_here_are_offered_in_the_servers_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert {voice.provider for voice in voices.offered(["openai", "pico"])} == {"pico"}
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    offered = [voice.provider for voice in voices.offered(["openai", "pico"])]
    assert offered == sorted(offered)
    assert set(offered) == {"openai", "pico"}


def test_an_account_names_its_own_voices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELEVENLABS_VOICES", "Anna=a1, b2")
    named = [voice for voice in voices.known() if voice.provider == "elevenlabs"]
    assert [(voice.name, voice.label) for voice in named] == [("a1", "Anna"), ("b2", "b2")]


@pytest.mark.parametrize(
    ("provider", "language", "wanted", "voice"),
    [
        ("pico", "de", "en-GB", "de-DE"),
        ("pico", "en", "en-GB", "en-GB"),
        ("pico", "", "en-GB", "en-GB"),
        ("pico", "ja", "en-GB", "en-GB"),
        ("openai", "de", "coral", "coral"),
        ("deepgram", "es", "aura-2-thalia-en", "aura-2-celeste-es"),
        ("deepgram", "es", "aura-2-zeus-en", "aura-2-celeste-es"),
        ("deepgram", "en", "aura-2-zeus-en", "aura-2-zeus-en"),
        ("elevenlabs", "fr", "an-id", "an-id"),
    ],
)
def test_the_voice_follows_the_language(
    provider: str, language: str, wanted: str, voice: str
) -> None:
    assert voices.fitting(provider, language, wanted) == voice


def test_a_key_is_a_provider_and_a_voice() -> None:
    assert voices.split("openai/alloy") == ("openai", "alloy")
    assert voices.split("my.Engine/") == ("my.Engine", "")
    assert voices.split("alloy") == ("", "")
    found = voices.find("pico/de-DE")
    assert found is not None
    assert found.language == "de"
    assert voices.find("pico/xx") is None
