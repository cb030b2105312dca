"""A turn's questions to providers, in the words that operators read."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from voice.models import ProviderUse
from voice.uses_told import cost, dollars, reason, seconds, tell_uses, whole_cost
from voice.uses_told import count as counted

_keys = count(1)


def use(stage: str, provider: str, model: str = "", **values: Any) -> ProviderUse:
    return ProviderUse(pk=next(_keys), stage=stage, provider=provider, model=model, **values)


def line(told: Any) -> str:
    parts = (told.stage, told.provider, told.model, told.why, told.failed, told.times)
    return "|".join((*parts, told.amounts, told.cost))


def test_failed_candidates_are_told_before_the_one_that_answered() -> None:
    spoken = {"first_ms": 80, "took_ms": 300, "characters": 1, "audio_ms": 1900}
    answer = {"first_ms": 310, "took_ms": 1900, "tokens_in": 1500, "tokens_out": 40}
    failure = {"error": "model_rate", "took_ms": 90, "cost_micro_usd": 0}
    uses = [
        use("speak", "elevenlabs", "eleven_v3", why="user", cost_micro_usd=4200, **spoken),
        use("think", "anthropic", "claude-haiku-5-5", why="user", **failure),
        use("think", "openai", "gpt-5.4-mini", why="fallback", cost_micro_usd=1305, **answer),
        use("hear", "local", took_ms=250, audio_ms=2300, cost_micro_usd=0),
    ]
    assert [line(told) for told in tell_uses(uses)] == [
        "hearing|Whisper tiny.en||the server's default||250 ms|2.3 s of speech|$0",
        "thinking|Anthropic Claude|claude-haiku-5-5|chosen by the person|too many requests"
        "|gave up after 90 ms||$0",
        "thinking|OpenAI|gpt-5.4-mini|the one before it failed|"
        "|first word after 310 ms, 1.90 s in all|1,500 tokens in, 40 out|$0.001305",
        "speaking|ElevenLabs|eleven_v3|chosen by the person|"
        "|first sound after 80 ms, 300 ms in all|1.9 s of speech, 1 character|$0.0042",
    ]
    assert whole_cost(uses) == "$0.005505"


def test_like_questions_are_told_in_one_line_and_unlike_ones_in_their_order() -> None:
    pieces = [
        use("speak", "pico", first_ms=ms, took_ms=100, characters=10, cost_micro_usd=0)
        for ms in (40, 4)
    ]
    broken = use("speak", "pico", error="speech_half", first_ms=3, took_ms=1, cost_micro_usd=0)
    last = use("speak", "pico", took_ms=7, characters=5, cost_micro_usd=0)
    told = tell_uses([*pieces, broken, last])
    assert [(one.times, one.amounts, one.failed) for one in told] == [
        ("first sound after 40 ms, 200 ms in all", "2 questions, 20 characters", ""),
        ("gave up after 1 ms", "", "the answer broke off"),
        ("7 ms", "5 characters", ""),
    ]


def test_what_the_caller_stopped_is_no_failure() -> None:
    (told,) = tell_uses([use("think", "openai", error="cancelled", took_ms=1500)])
    assert (told.failed, told.times) == ("", "stopped by the caller after 1.50 s")
    assert told.cost == "price not known"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("model_auth", "it refused the key"),
        ("speech_auth", "it refused the key"),
        ("speech_unreached", "it could not be reached"),
        ("model", "it failed"),
        ("http 502", "http 502"),
        ("speech_engine", "speech_engine"),
    ],
)
def test_a_code_is_told_in_words_where_there_are_some(code: str, words: str) -> None:
    assert reason(code) == words


def test_every_code_of_the_language_models_and_of_the_speech_services_has_words() -> None:
    from workers.language import failures as thinking
    from workers.speech import failures as speech

    codes = {
        value for name, value in vars(thinking).items() if name.isupper() and value == str(value)
    }
    codes |= set(speech._SENTENCES)
    assert len(codes) >= 16
    assert {code for code in codes if reason(code) == code} == set()


@pytest.mark.parametrize(
    ("micro_usd", "told"),
    [
        (0, "$0"),
        (1, "$0.000001"),
        (1305, "$0.001305"),
        (4200, "$0.0042"),
        (100_000, "$0.1"),
        (452_011, "$0.452"),
        (12_345_678, "$12.35"),
        (1_234_567_890, "$1,234.57"),
    ],
)
def test_small_amounts_keep_their_digits(micro_usd: int, told: str) -> None:
    assert dollars(micro_usd) == told


@pytest.mark.parametrize(
    ("costs", "told"),
    [
        ([], ""),
        ([0, 0], "$0"),
        ([None], "price not known"),
        ([0, None], "price not known"),
        ([2000, None], "$0.002 and more"),
    ],
)
def test_a_price_that_is_not_known_is_said_to_be_missing(
    costs: list[int | None], told: str
) -> None:
    assert cost(costs) == told


def test_times_and_counts() -> None:
    assert (seconds(999), seconds(1000), seconds(12_345)) == ("999 ms", "1.00 s", "12.35 s")
    assert (counted(1, "question"), counted(1200, "question")) == ("1 question", "1,200 questions")
