"""A question to a provider in plain words: who was asked, why, what came of it, what it took."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from convonet import configured
from voice.models import ProviderUse
from voice.uses import STOPPED

Stage = ProviderUse.Stage
# By the code without the stage's name, as in model_rate and speech_rate.
_REASONS = {
    "auth": "it refused the key",
    "rate": "too many requests",
    "server": "an error on its side",
    "timeout": "no answer in time",
    "unreached": "it could not be reached",
    "half": "the answer broke off",
    "garbage": "an answer that makes no sense",
    "refused": "it refused the question",
    "missing": "it is not set up, or lacks the model",
    "model": "it failed",
    "speech": "it failed",
    STOPPED: "stopped by the caller",
}


@dataclass(frozen=True, slots=True)
class ToldUse:
    """One line of a turn: like questions that follow each other are told together."""

    stage: str
    provider: str
    model: str
    why: str
    failed: str
    """Why it failed, in words; empty when it answered or was stopped."""
    code: str
    times: str
    amounts: str
    cost: str


def tell_uses(uses: Iterable[ProviderUse]) -> list[ToldUse]:
    """Oldest first, the stages in the order of a turn."""
    stages = list(Stage)
    ordered = sorted(uses, key=lambda use: (stages.index(Stage(use.stage)), use.pk))
    return [_told(list(alike)) for _, alike in groupby(ordered, key=_kind)]


def whole_cost(uses: Iterable[ProviderUse]) -> str:
    """Empty when nobody was asked."""
    return cost([use.cost_micro_usd for use in uses])


def reason(code: str) -> str:
    """Codes of no provider's stage (`http 502`) stand for themselves."""
    return _REASONS.get(code.removeprefix("model_").removeprefix("speech_")) or code


def seconds(ms: int) -> str:
    return f"{ms} ms" if ms < 1000 else f"{ms / 1000:.2f} s"


def dollars(micro_usd: int) -> str:
    """Small amounts keep the digits that tell one from another."""
    if not micro_usd:
        return "$0"
    value = micro_usd / 1_000_000
    if value >= 1:
        return f"${value:,.2f}"
    digits = 4 if value >= 0.01 else 6
    return f"${value:.{digits}f}".rstrip("0")


def cost(micro_usd: Sequence[int | None]) -> str:
    """Of several questions; says so when the price of one is not known."""
    known = [amount for amount in micro_usd if amount is not None]
    return summed(sum(known), len(micro_usd) - len(known)) if micro_usd else ""


def summed(micro_usd: int, unpriced: int) -> str:
    """`unpriced` of the questions are not in the sum."""
    if not unpriced:
        return dollars(micro_usd)
    return f"{dollars(micro_usd)} and more" if micro_usd else "price not known"


def count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _kind(use: ProviderUse) -> tuple[str, ...]:
    return use.stage, use.provider, use.model, use.why, use.error


def _told(uses: list[ProviderUse]) -> ToldUse:
    use = uses[0]
    return ToldUse(
        stage=use.get_stage_display(),
        provider=configured.label_of(use.stage, use.provider),
        model=use.model,
        why=use.get_why_display(),
        failed="" if use.error == STOPPED else reason(use.error),
        code=use.error,
        times=_times(uses),
        amounts=_amounts(uses),
        cost=cost([use.cost_micro_usd for use in uses]),
    )


def _times(uses: list[ProviderUse]) -> str:
    took = seconds(sum(use.took_ms for use in uses))
    if uses[0].error == STOPPED:
        return f"{reason(STOPPED)} after {took}"
    if uses[0].error:
        return f"gave up after {took}"
    first = uses[0].first_ms
    if first is None:
        return took
    what = "sound" if uses[0].stage == Stage.SPEAK else "word"
    return f"first {what} after {seconds(first)}, {took} in all"


def _amounts(uses: list[ProviderUse]) -> str:
    tokens_in = sum(use.tokens_in for use in uses)
    tokens_out = sum(use.tokens_out for use in uses)
    audio_ms = sum(use.audio_ms for use in uses)
    characters = sum(use.characters for use in uses)
    parts = [
        count(len(uses), "question") if len(uses) > 1 else "",
        f"{tokens_in:,} tokens in, {tokens_out:,} out" if tokens_in or tokens_out else "",
        f"{audio_ms / 1000:.1f} s of speech" if audio_ms else "",
        count(characters, "character") if characters else "",
    ]
    return ", ".join(part for part in parts if part)
