"""Who can answer, hear and speak: the catalogue of providers, without importing any of them.

Settings name providers by their short names (or any class by its dotted path); workers load the
path, system checks and the page's settings ask `missing`.
"""

from __future__ import annotations

import importlib.util
import os
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Provider:
    name: str
    label: str
    """What a person reads."""
    path: str
    """Dotted path of the class or function that makes it."""
    key: str = ""
    """Environment variable without which it cannot work."""
    module: str = ""
    """Must be importable; else `extra` names the lock that brings it."""
    extra: str = ""
    instead_of_key: str = ""
    """Another variable that does as well as `key`."""


def _by_name(*providers: Provider) -> dict[str, Provider]:
    return {provider.name: provider for provider in providers}


LANGUAGE = _by_name(
    Provider("local", "Local commands", "workers.models_llm.local.LocalCommandModel"),
    Provider(
        "anthropic",
        "Anthropic Claude",
        "workers.language.anthropic.make",
        "ANTHROPIC_API_KEY",
        "langchain_anthropic",
        "anthropic",
    ),
    Provider(
        "google",
        "Google Gemini",
        "workers.language.google.make",
        "GOOGLE_API_KEY",
        "langchain_google_genai",
        "google",
    ),
    Provider(
        "openai",
        "OpenAI",
        "workers.language.openai.make",
        "OPENAI_API_KEY",
        "langchain_openai",
        "openai",
    ),
    Provider(
        "compatible",
        "Own server",
        "workers.language.compatible.make",
        "COMPATIBLE_URL",
        "langchain_openai",
        "openai",
    ),
)
HEARING = _by_name(
    Provider("local", "Whisper tiny.en", "workers.speech.whisper.WhisperTranscriber"),
    Provider(
        "openai",
        "OpenAI transcription",
        "workers.speech.openai.OpenAITranscriber",
        "OPENAI_API_KEY",
        instead_of_key="OPENAI_AUDIO_API_KEY",
    ),
    Provider(
        "deepgram",
        "Deepgram",
        "workers.speech.deepgram.DeepgramTranscriber",
        "DEEPGRAM_API_KEY",
    ),
)
SPEAKING = _by_name(
    Provider("pico", "Pico", "workers.speech.pico.PicoSynthesizer"),
    Provider(
        "piper",
        "Piper",
        "workers.speech.piper.PiperSynthesizer",
        "",
        "onnxruntime",
        "piper",
    ),
    Provider(
        "openai",
        "OpenAI voices",
        "workers.speech.openai_voice.OpenAISynthesizer",
        "OPENAI_API_KEY",
        instead_of_key="OPENAI_AUDIO_API_KEY",
    ),
    Provider(
        "deepgram",
        "Deepgram Aura",
        "workers.speech.deepgram.DeepgramSynthesizer",
        "DEEPGRAM_API_KEY",
    ),
    Provider(
        "elevenlabs",
        "ElevenLabs",
        "workers.speech.elevenlabs.ElevenLabsSynthesizer",
        "ELEVENLABS_API_KEY",
    ),
)


def named(catalogue: dict[str, Provider], name: str) -> Provider | None:
    """The provider of that short name or dotted path; None when there is none."""
    if "." in name:
        return Provider(name, name.rpartition(".")[2], name)
    return catalogue.get(name)


def missing(provider: Provider) -> str:
    """One sentence saying what it lacks on this server; empty when it can work."""
    if provider.module and importlib.util.find_spec(provider.module) is None:
        return f"{provider.label} is not installed; start with LOCK={provider.extra}."
    keys = [name for name in (provider.key, provider.instead_of_key) if name]
    if keys and not any(os.environ.get(name, "").strip() for name in keys):
        return f"{provider.label} needs {provider.key}."
    return ""
