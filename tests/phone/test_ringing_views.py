"""What Twilio asks of a reminder's call: signed, twice, too late, and by whoever picks up."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest
from django.contrib.auth.models import User
from django.test import Client
from twilio.request_validator import RequestValidator

from convonet.far_end import twiml
from phone import ring_calls, ringing
from phone.models import PhoneCall, Ringing
from phone.ring_states import Happened, State
from tests.phone.rings import NOW, OPTIONS, PUBLIC, TOKEN, again, claimed, have_telephone, person
from todo import reminders
from todo.models import Preferences, Reminder
from voice import scope
from voice.models import Call

pytestmark = [pytest.mark.django_db, pytest.mark.urls("phone.urls")]


@pytest.fixture(autouse=True)
def telephone(settings: Any) -> None:
    have_telephone(settings)


def post(row: Ringing, tries: int = 1, path: str = "", token: str = TOKEN, **said: str) -> Any:
    said = {"CallSid": "CA1", "From": "+15550100", "To": row.number} | said
    return signed_post(f"/twilio/ring/{row.pk}{path}?try={tries}", token, **said)


def signed_post(path: str, token: str = TOKEN, **said: str) -> Any:
    url = PUBLIC + path
    headers = {"X-Twilio-Signature": RequestValidator(token).compute_signature(url, said)}
    kind = "application/x-www-form-urlencoded"
    return Client().post(path, urlencode(said), content_type=kind, headers=headers)


def answers(row: Ringing, answered_by: str = "human", **more: Any) -> list[str]:
    """The verbs that whoever picked up gets."""
    answer = post(row, AnsweredBy=answered_by, CallStatus="in-progress", **more)
    assert answer.status_code == 200
    text = answer.content.decode()
    assert twiml.read(text).faults == []
    return [verb.tag for verb in ElementTree.fromstring(text)]


def test_a_person_who_picks_up_is_connected_as_nobody_who_may_answer_this_alone() -> None:
    anna = person()
    Preferences.objects.create(owner=anna, time_zone="Europe/Berlin")
    row = claimed(anna)
    assert answers(row) == ["Connect", "Redirect"]
    phone = PhoneCall.objects.select_related("call").get(sid="CA1")
    call = phone.call
    assert (call.user, call.identified, call.about_reminder) == (anna, False, row.reminder)
    assert (call.time_zone, phone.direction) == ("Europe/Berlin", "outbound")
    assert scope.tools_of(call) == frozenset({"end_call", "answer_reminder"})
    assert phone.saying == (
        "Hello Anna, this is Convonet with a reminder: call the bank. Say done, or in ten minutes."
    )
    assert (again(row).state, again(row).sid, again(row).call) == (State.ANSWERED, "CA1", call)


def test_twilio_may_ask_twice_and_gets_the_same_call() -> None:
    row = claimed(person())
    assert answers(row) == answers(row) == ["Connect", "Redirect"]
    assert Call.objects.count() == 1


@pytest.mark.parametrize(
    ("told", "words"),
    [(False, "Hello Anna, this is Convonet with a reminder"), (True, "Sorry, I lost you")],
)
def test_a_broken_call_goes_on_with_the_reminder_unless_that_was_heard(
    told: bool, words: str
) -> None:
    row = claimed(person())
    answers(row)
    if told:
        reminders.told(row.reminder, NOW)
    Call.objects.update(end_reason="left", ended_at=NOW)
    signed_post("/twilio/next", CallSid="CA1", CallStatus="in-progress")
    phone = PhoneCall.objects.get(sid="CA1")
    assert phone.saying.startswith(words)
    assert phone.streams == 2


def test_only_one_of_two_calls_of_a_try_is_connected() -> None:
    row = claimed(person())
    assert answers(row, CallSid="CA1") == ["Connect", "Redirect"]
    assert answers(row, CallSid="CA2") == ["Hangup"]
    assert again(row).sid == "CA1"


def test_an_earlier_try_and_one_that_never_was_are_hung_up_on() -> None:
    row = claimed(person())
    ringing.happened(row.pk, 1, Happened.BUSY, NOW, OPTIONS)
    ringing.claim(row.pk, NOW + OPTIONS.delays[0], OPTIONS)
    for tries in (1, 0, 3):
        assert answers(row, tries=tries) == ["Hangup"]
    assert Call.objects.count() == 0
    assert again(row).state == State.PLACING


def test_a_call_given_up_as_lost_is_taken_when_it_is_answered_after_all() -> None:
    row = claimed(person())
    ringing.happened(row.pk, 1, Happened.LOST, NOW, OPTIONS)
    assert answers(row) == ["Connect", "Redirect"]
    assert ringing.claim(row.pk, NOW + OPTIONS.delays[0], OPTIONS) is None


@pytest.mark.parametrize(
    "machine", ["machine_end_beep", "machine_end_silence", "machine_end_other"]
)
def test_a_machine_is_left_a_message_and_the_reminder_is_still_to_be_told(machine: str) -> None:
    anna = person()
    row = claimed(anna)
    assert answers(row, machine) == ["Say", "Hangup"]
    assert again(row).state == State.VOICEMAIL
    assert [one.text for one in reminders.missed(anna)] == ["call the bank"]
    assert answers(row, machine) == ["Hangup"]
    assert Call.objects.count() == 0


def test_a_fax_machine_is_called_no_more() -> None:
    row = claimed(person())
    assert answers(row, "fax") == ["Hangup"]
    assert again(row).state == State.GIVEN_UP


def test_the_end_of_a_call_nobody_answered_has_it_repeated() -> None:
    row = claimed(person())
    assert post(row, path="/status", CallStatus="no-answer").status_code == 204
    assert (again(row).state, again(row).outcome) == (State.WAITING, "no answer")


def test_the_end_of_a_call_that_was_answered_closes_its_row() -> None:
    row = claimed(person())
    answers(row)
    post(row, path="/status", CallStatus="completed", CallDuration="31")
    phone = PhoneCall.objects.select_related("call").get(sid="CA1")
    assert (phone.status, phone.seconds) == ("completed", 31)
    assert phone.call.ended_at is not None
    assert again(row).state == State.ANSWERED


def test_a_status_that_is_no_end_changes_nothing() -> None:
    row = claimed(person())
    post(row, path="/status", CallStatus="in-progress")
    assert again(row).state == State.PLACING


@pytest.mark.parametrize("path", ["", "/status"])
def test_what_twilio_did_not_sign_is_turned_away(path: str) -> None:
    row = claimed(person())
    refused = post(row, path=path, token="another", AnsweredBy="human", CallStatus="completed")
    assert refused.status_code == 403
    assert again(row).state == State.PLACING
    assert Call.objects.count() == 0


def test_the_longest_reminder_fits_into_what_is_said() -> None:
    user = User(username="x" * 150, first_name="y" * 150)
    reminder = Reminder(owner=user, text="z" * reminders.TEXT_LENGTH)
    words = ring_calls.first_words(reminder)
    assert len(words) <= 300
    assert words.endswith("Say done, or in ten minutes.")


@pytest.mark.urls("convonet.urls")
def test_operators_read_what_became_of_it_and_change_nothing() -> None:
    row = claimed(person())
    ringing.happened(row.pk, 1, Happened.BUSY, NOW, OPTIONS)
    operator = Client()
    operator.force_login(User.objects.create_superuser("operator"))
    listed = operator.get("/admin/phone/ringing/").content.decode()
    shown = operator.get(f"/admin/phone/ringing/{row.pk}/change/").content.decode()
    for page in (listed, shown):
        assert "call the bank" in page
        assert "busy" in page
    assert operator.post(f"/admin/phone/ringing/{row.pk}/change/", {"tries": 0}).status_code == 403
    assert operator.post(f"/admin/phone/ringing/{row.pk}/delete/").status_code == 403
