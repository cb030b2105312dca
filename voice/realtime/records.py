"""The rows of turns that the model on the line answers, and what it was asked for."""

from __future__ import annotations

from django.utils import timezone

from voice import uses
from voice.models import Turn
from voice.realtime import deeds
from voice.records import in_database_thread
from voice.turns import LiveTurn

PROVIDER = "openai"
State = Turn.State


@in_database_thread
def set_words(turn: LiveTurn) -> None:
    """What was said, whenever it is known; a turn nobody has answered yet waits from here on.

    `queued_at` stays empty, for no worker is asked: should this process die, a sweeper finds it.
    """
    rows = Turn.objects.filter(pk=turn.id)
    rows.update(
        transcript=turn.transcript or "",
        language=turn.language[:10],
        transcript_ms=turn.timings_ms.get("transcript"),
    )
    rows.filter(state=State.TRANSCRIBING).update(state=State.WAITING, queued_at=None)


@in_database_thread
def set_reply(turn: LiveTurn, model: str) -> None:
    """All is said that will be said: nobody need answer it again."""
    rows = Turn.objects.filter(pk=turn.id)
    rows.update(
        reply=turn.reply,
        model_name=f"{PROVIDER}/{model}"[:80],
        first_token_ms=turn.timings_ms.get("first_token"),
    )
    rows.filter(state__in=[State.TRANSCRIBING, State.WAITING]).update(
        state=State.SPEAKING, queued_at=None
    )
    # Nobody stayed to hear it.
    left = rows.filter(state=State.SPEAKING, call__ended_at__isnull=False)
    left.update(state=State.INTERRUPTED, finished_at=timezone.now())


@in_database_thread
def charge_response(call_id: str, charge: deeds.ChargeResponse, model: str) -> None:
    usage = charge.usage
    use = uses.Use(
        uses.Stage.THINK,
        PROVIDER,
        model,
        error=uses.STOPPED if charge.error == "client_cancelled" else charge.error,
        first_ms=charge.first_ms,
        took_ms=charge.took_ms,
        tokens_in=usage.text_in + usage.audio_in,
        tokens_out=usage.text_out + usage.audio_out,
        audio_tokens_in=usage.audio_in,
        audio_tokens_out=usage.audio_out,
    )
    uses.record(use, call_id=call_id, turn_id=charge.turn_id or None)


@in_database_thread
def charge_words(call_id: str, charge: deeds.ChargeWords, model: str) -> None:
    usage = charge.usage
    use = uses.Use(
        uses.Stage.HEAR,
        PROVIDER,
        model,
        error=charge.error,
        tokens_in=usage.text_in + usage.audio_in,
        tokens_out=usage.text_out,
        audio_ms=round(usage.seconds * 1000) or charge.audio_ms,
    )
    uses.record(use, call_id=call_id, utterance_id=charge.utterance_id)
