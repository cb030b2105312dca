"""Each question to a provider is kept, priced and bounded, and never at the caller's expense."""

from __future__ import annotations

import logging
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from convonet.prices import parse
from voice.models import Call, ProviderUse, Turn
from voice.uses import MOST, Use, record

pytestmark = pytest.mark.django_db


@pytest.fixture
def turn() -> Turn:
    call = Call.objects.create(user=User.objects.create_user("anna"))
    return Turn.objects.create(call=call, number=1)


def test_the_uses_of_a_turn_are_one_insert_in_their_order(turn: Turn) -> None:
    failed = Use("think", "anthropic", "claude-haiku-4-5", "user", "rate_limited", took_ms=80)
    answered = Use(
        "think", "openai", "gpt-5-mini", "fallback", "", 310, 900, tokens_in=1000, tokens_out=100
    )
    with CaptureQueriesContext(
        connection,
    ) as asked:
        record(failed, answered, call_id=str(turn.call_id), turn_id=str(turn.pk))
    inserts = [query for query in asked.captured_queries if "INSERT" in query["sql"]]
    assert len(inserts) == 1
    first, second = turn.uses.all()
    assert (first.provider, first.why, first.error, first.took_ms) == (
        "anthropic",
        "user",
        "rate_limited",
        80,
    )
    assert (second.provider, second.why, second.first_ms, second.took_ms) == (
        "openai",
        "fallback",
        310,
        900,
    )
    # Providers charge for answers, not for refusals.
    assert (first.cost_micro_usd, second.cost_micro_usd) == (0, 450)
    assert second.call_id == turn.call_id


def test_what_was_heard_is_found_by_its_utterance_and_announcements_by_nothing() -> None:
    record(Use("hear", "local", audio_ms=1200), call_id=uuid4(), utterance_id="u1")
    record(Use("speak", "pico", characters=20), call_id=None)
    assert ProviderUse.objects.get(utterance_id="u1").turn_id is None
    assert ProviderUse.objects.get(stage="speak").call_id is None


def test_the_hosts_own_price_is_used(settings: Any, turn: Turn) -> None:
    settings.PROVIDER_PRICES = parse("compatible/qwen=1:2")
    use = Use("think", "compatible", "qwen", tokens_in=1000, tokens_out=1000)
    record(use, call_id=turn.call_id)
    assert ProviderUse.objects.get().cost_micro_usd == 3000


def test_half_an_answer_is_paid_for(turn: Turn) -> None:
    use = Use("speak", "elevenlabs", "eleven_v3", error="cut_off", first_ms=90, characters=100)
    record(use, call_id=turn.call_id)
    assert ProviderUse.objects.get().cost_micro_usd == 10_000


def test_what_is_too_long_or_impossible_is_cut_to_what_fits(turn: Turn) -> None:
    wild: Any = Use("think", "p" * 200, "m" * 200, "server", "e" * 200, -5, 10**12, -1)
    record(wild, call_id=turn.call_id, utterance_id="u" * 99)
    row = ProviderUse.objects.get()
    row.clean_fields(exclude=["call", "turn", "utterance_id", "cost_micro_usd"])
    assert (len(row.provider), len(row.model), len(row.error)) == (80, 80, 60)
    assert (row.first_ms, row.took_ms, row.tokens_in, row.utterance_id) == (0, MOST, 0, "u" * 36)


@pytest.mark.parametrize(
    ("use", "call_id"),
    [
        (Use("smell", "openai"), None),
        (Use("think", "openai", why="whim"), None),
        (Use("think", "openai"), "no-uuid"),
        (Use("think", "openai", took_ms=float("inf")), None),  # type: ignore[arg-type]
        (Use("think", None), None),  # type: ignore[arg-type]
    ],
)
def test_a_use_that_makes_no_sense_is_one_log_line(
    use: Use, call_id: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "voice.uses"):
        record(use, call_id=call_id)
    assert [entry.message for entry in caplog.records] == ["uses not kept"]
    assert not ProviderUse.objects.exists()


def test_a_database_that_refuses_is_one_log_line_and_spoils_nothing_around_it(
    turn: Turn, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise DatabaseError("disk full of secrets")

    with transaction.atomic(), patch.object(ProviderUse.objects, "bulk_create", refuse):
        record(Use("think", "local"), call_id=turn.call_id)
        turn.refresh_from_db()
    assert [entry.message for entry in caplog.records] == ["uses not kept"]
    assert "secrets" not in caplog.text


def test_nothing_to_keep_asks_the_database_nothing() -> None:
    with CaptureQueriesContext(connection) as asked:
        record(call_id=None)
    assert not asked.captured_queries
