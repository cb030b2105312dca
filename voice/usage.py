"""What the providers of this server were asked in a period, how they did and what they cost."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum

from voice.models import ProviderUse
from voice.uses import STOPPED

# However long the period, no more than the newest questions are looked at,
MOST_QUESTIONS = 200_000
# and the times are those of the newest answers of each provider.
MOST_ANSWERS = 2_000
_ORDER = {str(stage): place for place, stage in enumerate(ProviderUse.Stage)}
_SUMS = ("tokens_in", "tokens_out", "audio_ms", "characters", "cost_micro_usd")


@dataclass(frozen=True, slots=True)
class Spread:
    """Milliseconds: half of the answers took at most `median`, nine in ten at most `ninth`."""

    median: int
    ninth: int


@dataclass(slots=True)
class Figures:
    """Of one provider in one stage."""

    stage: str
    provider: str
    asked: int = 0
    failed: int = 0
    stopped: int = 0
    """The caller spoke on; neither answered nor failed."""
    stood_in: int = 0
    """How often it was asked because the one before it failed."""
    tokens_in: int = 0
    tokens_out: int = 0
    audio_ms: int = 0
    characters: int = 0
    cost_micro_usd: int = 0
    """Of the questions whose price is known."""
    unpriced: int = 0
    models: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    first: Spread | None = None
    whole: Spread | None = None


def questions(since: datetime) -> QuerySet[ProviderUse]:
    """Those since then, but not more than the newest MOST_QUESTIONS."""
    newest = ProviderUse.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    return ProviderUse.objects.filter(at__gte=since, pk__gt=newest - MOST_QUESTIONS)


def figures(since: datetime) -> list[Figures]:
    """By stage in the order of a turn, and by provider, the most asked first."""
    rows = questions(since)
    found: dict[tuple[str, str], Figures] = {}
    for group in _groups(rows):
        key = group["stage"], group["provider"]
        _add(found.setdefault(key, Figures(*key)), group)
    for one in found.values():
        one.first, one.whole = _times(rows.filter(stage=one.stage, provider=one.provider))
    return sorted(found.values(), key=lambda one: (_ORDER[one.stage], -one.asked))


def cost_micro_usd(since: datetime) -> int:
    return questions(since).aggregate(cost=Sum("cost_micro_usd"))["cost"] or 0


def failures(since: datetime) -> QuerySet[ProviderUse]:
    """The newest first."""
    return questions(since).exclude(error__in=["", STOPPED]).order_by("-pk")


def _groups(rows: QuerySet[ProviderUse]) -> Any:
    unpriced = Count("pk", filter=Q(cost_micro_usd=None))
    stood_in = Count("pk", filter=Q(why=ProviderUse.Why.FALLBACK))
    sums = {f"{name}_sum": Sum(name) for name in _SUMS}
    return (
        rows.order_by()
        .values("stage", "provider", "model", "error")
        .annotate(asked=Count("pk"), stood_in=stood_in, unpriced=unpriced, **sums)
    )


def _add(one: Figures, group: dict[str, Any]) -> None:
    asked = group["asked"]
    one.asked += asked
    one.stood_in += group["stood_in"]
    one.unpriced += group["unpriced"]
    for name in _SUMS:
        setattr(one, name, getattr(one, name) + (group[f"{name}_sum"] or 0))
    if group["model"]:
        one.models[group["model"]] += asked
    if group["error"] == STOPPED:
        one.stopped += asked
    elif group["error"]:
        one.failed += asked
        one.reasons[group["error"]] += asked


def _times(rows: QuerySet[ProviderUse]) -> tuple[Spread | None, Spread | None]:
    """To the first word or sound, and of the whole answer."""
    answers = rows.filter(error="").order_by("-pk").values_list("first_ms", "took_ms")
    newest = list(answers[:MOST_ANSWERS])
    return spread([first for first, _ in newest if first is not None]), spread(
        [took for _, took in newest]
    )


def spread(milliseconds: list[int]) -> Spread | None:
    """By nearest rank: each is a time that an answer really took."""
    if not milliseconds:
        return None
    ordered = sorted(milliseconds)
    answers = len(ordered)
    return Spread(ordered[math.ceil(answers / 2) - 1], ordered[math.ceil(answers * 9 / 10) - 1])
