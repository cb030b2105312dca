"""What Twilio asks of a call, and what it is told: at its begin, after a stream, at its end."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError
from django.test import override_settings
from django.utils import timezone

from phone import after, calls, twiml
from phone.models import Line, PhoneCall
from tests.phone.asking import CALLED, CALLER, PUBLIC, TOKEN, names, post, said, token_of, verbs
from voice import admission
from voice.models import Business, Call, Turn

pytestmark = [pytest.mark.django_db, pytest.mark.urls("phone.urls")]


@pytest.fixture(autouse=True)
def telephone(settings: Any) -> None:
    settings.PUBLIC_URL, settings.TWILIO_AUTH_TOKEN = PUBLIC, TOKEN
    settings.EMBEDDED_LOGIN = False


@pytest.fixture
def acme() -> Business:
    business = Business.objects.create(name="Acme", time_zone="Europe/Vienna")
    Line.objects.create(number=CALLED, business=business)
    return business


def called(**more: str) -> Any:
    return post("/twilio/voice", said(CallStatus="ringing", **more))


def asked_next(path: str = "/twilio/next", **more: str) -> Any:
    return post(path, said(**more))


def ended(reason: str) -> None:
    Call.objects.update(ended_at=timezone.now(), end_reason=reason)


# Its begin --------------------------------------------------------------------------------------
def test_a_call_gets_its_rows_and_a_stream_with_a_token(acme: Business) -> None:
    answer = called()
    assert names(answer) == ["Connect", "Redirect"]
    assert token_of(answer)
    phone = PhoneCall.objects.get()
    assert (phone.sid, phone.ours, phone.theirs) == ("CA1", CALLED, CALLER)
    call = phone.call
    assert (call.channel, call.business, call.identified) == ("phone", acme, False)
    assert (call.time_zone, call.audio_format) == ("Europe/Vienna", "mulaw/8000")


def test_what_follows_the_stream_is_asked_for_at_our_own_address_and_more_than_once() -> None:
    redirect = verbs(called())[1]
    assert redirect.text == f"{PUBLIC}/twilio/next#rc=5&rp=ct,rt,5xx"
    assert redirect.attributes == {"method": "POST"}


def test_a_webhook_that_is_repeated_makes_no_second_call(acme: Business) -> None:
    tokens = {token_of(called()), token_of(called())}
    assert len(tokens) == 2
    assert (Call.objects.count(), PhoneCall.objects.get().streams) == (1, 2)


def test_the_same_webhook_at_the_same_moment_makes_one_call(
    acme: Business, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other request has not been seen yet when this one looks."""
    called()
    monkeypatch.setattr(calls, "find", lambda _sid: None)
    assert names(called()) == ["Connect", "Redirect"]
    assert Call.objects.count() == 1


@pytest.mark.parametrize("written", [CALLED, "+1 555-000-1000", " +1 (555) 000.1000 "])
def test_the_number_called_tells_the_business_however_it_is_written(
    acme: Business, written: str
) -> None:
    called(To=written)
    assert Call.objects.get().business == acme


def test_a_number_nobody_knows_is_answered_all_the_same(acme: Business) -> None:
    assert names(called(To="+19990000000")) == ["Connect", "Redirect"]
    assert Call.objects.get().business is None


@pytest.mark.parametrize(
    "number", ["anonymous", "+266696687", "", "sip:alice@example.com", "Restricted"]
)
def test_a_caller_who_withholds_the_number_has_none(number: str) -> None:
    called(From=number)
    assert PhoneCall.objects.get().theirs == ""


def test_a_caller_is_a_guest_who_cannot_log_in(acme: Business) -> None:
    called()
    called(CallSid="CA2", To="+19990000000")
    guests = {call.user.username: call.user for call in Call.objects.all()}
    assert set(guests) == {f"guest-{acme.pk}", "guest"}
    assert not any(user.has_usable_password() or user.is_staff for user in guests.values())


def test_nobody_who_can_log_in_is_taken_for_a_guest() -> None:
    somebody = User.objects.create_user("guest", password="secret-of-somebody")
    called()
    assert Call.objects.get().user != somebody


def test_a_caller_for_whom_there_is_no_place_is_told_so(settings: Any) -> None:
    settings.MAX_CALLS = 1
    with admission.counted("somebody"):
        answer = called()
    assert names(answer) == ["Say", "Hangup"]
    assert verbs(answer)[0].text == twiml.BUSY
    assert Call.objects.get().end_reason == after.NO_ROOM
    assert names(called(CallSid="CA2")) == ["Connect", "Redirect"]
    assert admission.calls_in_progress() == 0


def test_one_number_does_not_take_all_the_places(settings: Any) -> None:
    settings.MAX_CALLS_PER_USER = 1
    with admission.counted(f"phone:{CALLER}"):
        assert names(called()) == ["Say", "Hangup"]
        assert names(called(CallSid="CA2", From="+15559999999")) == ["Connect", "Redirect"]


# After a stream ---------------------------------------------------------------------------------
@pytest.mark.parametrize("reason", ["said goodbye", "call too long", "not identified"])
def test_a_call_that_was_ended_is_hung_up(reason: str) -> None:
    called()
    ended(reason)
    assert names(asked_next()) == ["Hangup"]


def test_a_call_nobody_knows_is_hung_up() -> None:
    assert names(asked_next(CallSid="CA-unknown")) == ["Hangup"]


@pytest.mark.parametrize("reason", sorted(after.BROKEN))
def test_a_stream_that_broke_is_opened_again_with_a_sentence(reason: str) -> None:
    called()
    if reason:
        ended(reason)
    answer = asked_next()
    assert names(answer) == ["Connect", "Redirect"]
    assert PhoneCall.objects.get().saying == after.SORRY
    assert PhoneCall.objects.get().streams == 2


