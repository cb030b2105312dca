"""What a host may tell the speech services by the environment."""

from __future__ import annotations

import os

import pytest

from convonet import providers
from workers.speech import deepgram, elevenlabs, openai
from workers.speech.http import WAIT_SECONDS, Service
from workers.speech.languages import iso
from workers.speech.openai_voice import OpenAISynthesizer

PREFIXES = ("OPENAI_", "DEEPGRAM_", "ELEVENLABS_", "SPEECH_")


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(PREFIXES):
            monkeypatch.delenv(name)


def test_a_key_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI", "DEEPGRAM", "ELEVENLABS"):
        monkeypatch.setenv(f"{name}_API_KEY", f"{name}-key")
    assert openai.options_from_environment() == openai.OpenAIOptions(key="OPENAI-key")
    assert deepgram.options_from_environment() == deepgram.DeepgramOptions(key="DEEPGRAM-key")
    of_elevenlabs = elevenlabs.options_from_environment()
    assert of_elevenlabs == elevenlabs.ElevenLabsOptions(key="ELEVENLABS-key")
    assert of_elevenlabs.service.headers == {"xi-api-key": "ELEVENLABS-key"}
    assert "key" not in repr([of_elevenlabs, of_elevenlabs.service]).replace("keys", "")


def test_everything_may_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = {
        "OPENAI_AUDIO_URL": "http://speech.example:8000/v1/",
        "OPENAI_TRANSCRIBE_MODEL": "whisper-1",
        "OPENAI_SPEAK_MODEL": "tts-1",
        "OPENAI_VOICE": "nova",
        "DEEPGRAM_HEAR_MODEL": "nova-2",
        "DEEPGRAM_LANGUAGE": "multi",
        "DEEPGRAM_VOICE": "aura-2-zeus-en",
        "ELEVENLABS_MODEL": "eleven_v3",
        "ELEVENLABS_VOICE": "an-id",
    }
    for name, value in chosen.items():
        monkeypatch.setenv(name, value)
    spoken = openai.options_from_environment()
    assert (spoken.transcribe_model, spoken.speak_model, spoken.voice) == (
        "whisper-1",
        "tts-1",
        "nova",
    )
    assert spoken.service.url == "http://speech.example:8000/v1"
    heard = deepgram.options_from_environment()
    assert (heard.hear_model, heard.language, heard.voice) == ("nova-2", "multi", "aura-2-zeus-en")
    made = elevenlabs.options_from_environment()
    assert (made.model, made.voice) == ("eleven_v3", "an-id")


def test_a_server_of_ones_own_need_not_see_openais_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "openais")
    monkeypatch.setenv("OPENAI_AUDIO_API_KEY", "its-own")
    service = openai.options_from_environment().service
    assert service.headers == {"Authorization": "Bearer its-own"}
    monkeypatch.delenv("OPENAI_API_KEY")
    assert providers.missing(providers.SPEAKING["openai"]) == ""
    monkeypatch.delenv("OPENAI_AUDIO_API_KEY")
    assert providers.missing(providers.SPEAKING["openai"]) == (
        "OpenAI voices needs OPENAI_API_KEY."
    )


def test_without_a_chosen_voice_elevenlabs_takes_the_accounts_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ELEVENLABS_VOICES", "Anna=a1,Ben=b2")
    assert elevenlabs.ElevenLabsSynthesizer().__dict__["_voice"] == "a1"


def test_how_long_a_service_may_take_is_for_the_host_to_say(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert Service.at("http://x").wait_seconds == WAIT_SECONDS
    monkeypatch.setenv("SPEECH_TIMEOUT_SECONDS", "2.5")
    assert Service.at("http://x").wait_seconds == 2.5


def test_the_monitor_is_told_the_model_that_prices_are_for() -> None:
    engine = OpenAISynthesizer(openai.OpenAIOptions(key="k"))
    assert engine.model == "gpt-4o-mini-tts"
    assert deepgram.DeepgramSynthesizer(deepgram.DeepgramOptions()).model == "aura-2-thalia-en"


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ("english", "en"),
        ("German", "de"),
        ("en", "en"),
        ("pt-BR", "pt"),
        ("zh_CN", "zh"),
        ("multi", ""),
        ("", ""),
        (None, ""),
        (7, ""),
    ],
)
def test_languages_have_one_name(told: object, code: str) -> None:
    assert iso(told) == code
