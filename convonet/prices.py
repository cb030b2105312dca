"""What a question to a provider costs by the price lists that providers publish.

Estimates: without discounts (cached prompts, batches, volume), taxes and free allowances.
"""

from __future__ import annotations

import math
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


FREE = Price()
Prices = Mapping[tuple[str, str], Price]
"""By provider and by the beginning of the model's name; the longest beginning counts."""

READ_ON = "2026-11-22"
LIST: Prices = {
    # Computed on this server.
    ("local", ""): FREE,
    ("pico", ""): FREE,
    ("piper", ""): FREE,
    # platform.openai.com/docs/pricing
    ("openai", "gpt-5-mini"): Price(0.25, 2.0),
}


def cost_micro_usd(
    stage: str,
    provider: str,
    model: str,
    tokens_in: int = 0,
    tokens_out: int = 0,
    audio_ms: int = 0,
    characters: int = 0,
    *,
    overrides: Prices | None = None,
) -> int | None:
    """Millionths of a dollar; None when no price or not the amount to be paid for is known."""
    price = price_of(provider, model, overrides)
    if price is None or price == FREE:
        return None if price is None else 0
    minutes = audio_ms / 60_000
    if stage == "speak" and not audio_ms:
        minutes = characters / CHARACTERS_PER_MINUTE
    dollars_by_million = tokens_in * price.tokens_in + tokens_out * price.tokens_out
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
    name = model.removeprefix("models/")
    fitting = [begin for of, begin in prices if of == provider and name.startswith(begin)]
    return prices[provider, max(fitting, key=len)] if fitting else None


def _entry(text: str) -> tuple[tuple[str, str], Price]:
    name, equals, amount = (part.strip() for part in text.rpartition("="))
    provider, _, model = name.partition("/")
    try:
        if not (equals and provider):
            raise ValueError
        return (provider, model), _price(amount)
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
