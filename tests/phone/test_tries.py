"""Wrong PINs lock a number and an account for longer and longer, for every process alike."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from phone import tries
from phone.models import FailedTries
from phone.tries import DELAYS, FREE_TRIES, Locked

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
NUMBER, ANNA, BEN = "number:+15551234567", "account:1", "account:2"
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_remembered() -> Any:
    tries._remembered.clear()
    yield
    tries._remembered.clear()


def guess(now: datetime, number: str = NUMBER, accounts: tuple[str, ...] = (ANNA,)) -> Any:
    """One wrong PIN; answers until when the next must wait."""
    return tries.wrong(tries.begin(number, accounts, now), now)


def lock(number: str = NUMBER, accounts: tuple[str, ...] = (ANNA,)) -> None:
    for _ in range(FREE_TRIES):
        guess(NOW, number, accounts)


def test_five_wrong_pins_lock_for_a_minute() -> None:
    assert [guess(NOW) for _ in range(4)] == [None] * 4
    assert guess(NOW) == NOW + timedelta(minutes=1)
    with pytest.raises(Locked) as locked:
        guess(NOW + timedelta(seconds=59))
    assert locked.value.until == NOW + timedelta(minutes=1)


def test_every_further_wrong_pin_locks_for_longer_up_to_a_day() -> None:
    lock()
    now, waits = NOW, []
    for delay in (*DELAYS, DELAYS[-1]):
        now += delay
        until = guess(now)
        waits.append(until - now)
    assert waits == [*DELAYS[1:], DELAYS[-1], DELAYS[-1]]
    assert waits == sorted(waits)


def test_a_right_pin_frees_the_number_and_the_account() -> None:
    for _ in range(4):
        guess(NOW)
    tries.right(tries.begin(NUMBER, [ANNA], NOW), ANNA)
    assert not FailedTries.objects.exists()
    assert guess(NOW) is None


def test_of_people_who_share_a_number_one_neither_locks_nor_frees_another() -> None:
    for _ in range(3):
        guess(NOW, accounts=(ANNA, BEN))
    for _ in range(10):
        tries.right(tries.begin(NUMBER, [ANNA, BEN], NOW), ANNA)
    row = FailedTries.objects.get()
    assert (row.subject, row.count, row.locked_until) == (BEN, 3, None)


def test_an_account_is_locked_from_every_number_and_a_number_for_every_account() -> None:
    lock()
    with pytest.raises(Locked):
        guess(NOW, number="number:+4930123456")
    with pytest.raises(Locked):
        guess(NOW, accounts=(BEN,))
    assert guess(NOW, "number:+4930123456", (BEN,)) is None


def test_of_several_accounts_a_locked_one_is_left_out() -> None:
    lock(number="number:+4930123456")
    made = tries.begin(NUMBER, [ANNA, BEN], NOW)
    assert made.accounts == (BEN,)


def test_all_who_withhold_their_number_share_one_lock() -> None:
    assert tries.of_number("") == "number:withheld"
    for account in range(FREE_TRIES):
        guess(NOW, tries.of_number(""), (tries.of_account(account),))
    with pytest.raises(Locked):
        guess(NOW, tries.of_number(""), (tries.of_account(99),))


def test_a_number_that_is_nobodys_locks_as_one_that_is_somebodys() -> None:
    for caller in range(FREE_TRIES):
        guess(NOW, f"number:+1555000000{caller}", (tries.of_account("+4930999999"),))
    with pytest.raises(Locked):
        guess(NOW, "number:+15550000009", (tries.of_account("+4930999999"),))


def test_a_locked_guess_writes_nothing_and_asks_the_database_once() -> None:
    lock()
    tries._remembered.clear()
    before = list(FailedTries.objects.order_by("pk").values())
    queries: list[str] = []

    def counting(execute: Any, sql: str, *rest: Any) -> Any:
        queries.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(counting):
        for guesses in range(1000):
            with pytest.raises(Locked):
                guess(NOW + timedelta(milliseconds=5 * guesses))
    assert len(queries) == 1
    assert queries[0].startswith("SELECT")
    assert list(FailedTries.objects.order_by("pk").values()) == before


def test_what_is_remembered_is_asked_for_again_after_a_while() -> None:
    lock()
    FailedTries.objects.all().delete()
    with pytest.raises(Locked):
        guess(NOW + timedelta(seconds=9))
    assert guess(NOW + timedelta(seconds=11)) is None


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tries, "MOST_REMEMBERED", 3)
    for number in range(5):
        lock(f"number:+4930{number}", (f"account:{number}",))
    assert len(tries._remembered) == 3


def test_a_lock_is_told_before_anybody_tries() -> None:
    assert tries.lock_of([NUMBER, ANNA, BEN], NOW) is None
    lock(number="number:+4930123456")
    assert tries.lock_of([NUMBER, ANNA, BEN], NOW) is None
    assert tries.lock_of([NUMBER, ANNA], NOW) == NOW + DELAYS[0]


def test_a_lock_can_be_lifted() -> None:
    lock()
    tries.lift(NUMBER, ANNA)
    assert guess(NOW) is None


def test_after_two_quiet_days_counting_begins_anew_and_old_rows_are_gone() -> None:
    lock()
    later = NOW + tries.FORGOTTEN + timedelta(minutes=1)
    assert guess(later) is None
    assert FailedTries.objects.get(subject=NUMBER).count == 1
    guess(later + tries.FORGOTTEN + timedelta(minutes=1), "number:+4930123456", (BEN,))
    assert not FailedTries.objects.filter(subject=NUMBER).exists()


def test_no_number_is_written_in_full_into_the_log(caplog: pytest.LogCaptureFixture) -> None:
    lock()
    assert [record.getMessage() for record in caplog.records] == ["PIN tries locked"] * 2
    subjects = {vars(record)["subject"] for record in caplog.records}
    assert subjects == {"number:…4567", "account:1"}


@pytest.mark.django_db(transaction=True)
def test_guesses_made_at_once_are_no_more_than_five() -> None:
    start, made = threading.Barrier(8), []

    def guesser() -> None:
        try:
            start.wait(60)
            for _ in range(4):
                try:
                    tries.begin(NUMBER, [ANNA], NOW)
                except Locked:
                    return
                made.append(1)
        finally:
            connection.close()

    threads = [threading.Thread(target=guesser) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(made) == FREE_TRIES
    counts = FailedTries.objects.values_list("count", flat=True)
    assert list(counts) == [FREE_TRIES, FREE_TRIES]
