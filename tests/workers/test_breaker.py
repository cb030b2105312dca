"""The breaker's states, with a clock that the test moves."""

from __future__ import annotations

from workers.breaker import MOST_REST_SECONDS, Breaker


def opened(now: float = 0.0) -> Breaker:
    breaker = Breaker(most_failures=3, rest_seconds=10)
    for _ in range(3):
        breaker.failed(now)
    return breaker


def test_single_failures_do_not_open_it() -> None:
    breaker = Breaker(most_failures=3, rest_seconds=10)
    for _ in range(5):
        breaker.failed(0)
        breaker.failed(0)
        assert breaker.allows(0)
        breaker.succeeded()


def test_failures_in_a_row_open_it_until_its_rest_is_over() -> None:
    breaker = opened(now=100)
    assert not breaker.allows(100)
    assert not breaker.allows(109.9)
    assert breaker.allows(110)


def test_after_its_rest_one_failure_opens_it_for_twice_as_long() -> None:
    breaker = opened()
    breaker.failed(10)
    assert not breaker.allows(29.9)
    assert breaker.allows(30)


def test_an_answer_closes_it_and_forgets_what_was() -> None:
    breaker = opened()
    breaker.succeeded()
    assert breaker.allows(0)
    breaker.failed(1)
    assert breaker.allows(1)


def test_a_rest_that_was_asked_for_begins_at_once() -> None:
    breaker = Breaker(rest_seconds=10)
    breaker.failed(0, rest_seconds=60)
    assert not breaker.allows(59)
    assert breaker.allows(60)


def test_no_rest_is_longer_than_the_most() -> None:
    breaker, now = opened(), 0.0
    for _ in range(20):
        now += MOST_REST_SECONDS
        breaker.failed(now, rest_seconds=86_400)
    assert breaker.allows(now + MOST_REST_SECONDS)
