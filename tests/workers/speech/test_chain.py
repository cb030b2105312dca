"""Several engines as one: order, choice, fallback and rest, with engines that do as told."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from voice.audio import BROWSER, AudioFormat
from workers.errors import SpeechError
from workers.ports import PLAIN, Manner, Transcription
from workers.registry import Registry
from workers.speech.chain import STOPPED, Attempt, HearingChain, Link, SpeakingChain
from workers.speech.failures import ServiceError

AUDIO = bytes(6_400)


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Engine:
    """Both ports. `fails` is raised after so many of its chunks; None: it is well."""

    def __init__(self, name: str, clock: Clock) -> None:
        self.model = f"{name}-1"
        self.name, self.clock = name, clock
        self.fails: BaseException | None = None
        self.after = 0
        self.seconds = 0.0
        self.asked: list[Manner] = []
        self.warm = False

    def warm_up(self) -> None:
        self.warm = True

    def transcribe(self, audio: bytes, audio_format: AudioFormat) -> Transcription:
        self.asked.append(PLAIN)
        self.clock.now += self.seconds
        if self.fails is not None:
            raise self.fails
        return Transcription(self.name, 0.0)

    def synthesize(
        self, text: str, audio_format: AudioFormat, manner: Manner = PLAIN
    ) -> Iterator[bytes]:
        self.asked.append(manner)
        for number in range(2):
            self.clock.now += self.seconds
            if self.fails is not None and number == self.after:
                raise self.fails
            yield self.name.encode() * 2


class Stage:
    """Three engines and the chains of them."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.a, self.b, self.c = (Engine(name, self.clock) for name in "abc")
        self.made: list[str] = []
        self.hearing = HearingChain(self._links(), self.clock)
        self.speaking = SpeakingChain(self._links(), self.clock)
        self.attempts: list[Attempt] = []

    def _links(self) -> list[Link[Any]]:
        return [
            Link(engine.name, partial(self._make, engine)) for engine in (self.a, self.b, self.c)
        ]

    def _make(self, engine: Engine) -> Engine:
        self.made.append(engine.name)
        return engine

    def hear(self) -> str:
        return self.hearing.transcribe(AUDIO, BROWSER, self.attempts).text

    def say(self, manner: Manner = PLAIN) -> bytes:
        return b"".join(self.speaking.synthesize("Done.", BROWSER, manner, self.attempts))

    @property
    def told(self) -> list[tuple[str, str, bool]]:
        return [(one.provider, one.error, one.fallback) for one in self.attempts]


@pytest.fixture
def stage() -> Stage:
    return Stage()


def failure(code: str, retry_after: float = 0.0) -> ServiceError:
    return ServiceError(code, retry_after=retry_after)


def test_the_first_engine_answers_and_the_others_are_never_made(stage: Stage) -> None:
    stage.hearing.warm_up()
    assert stage.hear() == "a"
    assert (stage.a.warm, stage.made) == (True, ["a"])
    assert stage.attempts == [Attempt("a", "a-1")]


@pytest.mark.parametrize(
    "error",
    [
        failure("speech_server"),
        ValueError("no such engine"),
        MemoryError(),
        RuntimeError("engine broke"),
        ConnectionError(),
    ],
    ids=repr,
)
def test_the_next_one_answers_when_one_fails(stage: Stage, error: Exception) -> None:
    stage.a.fails = error
    assert (stage.hear(), stage.say()) == ("b", b"bbbb")
    code = error.code if isinstance(error, SpeechError) else type(error).__name__
    assert stage.told == [("a", code, False), ("b", "", True)] * 2


