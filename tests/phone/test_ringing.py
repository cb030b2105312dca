"""Reminders that ring, row by row: who is called, and by which worker."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from phone import ringing
from phone.models import PhoneNumber, Ringing
from phone.ring_states import Happened, RingOptions, State
from tests.phone.rings import (
    MINUTE,
    NOW,
    OPTIONS,
    again,
    claimed,
    fire,
    have_telephone,
    person,
    ring_of,
)
from todo import reminders
from voice.models import Call

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def telephone(settings: Any) -> None:
    have_telephone(settings)


def test_who_wishes_it_is_called_at_their_first_number_once_for_each_reminder() -> None:
    anna = person()
    PhoneNumber.objects.create(account=anna.phone_account, number="+15550111")
    row = ring_of(anna)
    assert (row.number, row.state, row.tries) == ("+15550199", State.WAITING, 0)
    assert ringing.due(NOW) == [row.pk]
    reminders.fire_due(NOW, lambda fired: ringing.wait_for(fired, NOW))
    assert Ringing.objects.count() == 1


@pytest.mark.parametrize(
    ("number", "account"), [("", {}), ("+15550199", {"rings": False})], ids=["number", "wish"]
)
def test_without_a_number_or_the_wish_nobody_is_called(
    number: str, account: dict[str, Any]
) -> None:
    fire(person(number=number, **account))
    assert Ringing.objects.count() == 0


@pytest.mark.parametrize(
    "missing", ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_NUMBER", "PUBLIC_URL"]
)
def test_without_a_telephone_nobody_is_called(missing: str, settings: Any) -> None:
    setattr(settings, missing, "")
    fire(person())
    assert Ringing.objects.count() == 0


def test_somebody_who_was_locked_out_of_the_service_is_not_called() -> None:
    anna = person()
    User.objects.filter(pk=anna.pk).update(is_active=False)
    fire(anna)
    assert Ringing.objects.count() == 0


# Who calls --------------------------------------------------------------------------------------
def test_a_row_is_claimed_once_and_looked_at_again_when_nothing_is_heard() -> None:
    row = claimed(person())
    assert (again(row).state, again(row).tries) == (State.PLACING, 1)
    assert ringing.claim(row.pk, NOW + MINUTE, OPTIONS) is None
    assert ringing.due(NOW + MINUTE) == []
    assert ringing.due(NOW + OPTIONS.placing) == [row.pk]


@pytest.mark.django_db(transaction=True)
def test_of_two_workers_exactly_one_claims_a_row() -> None:
    row = ring_of(person())
    together, got = threading.Barrier(2, timeout=30), []

    def claim() -> None:
        try:
            together.wait()
            got.append(ringing.claim(row.pk, NOW, OPTIONS))
        finally:
            connection.close()

    threads = [threading.Thread(target=claim) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert [one is None for one in got].count(True) == 1
    assert again(row).tries == 1


def test_what_was_told_meanwhile_rings_nobody() -> None:
    row = ring_of(person())
    reminders.told(row.reminder, NOW)
    assert ringing.claim(row.pk, NOW, OPTIONS) is None
    assert (again(row).state, again(row).outcome) == (State.CANCELLED, "told elsewhere")
    assert ringing.due(NOW + OPTIONS.latest) == []


def test_a_reminder_of_long_ago_rings_nobody_and_is_still_to_be_told() -> None:
    anna = person()
    row = ring_of(anna)
    late = NOW + OPTIONS.latest + MINUTE
    assert ringing.claim(row.pk, late, OPTIONS) is None
    assert again(row).state == State.GIVEN_UP
    assert len(reminders.missed(anna)) == 1


def test_who_is_in_a_call_with_us_is_called_once_that_is_over_unless_told_there() -> None:
    anna = person()
    row, call = ring_of(anna), Call.objects.create(user=anna)
    assert ringing.claim(row.pk, NOW, OPTIONS) is None
    assert (again(row).state, again(row).tries) == (State.WAITING, 0)
    Call.objects.filter(pk=call.pk).update(ended_at=NOW)
    assert ringing.claim(row.pk, NOW, OPTIONS) is None  # not yet
    assert ringing.claim(row.pk, NOW + OPTIONS.put_off, OPTIONS) is not None


def test_two_reminders_ring_one_after_the_other() -> None:
    anna = person()
    first, second = (Ringing.objects.get(reminder=fire(anna, text)) for text in ("one", "two"))
    assert ringing.claim(first.pk, NOW, OPTIONS) is not None
    assert ringing.claim(second.pk, NOW, OPTIONS) is None
    ringing.happened(first.pk, 1, Happened.MACHINE, NOW, OPTIONS)
    assert ringing.claim(second.pk, NOW + OPTIONS.put_off, OPTIONS) is not None


def test_nobody_is_called_all_day() -> None:
    anna, few = person(), RingOptions(most_a_day=2)
    rows = [Ringing.objects.get(reminder=fire(anna, text)) for text in ("one", "two", "three")]
    for row in rows[:2]:
        assert ringing.claim(row.pk, NOW, few) is not None
        ringing.happened(row.pk, 1, Happened.MACHINE, NOW, few)
    assert ringing.claim(rows[2].pk, NOW, few) is None
    assert (again(rows[2]).state, again(rows[2]).outcome) == (State.GIVEN_UP, "too many calls")
    tomorrow = NOW + timedelta(days=1, minutes=1)
    row = Ringing.objects.get(reminder=fire(anna, "four", tomorrow))
    assert ringing.claim(row.pk, tomorrow, few) is not None


def test_what_is_heard_of_an_earlier_try_counts_no_more() -> None:
    row = claimed(person())
    ringing.happened(row.pk, 1, Happened.BUSY, NOW, OPTIONS)
    assert ringing.claim(row.pk, NOW + OPTIONS.delays[0], OPTIONS) is not None
    for what in Happened:
        assert ringing.happened(row.pk, 1, what, NOW, OPTIONS) is None
    assert (again(row).state, again(row).tries) == (State.PLACING, 2)