def test_a_caller_who_is_gone_gets_no_other_stream() -> None:
    called()
    assert names(asked_next(CallStatus="completed")) == ["Hangup"]
    assert PhoneCall.objects.get().streams == 1


def following(answer: Any) -> str:
    """The address it says to ask after the stream, without what is Twilio's."""
    return verbs(answer)[1].text.removeprefix(PUBLIC).partition("#")[0]


def test_after_three_broken_streams_in_a_row_the_call_ends_with_an_apology() -> None:
    path = following(called())
    for _ in range(after.MOST_IN_A_ROW):
        answer = asked_next(path)
        assert names(answer) == ["Connect", "Redirect"]
        path = following(answer)
    assert [(v.name, v.text) for v in verbs(asked_next(path))] == [
        ("Say", after.GIVING_UP),
        ("Hangup", ""),
    ]


def test_streams_that_break_now_and_then_are_not_in_a_row() -> None:
    called()
    long_ago = int(time.time() - after.ROW_SECONDS - 5)
    answer = asked_next(f"/twilio/next?lost={after.MOST_IN_A_ROW}.{long_ago}")
    assert following(answer).startswith("/twilio/next?lost=1.")


@pytest.mark.parametrize("lost", ["", "x", "-1.5", "3", "3.x", "9" * 30])
def test_a_count_that_makes_no_sense_counts_as_none(lost: str) -> None:
    called()
    assert names(asked_next(f"/twilio/next?lost={lost}")) == ["Connect", "Redirect"]


def test_a_call_whose_place_went_to_another_is_told_so() -> None:
    called()
    calls.end(str(Call.objects.get().pk), after.NO_ROOM)
    assert verbs(asked_next())[0].text == twiml.BUSY


def test_asking_twice_what_comes_next_changes_nothing_but_the_token() -> None:
    called()
    first, second = asked_next(), asked_next()
    assert names(first) == names(second)
    assert token_of(first) != token_of(second)
    assert Call.objects.count() == 1


def test_the_fallback_begins_a_call_or_goes_on_with_it() -> None:
    assert names(post("/twilio/fallback", said(ErrorCode="11200"))) == ["Connect", "Redirect"]
    assert PhoneCall.objects.get().saying == ""
    ended("said goodbye")
    assert names(post("/twilio/fallback", said(ErrorCode="11200"))) == ["Hangup"]


# Its end ----------------------------------------------------------------------------------------
def told(status: str, **more: str) -> None:
    assert post("/twilio/status", said(CallStatus=status, **more)).status_code == 204


@pytest.mark.parametrize("status", sorted(calls.FINAL))
def test_the_last_status_closes_the_row(status: str) -> None:
    called()
    told(status, CallDuration="73")
    phone = PhoneCall.objects.get()
    assert (phone.status, phone.seconds) == (status, 73)
    assert phone.call.ended_at is not None
    assert phone.call.end_reason == status


def test_a_row_that_is_closed_keeps_its_reason_and_learns_its_length() -> None:
    called()
    ended("said goodbye")
    told("completed", CallDuration="12")
    phone = PhoneCall.objects.get()
    assert (phone.call.end_reason, phone.seconds) == ("said goodbye", 12)


def test_what_is_told_twice_or_too_late_changes_nothing() -> None:
    called()
    told("in-progress")
    assert Call.objects.get().ended_at is None
    told("completed", CallDuration="5")
    ended_at = Call.objects.get().ended_at
    told("completed", CallDuration="9")
    told("ringing")
    told("failed")
    phone = PhoneCall.objects.get()
    assert (phone.status, phone.seconds, phone.call.ended_at) == ("completed", 5, ended_at)


def test_answers_nobody_stayed_to_hear_end_with_the_call() -> None:
    called()
    turn = Turn.objects.create(call=Call.objects.get(), number=1, state=Turn.State.SPEAKING)
    told("completed")
    turn.refresh_from_db()
    assert turn.state == Turn.State.INTERRUPTED


def test_the_status_of_a_call_nobody_knows_is_taken() -> None:
    told("completed", CallSid="CA-unknown")


def test_a_call_that_was_forgotten_goes_on_where_it_was() -> None:
    """The sweeper has ended it meanwhile; the caller is still there."""
    called()
    Call.objects.update(ended_at=timezone.now() - timedelta(minutes=5), end_reason="")
    assert names(asked_next()) == ["Connect", "Redirect"]


# What goes wrong --------------------------------------------------------------------------------
@pytest.fixture
def broken_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise DatabaseError("it is not there")

    monkeypatch.setattr(calls, "find", fail)
    monkeypatch.setattr(calls, "open_inbound", fail)
    monkeypatch.setattr(calls, "told_status", fail)


@pytest.mark.usefixtures("broken_rows")
@pytest.mark.parametrize("door", ["voice", "next", "fallback", "status"])
def test_whatever_goes_wrong_is_a_sentence_and_no_error_page(
    door: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = post(f"/twilio/{door}", said())
    assert names(answer) == ["Say", "Hangup"]
    assert verbs(answer)[0].text == twiml.NOT_ABLE
    assert [r.message for r in caplog.records if r.name == "phone.doors"] == [
        "telephone request failed"
    ]


@pytest.mark.parametrize("door", ["voice", "next", "fallback", "status"])
def test_parameters_that_are_missing_are_a_sentence_too(door: str) -> None:
    answer = post(f"/twilio/{door}", {"Nothing": "at all"})
    assert answer.status_code == 200


def test_without_a_token_there_is_no_telephone() -> None:
    with override_settings(TWILIO_AUTH_TOKEN=""):
        assert post("/twilio/voice", said()).status_code == 404
    assert not Call.objects.exists()