def test_one_that_had_to_stand_in_is_let_go_of_and_the_first_stays(stage: Stage) -> None:
    shared: Registry[str, Any] = Registry(most=9, idle_seconds=60, clock=stage.clock)
    chain = HearingChain(
        [
            Link(one.name, partial(stage._make, one), services=shared, key=f"hears {one.name}")
            for one in (stage.a, stage.b)
        ],
        stage.clock,
    )

    def hear() -> str:
        return chain.transcribe(AUDIO, BROWSER).text

    chain.warm_up()
    stage.a.fails = failure("speech_server")
    assert hear() == "b"
    assert "hears b" in shared
    stage.a.fails = None
    stage.clock.now += 61
    assert hear() == "a"
    assert "hears b" not in shared
    assert "hears a" in shared
    assert stage.made == ["a", "b"]


def test_an_engine_is_not_let_go_of_while_it_speaks(stage: Stage) -> None:
    shared: Registry[str, Any] = Registry(most=1, clock=stage.clock)
    links: list[Link[Any]] = [
        Link(one.name, partial(stage._make, one), services=shared) for one in (stage.a, stage.b)
    ]
    speaking = SpeakingChain(links[:1], stage.clock).synthesize("Done.", BROWSER)
    assert next(speaking) == b"aa"
    with links[1].lease():
        assert "a" in shared
    speaking.close()
    with links[1].lease():
        assert "a" not in shared


@pytest.mark.parametrize("unmade", [ImproperlyConfigured("?"), ImportError("?")], ids=repr)
def test_an_engine_that_cannot_be_made_is_passed_over(unmade: Exception) -> None:
    stage = Stage()

    def make() -> Any:
        raise unmade

    links: list[Link[Any]] = [Link("x", make), Link("b", lambda: stage.b)]
    assert HearingChain(links, stage.clock).transcribe(AUDIO, BROWSER, stage.attempts).text == "b"
    assert stage.told == [("x", "speech_missing", False), ("b", "", True)]


def test_the_tasks_own_time_limit_is_no_failure_of_an_engine(stage: Stage) -> None:
    class TimeLimit(Exception):
        pass

    stage.a.fails = TimeLimit()
    with pytest.raises(TimeLimit):
        stage.hear()
    assert stage.b.asked == []


def test_the_last_failure_is_told_when_all_fail(stage: Stage) -> None:
    for engine, code in [(stage.a, "speech_auth"), (stage.b, "speech_rate")]:
        engine.fails = failure(code)
    stage.c.fails = failure("speech_half")
    for ask in (stage.hear, stage.say):
        with pytest.raises(SpeechError) as raised:
            ask()
        assert raised.value.code == "speech_half"
    assert [error for _, error, _ in stage.told] == [
        "speech_auth",
        "speech_rate",
        "speech_half",
    ] * 2


def test_no_second_voice_goes_on_with_a_sentence_that_was_begun(stage: Stage) -> None:
    stage.a.fails, stage.a.after = failure("speech_half"), 1
    chunks = stage.speaking.synthesize("Done.", BROWSER, PLAIN, stage.attempts)
    assert next(chunks) == b"aa"
    with pytest.raises(SpeechError):
        next(chunks)
    assert stage.told == [("a", "speech_half", False)]
    assert stage.attempts[0].audio_bytes == 2


def test_one_that_cannot_be_well_again_soon_rests(stage: Stage) -> None:
    stage.a.fails = failure("speech_unreached")
    assert [stage.hear() for _ in range(3)] == ["b", "b", "b"]
    assert len(stage.a.asked) == 1
    stage.a.fails = None
    stage.clock.now += 3_600
    assert stage.hear() == "a"
    assert stage.told[-1] == ("a", "", False)


def test_a_single_failure_that_may_be_chance_is_forgiven(stage: Stage) -> None:
    stage.a.fails = failure("speech_garbage")
    assert stage.say() == b"bbbb"
    stage.a.fails = None
    assert stage.say() == b"aaaa"


def test_one_that_asks_for_time_gets_it(stage: Stage) -> None:
    stage.a.fails = failure("speech_rate", retry_after=40)
    stage.hear()
    stage.a.fails = None
    stage.clock.now += 39
    assert stage.hear() == "b"
    stage.clock.now += 2
    assert stage.hear() == "a"


