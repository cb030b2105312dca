"""What becomes of a ringing reminder, whatever happens to its call and in whatever order."""

from __future__ import annotations

from datetime import timedelta

import pytest

from phone.ring_states import OPEN, OVER, Happened, RingOptions, State, Step, after, ended, who

OPTIONS = RingOptions(delays=(timedelta(minutes=2), timedelta(minutes=10)))
FAILS = [
    Happened.DELAYED,
    Happened.LOST,
    Happened.BUSY,
    Happened.NO_ANSWER,
    Happened.FAILED,
    Happened.CANCELED,
]


@pytest.mark.parametrize(
    ("answered_by", "what"),
    [
        ("human", Happened.HUMAN),
        ("unknown", Happened.HUMAN),
        ("", Happened.HUMAN),
        ("machine_start", Happened.MACHINE),
        ("machine_end_beep", Happened.MACHINE),
        ("machine_end_silence", Happened.MACHINE),
        ("machine_end_other", Happened.MACHINE),
        ("fax", Happened.FAX),
    ],
)
def test_who_picked_up_is_read_from_what_twilio_heard(answered_by: str, what: Happened) -> None:
    assert who(answered_by) == what


@pytest.mark.parametrize(
    ("status", "what"),
    [
        ("queued", None),
        ("initiated", None),
        ("ringing", None),
        ("in-progress", None),
        ("busy", Happened.BUSY),
        ("no-answer", Happened.NO_ANSWER),
        ("failed", Happened.FAILED),
        ("canceled", Happened.CANCELED),
        ("completed", Happened.COMPLETED),
        ("nonsense", None),
    ],
)
def test_only_an_end_is_taken_for_one(status: str, what: Happened | None) -> None:
    assert ended(status) == what


@pytest.mark.parametrize(
    ("what", "state"),
    [
        (Happened.HUMAN, State.ANSWERED),
        (Happened.MACHINE, State.VOICEMAIL),
        (Happened.FAX, State.GIVEN_UP),
        (Happened.REFUSED, State.GIVEN_UP),
    ],
)
@pytest.mark.parametrize("before", sorted(OPEN))
def test_who_answers_is_the_end_of_it_from_every_open_state(
    before: str, what: Happened, state: State
) -> None:
    """Also when the answer comes before its worker has noted the call, or has been given up."""
    assert after(before, 1, what, OPTIONS) == Step(state, what)


@pytest.mark.parametrize("what", FAILS)
@pytest.mark.parametrize("before", [State.PLACING, State.RINGING])
def test_a_try_that_failed_is_repeated_after_growing_delays_and_not_for_ever(
    before: State, what: Happened
) -> None:
    waits = [after(before, tries, what, OPTIONS) for tries in (1, 2, 3)]
    assert waits == [
        Step(State.WAITING, what, timedelta(minutes=2)),
        Step(State.WAITING, what, timedelta(minutes=10)),
        Step(State.GIVEN_UP, what),
    ]


def test_a_call_that_ended_without_a_word_of_ours_is_repeated() -> None:
    step = after(State.RINGING, 1, Happened.COMPLETED, OPTIONS)
    assert step == Step(State.WAITING, Happened.UNTOLD, timedelta(minutes=2))


@pytest.mark.parametrize("what", [*FAILS, Happened.COMPLETED, Happened.PLACED])
def test_what_is_told_of_a_try_given_up_as_lost_is_not_counted_twice(what: Happened) -> None:
    assert after(State.WAITING, 1, what, OPTIONS) is None


def test_a_placed_call_rings_unless_more_is_known_already() -> None:
    placed = after(State.PLACING, 1, Happened.PLACED, OPTIONS)
    assert placed == Step(State.RINGING, "placed", OPTIONS.ringing)
    for later in (State.RINGING, *OVER):
        assert after(later, 1, Happened.PLACED, OPTIONS) is None


@pytest.mark.parametrize("what", list(Happened))
@pytest.mark.parametrize("before", sorted(OVER))
def test_what_is_over_stays_over(before: str, what: Happened) -> None:
    assert after(before, 1, what, OPTIONS) is None


@pytest.mark.parametrize("what", list(Happened))
def test_nothing_happens_to_what_was_never_tried(what: Happened) -> None:
    assert after(State.WAITING, 0, what, OPTIONS) is None
