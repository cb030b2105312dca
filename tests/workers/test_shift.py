"""When a child claims, stops to, and ends its shift."""

from __future__ import annotations

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


def test_an_old_shift_asks_to_be_the_one_that_drains_and_goes_on_until_it_is() -> None:
    mine, old = Shift(began=0.0, lanes=4), shift.AGE_SECONDS
    assert mine.next(old, running=2) is Step.ASK
    assert mine.next(old + 0.1, running=2) is Step.CLAIM
    assert mine.next(old + shift.ASK_SECONDS, running=2) is Step.ASK
    mine.drain()
    assert mine.next(old + 1.1, running=2) is Step.WAIT
    assert mine.next(old + 1.2, running=0) is Step.END


def test_a_shift_ends_in_any_case() -> None:
    mine = Shift(began=0.0, lanes=4)
    assert mine.next(shift.LONGEST_SECONDS, running=3) is Step.WAIT
    assert mine.draining
    assert mine.next(shift.LONGEST_SECONDS + 0.1, running=0) is Step.END


def test_an_only_child_leaves_nobody_waiting_before_it_must() -> None:
    mine = Shift(began=0.0, lanes=4, only_child=True)
    assert mine.next(shift.AGE_SECONDS + 1, running=3) is Step.CLAIM
    assert mine.next(shift.LONGEST_SECONDS, running=3) is Step.WAIT


def test_a_long_task_is_not_waited_for_without_taking_others() -> None:
    mine = Shift(began=0.0, lanes=4)
    assert mine.next(300.0, running=1, keeps=True) is Step.CLAIM
    assert mine.next(301.0, running=1) is Step.WAIT


def test_a_task_that_wants_to_be_alone_is() -> None:
    mine = Shift(began=0.0, lanes=4, alone=True)
    assert mine.next(0.1, running=1) is Step.WAIT
    assert mine.next(30.0, running=1) is Step.WAIT
    assert mine.next(30.1, running=0) is Step.END
