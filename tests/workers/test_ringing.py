"""Placing calls for reminders: what Twilio says, and what becomes of the row."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from convonet import ports
from phone.models import PhoneAccount, PhoneNumber, Ringing
from phone.ring_states import Happened, RingOptions, State
from tests.standins.twilio_process import TwilioProcess
from todo.models import Reminder
from workers import reminders, ringing
from workers.ringing import Answer, read

OPTIONS = RingOptions()
NUMBER = "+15551230001"


def said(status: int, body: object) -> Answer:
    return read(httpx.Response(status, json=body))


@pytest.mark.parametrize(
    ("status", "body", "answer"),
    [
        (201, {"sid": "CA1", "status": "queued"}, Answer(None, "CA1")),
        (200, {"sid": "CA1", "status": "in-progress"}, Answer(None, "CA1")),
        (200, {"sid": "CA1", "status": "busy"}, Answer(Happened.BUSY, "CA1")),
        (200, {"sid": "CA1", "status": "completed"}, Answer(Happened.COMPLETED, "CA1")),
        (400, {"code": 21211}, Answer(Happened.REFUSED, code="21211")),
        (401, {"code": 20003}, Answer(Happened.REFUSED, code="20003")),
        (403, {"code": 21610}, Answer(Happened.REFUSED, code="21610")),
        (404, "", Answer(Happened.REFUSED, code="404")),
        (429, {"code": 20429}, Answer(Happened.DELAYED, code="20429")),
        (503, {"code": 20503}, Answer(Happened.DELAYED, code="20503")),
        (500, {"code": 20500}, Answer(Happened.LOST, code="20500")),
        (201, {}, Answer(Happened.LOST, code="201")),
        (201, [1], Answer(Happened.LOST, code="201")),
        (302, {}, Answer(Happened.LOST, code="302")),
    ],
)
def test_what_twilio_says_is_for_good_for_now_or_not_known(
    status: int, body: object, answer: Answer
) -> None:
    assert said(status, body) == answer


def test_a_page_of_somebody_in_between_is_not_known() -> None:
    assert read(httpx.Response(200, text="<html>")).happened == Happened.LOST
    assert read(httpx.Response(502, text="<html>")).happened == Happened.LOST


# With the stand-in ------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def running_twilio() -> Iterator[TwilioProcess]:
    process = TwilioProcess()
    yield process
    process.stop()


@pytest.fixture
def twilio(running_twilio: TwilioProcess, settings: Any) -> TwilioProcess:
    """Reached from here; what it asks of us goes nowhere."""
    running_twilio.reset()
    for name, value in running_twilio.env.items():
        setattr(settings, name, value)
    settings.PUBLIC_URL = f"http://127.0.0.1:{ports.any_free()}"
    return running_twilio


@pytest.fixture
def row(twilio: TwilioProcess, db: None) -> Ringing:
    """Of somebody whose reminder is due now."""
    user = User.objects.create_user("anna")
    account = PhoneAccount.objects.create(owner=user, rings=True)
    PhoneNumber.objects.create(account=account, number=NUMBER)
    reminder = Reminder.objects.create(
        owner=user, text="tea", due_at=timezone.now(), state=Reminder.State.FIRED
    )
    return Ringing.objects.create(reminder=reminder, number=NUMBER, next_at=timezone.now())


def look(row: Ringing) -> Ringing:
    ringing.look(row.pk, OPTIONS)
    row.refresh_from_db()
    return row


def come(row: Ringing, **values: Any) -> Ringing:
    """Its time has come."""
    Ringing.objects.filter(pk=row.pk).update(next_at=timezone.now(), **values)
    return row


def waits(row: Ringing) -> timedelta:
    return timedelta(minutes=round((row.next_at - timezone.now()) / timedelta(minutes=1)))


@pytest.mark.service
def test_a_call_is_placed_with_what_finds_machines_out_and_what_finds_its_try(
    row: Ringing, twilio: TwilioProcess, settings: Any
) -> None:
    twilio.configure(callees={NUMBER: {"rings_seconds": 1000}}, pace=1)
    assert (look(row).state, row.tries, row.outcome) == (State.RINGING, 1, "placed")
    (call,) = twilio.calls
    assert call["sid"] == row.sid
    here = f"{settings.PUBLIC_URL}/twilio/ring/{row.pk}"
    assert call["parameters"] == {
        "To": NUMBER,
        "From": settings.TWILIO_NUMBER,
        "Url": f"{here}?try=1",
        "Method": "POST",
        "StatusCallback": f"{here}/status?try=1",
        "StatusCallbackMethod": "POST",
        "StatusCallbackEvent": "completed",
        "Timeout": "30",
        "MachineDetection": "DetectMessageEnd",
        "MachineDetectionTimeout": "30",
        "MachineDetectionSpeechThreshold": "2400",
        "MachineDetectionSpeechEndThreshold": "1200",
        "MachineDetectionSilenceTimeout": "5000",
    }


@pytest.mark.service
@pytest.mark.parametrize("fails", ["429", "503"])
def test_a_busy_twilio_is_asked_again_later(
    row: Ringing, twilio: TwilioProcess, fails: str
) -> None:
    twilio.configure(fails=fails)
    assert (look(row).state, row.outcome) == (State.WAITING, "not taken")
    assert waits(row) == OPTIONS.delays[0]


@pytest.mark.service
def test_a_twilio_that_cannot_be_reached_is_asked_again_later(row: Ringing, settings: Any) -> None:
    settings.TWILIO_API_URL = f"http://127.0.0.1:{ports.any_free()}"
    assert (look(row).state, row.outcome) == (State.WAITING, "not taken")


@pytest.mark.service
@pytest.mark.parametrize("fails", ["500", "page", "silence"])
def test_a_call_that_may_ring_is_given_time_before_it_is_repeated(
    row: Ringing,
    twilio: TwilioProcess,
    fails: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ringing, "WAIT_SECONDS", 0.5)
    twilio.configure(fails=fails)
    assert look(row).state == State.PLACING
    assert look(row).tries == 1
    assert look(come(row)).state == State.WAITING
    assert (row.outcome, waits(row)) == ("not known", OPTIONS.delays[0])
    monkeypatch.undo()
    twilio.configure(fails="")
    assert (look(come(row)).state, row.tries) == (State.RINGING, 2)


@pytest.mark.service
@pytest.mark.parametrize(
    ("setting", "value", "code"),
    [("TWILIO_AUTH_TOKEN", "wrong", "20003"), ("TWILIO_NUMBER", "+15550000000", "21210")],
)
def test_what_cannot_succeed_is_given_up_with_one_line_for_the_operator(
    row: Ringing,
    settings: Any,
    setting: str,
    value: str,
    code: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    setattr(settings, setting, value)
    assert (look(row).state, row.tries) == (State.GIVEN_UP, 1)
    (line,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert (line.message, line.__dict__["code"]) == ("reminder call refused by Twilio", code)
    assert NUMBER not in caplog.text
    assert look(come(row)).state == State.GIVEN_UP


@pytest.mark.service
def test_a_call_of_which_nothing_was_heard_is_asked_after(
    row: Ringing, twilio: TwilioProcess
) -> None:
    twilio.configure(callees={NUMBER: {"rings_seconds": 1000}}, pace=1)
    look(row)
    assert look(come(row)).state == State.RINGING
    assert waits(row) == OPTIONS.ringing
    twilio.configure(fails="503")
    assert look(come(row)).state == State.RINGING
    twilio.configure(fails="", callees={NUMBER: {"outcome": "busy"}}, pace=0)
    busy = Ringing(number=NUMBER, pk=row.pk, tries=1)
    sid = ringing.read(_placed(busy)).sid
    twilio.wait_for_call(lambda call: call["sid"] == sid and call["status"] == "busy", "it ends")
    assert look(come(row, sid=sid)).state == State.WAITING
    assert row.outcome == "busy"


def _placed(row: Ringing) -> httpx.Response:
    """Behind the product's back."""
    from django.conf import settings

    account = settings.TWILIO_ACCOUNT_SID
    return httpx.post(
        f"{settings.TWILIO_API_URL}/2010-04-01/Accounts/{account}/Calls.json",
        auth=(account, settings.TWILIO_AUTH_TOKEN),
        data=ringing.call_request(row, OPTIONS),
    )


@pytest.mark.service
def test_a_row_that_is_gone_or_not_due_places_nothing(row: Ringing, twilio: TwilioProcess) -> None:
    pk = row.pk
    Ringing.objects.filter(pk=pk).update(next_at=timezone.now() + timedelta(minutes=1))
    ringing.look(pk)
    row.delete()
    ringing.look(pk)
    assert twilio.asked == []


# With the scheduler's sweep ---------------------------------------------------------------------
@pytest.mark.service
def test_firing_a_reminder_has_its_owner_called_at_once(
    redis: Any, settings: Any, row: Ringing
) -> None:
    reminder = Reminder.objects.create(owner=row.reminder.owner, text="bus", due_at=timezone.now())
    assert reminders.fire_due(redis) == [reminder.pk]
    assert set(reminders.to_ring()) == {row.pk, Ringing.objects.get(reminder=reminder).pk}
