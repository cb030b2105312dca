"""Keeps who was asked, why, what it took and what it cost; a caller never waits on its failure."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import Error, transaction

from convonet import prices
from voice.models import ProviderUse

logger = logging.getLogger("voice.uses")

Stage = ProviderUse.Stage
Why = ProviderUse.Why
# The code of a question that the caller's interruption made needless.
STOPPED = "cancelled"
# The largest number of a PositiveIntegerField in every database.
MOST = 2_147_483_647


@dataclass(frozen=True, slots=True)
class Use:
    """One question to a provider; `voice.models.ProviderUse` tells what the fields mean.

    `error` is a code, never what a provider wrote. Counts that are not known stay 0.
    """

    stage: str
    provider: str
    model: str = ""
    why: str = Why.SERVER
    error: str = ""
    first_ms: int | None = None
    took_ms: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    audio_ms: int = 0
    characters: int = 0
    audio_tokens_in: int = 0
    """Of the tokens, those of audio; they have a price of their own and no column."""
    audio_tokens_out: int = 0


def record(
    *uses: Use,
    call_id: str | UUID | None,
    turn_id: str | UUID | None = None,
    utterance_id: str = "",
) -> None:
    """Write them in one insert, oldest first; a failure to do so is one log line, never raised."""
    if not uses:
        return
    try:
        call, turn = _uuid(call_id), _uuid(turn_id)
        rows = [_row(use, call, turn, utterance_id[:36]) for use in uses]
        with transaction.atomic():
            ProviderUse.objects.bulk_create(rows)
    except (Error, ValueError, TypeError, AttributeError, ArithmeticError) as error:
        # Not every exception: a task's time limit is one, too.
        logger.warning("uses not kept", extra={"uses": len(uses), "error": type(error).__name__})


def _row(use: Use, call: UUID | None, turn: UUID | None, utterance_id: str) -> ProviderUse:
    counts = {
        name: _bounded(getattr(use, name))
        for name in ("took_ms", "tokens_in", "tokens_out", "audio_ms", "characters")
    }
    return ProviderUse(
        call_id=call,
        turn_id=turn,
        utterance_id=utterance_id,
        stage=Stage(use.stage),
        provider=use.provider[:80],
        model=use.model[:80],
        why=Why(use.why),
        error=use.error[:60],
        first_ms=None if use.first_ms is None else _bounded(use.first_ms),
        cost_micro_usd=_cost(use),
        **counts,
    )


def _cost(use: Use) -> int | None:
    if use.error and use.error != STOPPED and use.first_ms is None:
        return 0  # refused or silent: providers charge for answers
    return prices.cost_micro_usd(
        use.stage,
        use.provider,
        use.model,
        _bounded(use.tokens_in),
        _bounded(use.tokens_out),
        _bounded(use.audio_ms),
        _bounded(use.characters),
        audio_tokens_in=_bounded(use.audio_tokens_in),
        audio_tokens_out=_bounded(use.audio_tokens_out),
        overrides=settings.PROVIDER_PRICES,
    )


def _bounded(count: float) -> int:
    return max(0, min(MOST, round(count)))


def _uuid(value: str | UUID | None) -> UUID | None:
    return UUID(value) if isinstance(value, str) and value else value or None
