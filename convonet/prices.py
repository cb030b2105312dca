"""What a question to a provider costs by the price lists that providers publish.

Estimates: without discounts (cached prompts, promotions, volume), taxes and free allowances.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from django.core.exceptions import ImproperlyConfigured

EXAMPLES = "openai/gpt-5-mini=0.25:2, deepgram/nova-3=0.0077/min or elevenlabs=0.05/1k"
# Speech engines say about so much in a minute; used where only the characters are known.
CHARACTERS_PER_MINUTE = 900


@dataclass(frozen=True, slots=True)
class Price:
    """In US dollars."""

    tokens_in: float = 0.0
    """Per million."""
    tokens_out: float = 0.0
    """Per million."""
    minute: float = 0.0
    """Per minute of audio heard or spoken."""
    characters: float = 0.0
    """Per thousand characters spoken."""
    audio_in: float = 0.0
    """Per million tokens of audio, of a model that hears and speaks by itself."""
    audio_out: float = 0.0


FREE = Price()
Prices = Mapping[tuple[str, str], Price]
"""By provider and model, a date after it left out; `*` ends the beginning of many names.

Where several fit, the longest counts.
"""

# Where the prices below were published, and when.
SOURCES = {
    "anthropic": "platform.claude.com/docs/about-claude/pricing, October 2026",
    "openai": "developers.openai.com/api/docs/pricing, October 2026",
    "google": "ai.google.dev/gemini-api/docs/pricing, October 2026",
    "deepgram": "deepgram.com/pricing, pay as you go, August 2026",
    "elevenlabs": "elevenlabs.io/pricing/api, June 2026",
}
_TEXT = {
    "anthropic": {
        "claude-fable-5-1": (10, 50),
        "claude-opus-5-5": (4, 20),
        "claude-opus-5": (5, 25),
        "claude-opus-4-8": (5, 25),
        "claude-opus-4-7": (5, 25),
        "claude-opus-4-6": (5, 25),
        "claude-opus-4-5": (5, 25),
        "claude-sonnet-5-5": (2, 10),
        "claude-sonnet-5": (2, 10),
        "claude-sonnet-4-6": (3, 15),
        "claude-sonnet-4-5": (3, 15),
        "claude-haiku-5-5": (0.1, 0.5),
        "claude-haiku-4-5": (1, 5),
    },
    "openai": {
        "gpt-6.1-sol": (2, 10),
        "gpt-6.1-terra": (1, 5),
        "gpt-6-astra": (10, 50),
        "gpt-6-sol": (2, 10),
        "gpt-6-luna": (0.1, 0.5),
        "gpt-5.6-sol": (4, 20),
        "gpt-5.6-terra": (2, 12),
        "gpt-5.6-luna": (0.2, 1.2),
        "gpt-5.5": (5, 30),
        "gpt-5.4": (2.5, 15),
        "gpt-5.4-mini": (0.75, 4.5),
        "gpt-5.4-nano": (0.2, 1.25),
        "gpt-5.2": (1.75, 14),
        "gpt-5.1": (1.25, 10),
        "gpt-5": (1.25, 10),
        "gpt-5-mini": (0.25, 2),
        "gpt-5-nano": (0.05, 0.4),
        "gpt-4.1": (2, 8),
        "gpt-4.1-mini": (0.4, 1.6),
        "gpt-4.1-nano": (0.1, 0.4),
        "gpt-4o": (2.5, 10),
        "gpt-4o-mini": (0.15, 0.6),
    },
    "google": {
        "gemini-3.8-flash": (1.5, 7.5),
        "gemini-3.7-flash": (1.5, 7.5),
        "gemini-3.6-flash": (1.5, 7.5),
        "gemini-3.5-flash": (1.5, 9),
        "gemini-3.5-flash-lite": (0.3, 2.5),
        "gemini-3.1-pro": (2, 12),
        "gemini-3.1-flash-lite": (0.25, 1.5),
        "gemini-3-flash": (0.5, 3),
        "gemini-2.5-pro": (1.25, 10),
        "gemini-2.5-flash": (0.3, 2.5),
        "gemini-2.5-flash-lite": (0.1, 0.4),
    },
}
LIST: Prices = {
    # Computed on this server.
    ("local", "*"): FREE,
    ("pico", "*"): FREE,
    ("piper", "*"): FREE,
    **{
        (provider, model): Price(*dollars)
        for provider, models in _TEXT.items()
        for model, dollars in models.items()
    },
    ("openai", "gpt-realtime-2*"): Price(4, 24, audio_in=32, audio_out=64),
    ("openai", "gpt-realtime-2.1-mini"): Price(0.6, 2.4, audio_in=10, audio_out=20),
    ("openai", "gpt-realtime-1.5"): Price(4, 16, audio_in=32, audio_out=64),
    ("openai", "gpt-transcribe"): Price(minute=0.0045),
    ("openai", "whisper-1"): Price(minute=0.006),
    ("openai", "gpt-4o-transcribe"): Price(minute=0.006),
    ("openai", "gpt-4o-mini-transcribe"): Price(minute=0.003),
    ("openai", "gpt-4o-mini-tts"): Price(minute=0.015),
    ("openai", "tts-1"): Price(characters=0.015),
    ("openai", "tts-1-hd"): Price(characters=0.03),
    ("deepgram", "nova-3*"): Price(minute=0.0077),
    ("deepgram", "nova-2*"): Price(minute=0.0058),
    ("deepgram", "flux*"): Price(minute=0.0078),
    ("deepgram", "aura-2*"): Price(characters=0.03),
    ("deepgram", "aura-*"): Price(characters=0.015),
    ("elevenlabs", "eleven_flash*"): Price(characters=0.05),
    ("elevenlabs", "eleven_turbo*"): Price(characters=0.05),
    ("elevenlabs", "eleven_multilingual*"): Price(characters=0.1),
    ("elevenlabs", "eleven_v3*"): Price(characters=0.1),
}
# What providers add to a model's name without changing its price.
_DATED = re.compile(r"[-@](latest|preview.*|\d{3,8}|\d{4}-\d\d-\d\d)")


def cost_micro_usd(
    stage: str,
    provider: str,
    model: str,
    tokens_in: int = 0,
    tokens_out: int = 0,
    audio_ms: int = 0,
    characters: int = 0,
    *,
    audio_tokens_in: int = 0,
    audio_tokens_out: int = 0,
    overrides: Prices | None = None,
) -> int | None:
    """Millionths of a dollar; None when no price or not the amount to be paid for is known.

    Audio tokens are among the tokens, and cost what text does where they have no price.
    """
    price = price_of(provider, model, overrides)
    if price is None or price == FREE:
        return None if price is None else 0
    minutes = audio_ms / 60_000
    if stage == "speak" and not audio_ms:
        minutes = characters / CHARACTERS_PER_MINUTE
    dollars_by_million = tokens_in * price.tokens_in + tokens_out * price.tokens_out
    if price.audio_in or price.audio_out:
        dollars_by_million += audio_tokens_in * (price.audio_in - price.tokens_in)
        dollars_by_million += audio_tokens_out * (price.audio_out - price.tokens_out)
    cost = dollars_by_million + minutes * price.minute * 1e6 + characters * price.characters * 1e3
    return math.ceil(round(cost, 6)) or None


def price_of(provider: str, model: str, overrides: Prices | None = None) -> Price | None:
    if provider.startswith("workers."):
        return FREE  # an engine of our own, named by its dotted path
    return _longest(overrides or {}, provider, model) or _longest(LIST, provider, model)


def parse(text: str) -> Prices:
    """The host's own prices, each PROVIDER[/MODEL]=PRICE; raises ImproperlyConfigured."""
    entries = [entry.strip() for entry in text.split(",")]
    return dict(_entry(entry) for entry in entries if entry)


