"""What is counted of the questions to providers: by stage and provider, in bounded work."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from voice import asked, usage
from voice.models import Call, ProviderUse, Turn
from voice.usage import Figures, Spread, figures, spread
from voice.uses import Use, record

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def ask(*uses: Use, ago: timedelta = timedelta()) -> None:
    newest = ProviderUse.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    record(*uses, call_id=None)
    ProviderUse.objects.filter(pk__gt=newest).update(at=timezone.now() - ago)


def of(provider: str, stage: str = "think", period: timedelta = HOUR) -> Figures:
    found = figures(timezone.now() - period)
    return next(one for one in found if (one.stage, one.provider) == (stage, provider))


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([], None),
        ([7], Spread(7, 7)),
        ([2, 1], Spread(1, 2)),
        (list(range(1, 11)), Spread(5, 9)),
        (list(range(100, 0, -1)), Spread(50, 90)),
        ([1] * 9 + [1000], Spread(1, 1)),
        ([1] * 8 + [1000] * 2, Spread(1, 1000)),
    ],
)
def test_a_spread_is_of_times_that_were_really_taken(
    times: list[int], expected: Spread | None
) -> None:
    random.Random(1).shuffle(times)
    assert spread(times) == expected


def test_every_provider_is_counted_in_each_of_its_stages() -> None:
    ask(
        Use("think", "openai", "gpt-5-mini", first_ms=300, took_ms=900, tokens_in=1000),
        Use("think", "openai", "gpt-5", first_ms=100, took_ms=400, tokens_in=1000, tokens_out=10),
        Use("think", "openai", "gpt-5-mini", error="model_rate", took_ms=9000),
        Use("think", "openai", "gpt-5-mini", error="model_rate", took_ms=9000),
        Use("think", "openai", "gpt-5-mini", error="model_server", took_ms=9000),
        Use("think", "openai", "gpt-5-mini", error="cancelled", took_ms=9000),
        Use("think", "local", why="fallback", took_ms=2),
        Use("speak", "openai", "tts-1", first_ms=50, took_ms=90, characters=100),
        Use("hear", "deepgram", "nova-3", took_ms=200, audio_ms=60_000),
    )
    found = figures(timezone.now() - HOUR)
    assert [(one.stage, one.provider) for one in found] == [
        ("hear", "deepgram"),
        ("think", "openai"),
        ("think", "local"),
        ("speak", "openai"),
    ]
    openai = found[1]
    assert (openai.asked, openai.failed, openai.stopped, openai.stood_in) == (6, 3, 1, 0)
    assert openai.reasons == {"model_rate": 2, "model_server": 1}
    assert openai.models == {"gpt-5-mini": 5, "gpt-5": 1}
    assert (openai.tokens_in, openai.tokens_out) == (2000, 10)
    # The question that was stopped has no known price; failures cost nothing.
    assert (openai.cost_micro_usd, openai.unpriced) == (250 + 1250 + 100, 1)
    # Failures and what was stopped say nothing of how long an answer takes.
    assert (openai.first, openai.whole) == (Spread(100, 300), Spread(400, 900))
    assert (found[2].stood_in, found[2].first, found[2].whole) == (1, None, Spread(2, 2))
    assert (found[3].characters, found[3].cost_micro_usd) == (100, 1500)
    assert found[0].audio_ms == 60_000


def test_only_the_period_is_counted() -> None:
    ask(Use("think", "openai", took_ms=1), ago=timedelta(minutes=50))
    ask(Use("think", "openai", took_ms=1), ago=timedelta(hours=3))
    ask(Use("think", "openai", took_ms=1), ago=timedelta(days=6))
    ask(Use("think", "openai", took_ms=1), ago=timedelta(days=8))
    periods = (HOUR, timedelta(days=1), timedelta(days=7))
    assert [of("openai", period=period).asked for period in periods] == [1, 2, 3]


def test_the_work_is_bounded_by_the_newest_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage, "MOST_QUESTIONS", 10)
    monkeypatch.setattr(usage, "MOST_ANSWERS", 4)
    ask(*(Use("think", "old", took_ms=1) for _ in range(5)))
    ask(*(Use("think", "new", took_ms=ms) for ms in range(10)))
    assert [(one.provider, one.asked) for one in figures(timezone.now() - HOUR)] == [("new", 10)]
    assert of("new").whole == Spread(7, 9)


def test_many_questions_are_counted_by_the_database() -> None:
    stages: list[Any] = ["hear", "think", "speak"]
    ask(*(Use(stages[n % 3], f"p{n % 2}", took_ms=n) for n in range(600)))
    with CaptureQueriesContext(connection) as queries:
        found = figures(timezone.now() - HOUR)
    assert sum(one.asked for one in found) == 600
    # The newest key, the sums, and the times of each of the six.
    assert len(queries) == 2 + 6


def test_failures_are_told_newest_first_with_the_turn_they_were_in() -> None:
    call = Call.objects.create(user=User.objects.create_user("anna"))
    other = Call.objects.create(user=call.user)
    heard = Turn.objects.create(call=call, number=1, utterance_id="u1")
    Turn.objects.create(call=other, number=7, utterance_id="u1")
    thought = Turn.objects.create(call=call, number=2)
    record(Use("hear", "deepgram", error="closed 1011"), call_id=call.pk, utterance_id="u1")
    record(Use("think", "openai", error="model_rate"), call_id=call.pk, turn_id=thought.pk)
    record(Use("think", "openai", error="cancelled"), call_id=call.pk, turn_id=thought.pk)
    record(Use("think", "openai"), call_id=call.pk, turn_id=thought.pk)
    record(Use("speak", "pico", error="speech_engine"), call_id=None)
    told: list[Any] = list(asked.with_turns(usage.failures(timezone.now() - HOUR)))
    assert [(use.stage, use.turn_found, use.turn_number) for use in told] == [
        ("speak", None, None),
        ("think", thought.pk, 2),
        ("hear", heard.pk, 1),
    ]


def test_the_uses_of_turns_are_found_in_one_query_also_by_what_was_heard() -> None:
    call = Call.objects.create(user=User.objects.create_user("anna"))
    turns = [
        Turn.objects.create(call=call, number=n, utterance_id=f"u{n}" if n < 3 else "")
        for n in (1, 2, 3)
    ]
    record(Use("hear", "local"), call_id=call.pk, utterance_id="u1")
    record(Use("hear", "local"), call_id=call.pk, utterance_id="noise")
    record(Use("speak", "pico"), call_id=None)
    record(Use("think", "local"), call_id=call.pk, turn_id=turns[0].pk)
    record(Use("think", "openai"), call_id=call.pk, turn_id=turns[2].pk)
    with CaptureQueriesContext(connection) as queries:
        found = asked.by_turn(turns)
    assert len(queries) == 1
    assert [[use.stage for use in found[turn.pk]] for turn in turns] == [
        ["hear", "think"],
        [],
        ["think"],
    ]
    assert asked.by_turn([]) == {}
