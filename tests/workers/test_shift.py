"""When a child claims, stops to, and ends its shift."""

from __future__ import annotations

import pytest

from workers import shift
from workers.shift import Shift, Step


def test_work_is_claimed_while_a_lane_is_free() -> None:
    mine = Shift(began=100.0, lanes=2)
    assert mine.next(100.0, running=1) is Step.CLAIM
    assert mine.next(100.1, running=2) is Step.WAIT
    assert mine.next(100.2, running=1) is Step.CLAIM


def test_a_lull_ends_the_shift_but_only_after_a_while() -> None:
    mine = Shift(began=100.0, lanes=4)
    assert mine.next(105.0, running=1) is Step.CLAIM
    assert mine.next(105.1, running=0) is Step.CLAIM
    assert mine.next(105.9 + shift.LINGER_SECONDS, running=1) is Step.CLAIM
    assert mine.next(105.8 + 2 * shift.LINGER_SECONDS, running=0) is Step.CLAIM
    assert mine.next(106.0 + 2 * shift.LINGER_SECONDS, running=0) is Step.END


@pytest.mark.parametrize(
    ("grown", "due"), [(True, shift.GROWN_SECONDS), (False, shift.OLD_SECONDS)]
)
def test_a_child_asks_to_be_the_one_that_drains_and_goes_on_until_it_is(
    grown: bool, due: float
) -> None:
    mine = Shift(began=0.0, lanes=4)
    assert mine.next(due - 0.1, running=2, grown=grown) is Step.CLAIM
    assert mine.next(due, running=2, grown=grown) is Step.ASK
    assert mine.next(due + 0.1, running=2, grown=grown) is Step.CLAIM
    assert mine.next(due + shift.ASK_SECONDS, running=2, grown=grown) is Step.ASK
    mine.drain()
    assert mine.next(due + 1.1, running=2, grown=grown) is Step.WAIT
    assert mine.next(due + 1.2, running=0, grown=grown) is Step.END


def test_a_shift_ends_in_any_case() -> None:
    mine = Shift(began=0.0, lanes=4)
    assert mine.next(shift.LONGEST_SECONDS, running=3) is Step.WAIT
    assert mine.draining
    assert mine.next(shift.LONGEST_SECONDS + 0.1, running=0) is Step.END


def test_an_only_child_leaves_nobody_waiting_before_it_must() -> None:
    mine = Shift(began=0.0, lanes=4, only_child=True)
    assert mine.next(shift.OLD_SECONDS + 1, running=3) is Step.CLAIM
    assert mine.next(shift.LONGEST_SECONDS, running=3) is Step.WAIT


def test_an_only_child_that_has_grown_asks_nobody() -> None:
    mine = Shift(began=0.0, lanes=4, only_child=True)
    assert mine.next(shift.GROWN_SECONDS - 1, running=3, grown=True) is Step.CLAIM
    assert mine.next(shift.GROWN_SECONDS, running=3, grown=True) is Step.WAIT


def test_a_long_task_is_not_waited_for_without_taking_others() -> None:
    mine = Shift(began=0.0, lanes=4)
    late = shift.LONGEST_SECONDS
    assert mine.next(late, running=1, grown=True, keeps=True) is Step.CLAIM
    assert mine.next(late + 1, running=1) is Step.WAIT


def test_a_task_that_wants_to_be_alone_is() -> None:
    mine = Shift(began=0.0, lanes=4, alone=True)
    assert mine.next(0.1, running=1) is Step.WAIT
    assert mine.next(30.0, running=1) is Step.WAIT
    assert mine.next(30.1, running=0) is Step.END