def _longest(prices: Prices, provider: str, model: str) -> Price | None:
    fitting = [name for of, name in prices if of == provider and _fits(name, model)]
    return prices[provider, max(fitting, key=len)] if fitting else None


def _fits(name: str, model: str) -> bool:
    model = model.removeprefix("models/")
    if name.endswith("*"):
        return model.startswith(name[:-1])
    return model == name or bool(
        model.startswith(name) and _DATED.fullmatch(model.removeprefix(name))
    )


def _entry(text: str) -> tuple[tuple[str, str], Price]:
    name, equals, amount = (part.strip() for part in text.rpartition("="))
    provider, _, model = name.partition("/")
    try:
        if not (equals and provider):
            raise ValueError
        return (provider, model or "*"), _price(amount)
    except ValueError:
        raise ImproperlyConfigured(
            f"PROVIDER_PRICES must name prices like {EXAMPLES}, not {text!r}."
        ) from None


def _price(amount: str) -> Price:
    if amount.endswith("/min"):
        return Price(minute=_dollars(amount.removesuffix("/min")))
    if amount.endswith("/1k"):
        return Price(characters=_dollars(amount.removesuffix("/1k")))
    tokens_in, _, tokens_out = amount.partition(":")
    return Price(_dollars(tokens_in), _dollars(tokens_out))


def _dollars(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1_000_000:
        raise ValueError
    return value