def test_a_question_that_was_refused_is_no_reason_to_rest(stage: Stage) -> None:
    stage.a.fails = failure("speech_refused")
    for _ in range(5):
        assert stage.hear() == "b"
    assert len(stage.a.asked) == 5


def test_one_that_rests_is_asked_when_nobody_else_can_answer(stage: Stage) -> None:
    stage.a.fails = failure("speech_timeout")
    stage.hear()
    stage.a.fails, stage.b.fails, stage.c.fails = None, ValueError(), ValueError()
    assert stage.hear() == "a"
    assert stage.told[2:] == [("b", "ValueError", True), ("c", "ValueError", True), ("a", "", True)]


def test_when_all_rest_they_are_asked_in_order_all_the_same(stage: Stage) -> None:
    for engine in (stage.a, stage.b, stage.c):
        engine.fails = failure("speech_timeout")
    for _ in range(2):
        with pytest.raises(SpeechError):
            stage.hear()
    assert [len(engine.asked) for engine in (stage.a, stage.b, stage.c)] == [2, 2, 2]
    stage.a.fails = None
    assert stage.hear() == "a"


def test_a_wished_voice_makes_its_provider_the_first(stage: Stage) -> None:
    assert stage.say(Manner("de", "c/anna")) == b"cccc"
    assert stage.c.asked == [Manner("de", "anna")]
    (attempt,) = stage.attempts
    assert (attempt.provider, attempt.chosen, attempt.fallback) == ("c", True, False)


def test_the_others_are_asked_for_the_language_alone_when_the_wished_one_fails(
    stage: Stage,
) -> None:
    stage.c.fails = failure("speech_timeout")
    assert stage.say(Manner("de", "c/anna")) == b"aaaa"
    assert stage.a.asked == [Manner("de")]
    assert stage.told == [("c", "speech_timeout", False), ("a", "", True)]
    # While it rests the default voice speaks, and that is a fallback too.
    assert stage.say(Manner("de", "c/anna")) == b"aaaa"
    assert stage.told[2:] == [("a", "", True)]


def test_a_voice_that_is_refused_is_replaced_by_the_providers_own(stage: Stage) -> None:
    class Picky(Engine):
        def synthesize(
            self, text: str, audio_format: AudioFormat, manner: Manner = PLAIN
        ) -> Iterator[bytes]:
            self.fails = failure("speech_refused") if manner.voice else None
            return super().synthesize(text, audio_format, manner)

    picky = Picky("b", stage.clock)
    links: list[Link[Any]] = [Link("a", lambda: stage.a), Link("b", lambda: picky)]
    stage.speaking = SpeakingChain(links, stage.clock)
    assert stage.say(Manner("", "b/gone")) == b"bbbb"
    assert stage.told == [("b", "speech_refused", False), ("b", "", True)]


def test_a_wish_for_a_provider_that_is_not_here_changes_nothing(stage: Stage) -> None:
    assert stage.say(Manner("", "elsewhere/anna")) == b"aaaa"
    assert stage.a.asked == [Manner()]


def test_a_sentence_that_is_no_longer_wanted_is_on_record_with_what_was_made(
    stage: Stage,
) -> None:
    stage.a.seconds = 0.25
    chunks = stage.speaking.synthesize("Done.", BROWSER, PLAIN, stage.attempts)
    next(chunks)
    chunks.close()
    (attempt,) = stage.attempts
    assert (attempt.error, attempt.audio_bytes, attempt.first_ms) == (STOPPED, 2, 250)


def test_times_count_from_the_question_to_each_engine(stage: Stage) -> None:
    stage.a.fails, stage.a.seconds = failure("speech_timeout"), 2.0
    stage.b.seconds = 0.5
    stage.say()
    first, second = stage.attempts
    assert (first.took_ms, first.first_ms) == (2_000, None)
    assert (second.first_ms, second.took_ms, second.audio_bytes) == (500, 1_000, 4)
