"""The webhooks of a transfer, asked as Twilio asks them: signed, repeated, and out of order."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from twilio.request_validator import RequestValidator

from convonet.far_end import twiml
from phone import wishes
from phone.directory import Option
from phone.models import Contact, Department, PhoneCall, Transfer
from tests.phone.people import add_contact, business, department
from voice.leftovers import end_abandoned_calls
from voice.models import Business, Call, ToolCall, Turn

pytestmark = [pytest.mark.django_db, pytest.mark.urls("phone.urls")]
State = Transfer.State
PUBLIC, TOKEN = "https://calls.example.org", "auth-token"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(autouse=True)
def telephone(settings: Any) -> None:
    settings.PUBLIC_URL, settings.TWILIO_AUTH_TOKEN = PUBLIC, TOKEN
    settings.ALLOWED_HOSTS = ["testserver"]


@pytest.fixture
def firm() -> Business:
    return business(hours="")


@pytest.fixture
def sales(firm: Business) -> Department:
    return department(firm, "Sales", "Anna", "Ben")


@pytest.fixture
def phone(firm: Business) -> PhoneCall:
    guest = User.objects.create_user("guest")
    call = Call.objects.create(
        user=guest, channel="phone", business=firm, identified=False, end_reason="said goodbye"
    )
    Call.objects.filter(pk=call.pk).update(ended_at=timezone.now())
    return PhoneCall.objects.create(call=call, sid="CA1", ours="+15550100", theirs="+15550199")


@pytest.fixture
def wish(phone: PhoneCall, sales: Department) -> Transfer:
    return wishes.want(phone.call, Option(sales), "a broken <gate> & a bill")


def post(url: str, **said: str) -> Any:
    """To one of our own URLs, or a path."""
    signature = RequestValidator(TOKEN).compute_signature(_whole(url), said)
    return _post(url, said, {"X-Twilio-Signature": signature})


def _post(url: str, said: dict[str, str], headers: dict[str, str]) -> Any:
    parts = urlsplit(_whole(url))
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    return Client().post(path, urlencode(said), content_type=FORM, headers=headers)


def _whole(url: str) -> str:
    return url if url.startswith("https:") else PUBLIC + url


def document(answer: Any) -> Element:
    """Checked as Twilio checks it."""
    assert answer.status_code == 200
    text = answer.content.decode()
    assert twiml.read(text).faults == []
    return ElementTree.fromstring(text)


def go_on(**said: str) -> Element:
    """What follows the media stream."""
    return document(post("/twilio/next", CallSid="CA1", CallStatus="in-progress", **said))


def dialled(dial: Element, status: str, *, bridged: str = "false", of: str = "in-progress") -> Any:
    said = {"CallSid": "CA1", "CallStatus": of, "DialCallStatus": status, "DialBridged": bridged}
    return post(dial.attrib["action"], **said)


def picks_up(dial: Element) -> Element:
    return document(post(dial[0].attrib["url"], CallSid="CA2", ParentCallSid="CA1"))


def presses(whisper: Element, digits: str) -> Element:
    action = find(whisper, "Gather").attrib["action"]
    return document(post(action, CallSid="CA2", ParentCallSid="CA1", Digits=digits))


def find(page: Element, name: str) -> Element:
    found = page.find(name)
    assert found is not None, ElementTree.tostring(page)
    return found


def spoken(page: Element) -> str:
    return " ".join(str(say.text) for say in page.iter("Say"))


def names(page: Element) -> list[str]:
    return [verb.tag for verb in page]


def now(wish: Transfer) -> Transfer:
    return Transfer.objects.get(pk=wish.pk)


def tried(wish: Transfer) -> list[tuple[str, str]]:
    return [(one["name"], one["outcome"]) for one in now(wish).tried]


def test_after_the_stream_the_first_person_is_dialled(wish: Transfer, phone: PhoneCall) -> None:
    dial = find(go_on(), "Dial")
    assert dial.attrib["answerOnBridge"] == "true"
    assert dial.attrib["callerId"] == "+15550100"
    assert [noun.text for noun in dial] == [Contact.objects.get(name="Anna").number]
    assert now(wish).state == State.DIALLING


def test_the_call_is_open_while_people_are_dialled_and_is_no_dead_processs(
    wish: Transfer, phone: PhoneCall
) -> None:
    go_on()
    later = timezone.now() + timedelta(minutes=30)
    assert end_abandoned_calls(later) == 0
    assert Call.objects.get().ended_at is None


def test_a_webhook_that_is_repeated_dials_the_same_person(wish: Transfer) -> None:
    first, again = go_on(), go_on()
    assert ElementTree.tostring(first) == ElementTree.tostring(again)
    second = document(dialled(find(first, "Dial"), "busy"))
    assert find(second, "Dial")[0].text == Contact.objects.get(name="Ben").number
    repeated = document(dialled(find(first, "Dial"), "busy"))
    assert ElementTree.tostring(repeated) == ElementTree.tostring(second)
    assert tried(wish) == [("Anna", "busy"), ("Ben", "")]


def test_who_picks_up_hears_who_calls_and_why_and_takes_it_by_a_key(wish: Transfer) -> None:
    dial = find(go_on(), "Dial")
    whisper = picks_up(dial)
    assert names(whisper) == ["Gather", "Hangup"]
    said = spoken(whisper)
    assert "A call for Sales, from somebody whose number ends in 0 1 9 9." in said
    assert "It is about: a broken <gate> & a bill. Press any key to take the call." in said
    assert names(presses(whisper, "5")) == []
    assert now(wish).state == State.TALKING
    assert str(now(wish).contact) == "Anna"
    assert names(document(dialled(dial, "completed", bridged="true"))) == ["Hangup"]
    assert now(wish).state == State.DONE
    call = Call.objects.get()
    assert (call.end_reason, call.ended_at is None) == ("talked to a person", False)


def test_a_caller_who_has_said_who_they_are_is_named(wish: Transfer, phone: PhoneCall) -> None:
    person = User.objects.create_user("berta", first_name="Berta", last_name="Klein")
    Call.objects.update(user=person, identified=True)
    assert "from Berta Klein." in spoken(picks_up(find(go_on(), "Dial")))


def test_a_number_that_is_withheld_is_not_told(wish: Transfer) -> None:
    PhoneCall.objects.update(theirs="")
    assert "from somebody whose number is withheld." in spoken(picks_up(find(go_on(), "Dial")))


def test_a_mailbox_that_picks_up_is_passed_over(wish: Transfer) -> None:
    dial = find(go_on(), "Dial")
    picks_up(dial)
    second = document(dialled(dial, "completed"))
    assert find(second, "Dial")[0].text == Contact.objects.get(name="Ben").number
    assert tried(wish)[0] == ("Anna", "did not take the call")


def test_no_key_takes_no_call(wish: Transfer) -> None:
    whisper = picks_up(find(go_on(), "Dial"))
    assert names(presses(whisper, "")) == ["Say", "Hangup"]
    assert now(wish).state == State.DIALLING


def test_a_transfer_that_nobody_takes_comes_back_to_the_agent(
    wish: Transfer, phone: PhoneCall
) -> None:
    turn = Turn.objects.create(call=phone.call, number=1, transcript="sales please")
    asked = ToolCall.objects.create(
        turn=turn,
        name="transfer_to_person",
        tool_call_id="0",
        ok=True,
        started_at=timezone.now(),
        result={"status": "ok", "said": "I connect you with Sales now."},
    )
    second = document(dialled(find(go_on(), "Dial"), "no-answer"))
    back = document(dialled(find(second, "Dial"), "busy"))
    assert names(back) == ["Connect", "Redirect"]
    assert now(wish).state == State.MISSED
    phone.refresh_from_db()
    assert phone.saying == "Nobody in Sales answered. I am back. What else can I do for you?"
    # What the agent reads of it in the turns after.
    asked.refresh_from_db()
    assert asked.result == {
        "status": "ok",
        "said": "I connect you with Sales now.",
        "outcome": "Nobody in Sales answered.",
    }
    # The wish is over: a goodbye after it ends the call.
    Call.objects.update(end_reason="said goodbye")
    assert names(go_on()) == ["Hangup"]


def test_nobody_there_any_more_comes_back_to_the_agent_at_once(wish: Transfer) -> None:
    Contact.objects.all().delete()
    assert names(go_on()) == ["Connect", "Redirect"]
    assert now(wish).state == State.MISSED


def test_a_caller_who_hangs_up_while_it_rings_has_nobody_else_rung(wish: Transfer) -> None:
    dial = find(go_on(), "Dial")
    gone = document(dialled(dial, "canceled", of="completed"))
    assert names(gone) == ["Hangup"]
    assert now(wish).state == State.ABANDONED
    assert "The caller has hung up." in spoken(presses_late(dial))


def presses_late(dial: Element) -> Element:
    late = dial[0].attrib["url"].replace("/whisper", "/accepted")
    assert names(picks_up(dial)) == ["Hangup"]
    return document(post(late, CallSid="CA2", ParentCallSid="CA1", Digits="1"))


def test_the_status_callback_ends_the_wish_of_a_caller_who_is_gone(
    wish: Transfer, settings: Any
) -> None:
    go_on()
    assert post("/twilio/status", CallSid="CA1", CallStatus="completed").status_code == 204
    assert now(wish).state == State.ABANDONED
    assert Call.objects.get().ended_at is not None


def test_a_wish_that_was_taken_back_rings_for_nobody(wish: Transfer, phone: PhoneCall) -> None:
    Turn.objects.create(call=phone.call, number=2, transcript="no, tell me what is on my list")
    assert names(go_on()) == ["Hangup"]
    assert now(wish).state == State.ABANDONED


def test_a_person_of_a_sip_telephone_is_dialled_there(phone: PhoneCall, firm: Business) -> None:
    desk = department(firm, "Desk")
    add_contact(desk, "Hugo", number="sip:hugo@pbx.example.org")
    wishes.want(phone.call, Option(desk), "")
    dial = find(go_on(), "Dial")
    assert (dial[0].tag, dial[0].text) == ("Sip", "sip:hugo@pbx.example.org")
    assert "It is about" not in spoken(picks_up(dial))


# Emergencies ----------------------------------------------------------------------------------


@pytest.fixture
def pressed(phone: PhoneCall, firm: Business, sales: Department) -> Transfer:
    firm.emergency_key = True
    firm.save()
    department(firm, "Emergency", "Finn", is_emergency=True, hours="mon 00:00-00:01", order=9)
    assert wishes.emergency(str(phone.call_id))
    return Transfer.objects.get()


def test_an_emergency_rings_its_own_people_first_whatever_the_hour(pressed: Transfer) -> None:
    page = go_on()
    assert names(page) == ["Say", "Dial"]
    assert spoken(page) == "I connect you now."
    dial = find(page, "Dial")
    assert dial[0].text == Contact.objects.get(name="Finn").number
    said = spoken(picks_up(dial))
    assert said.startswith("An emergency call, from somebody whose number ends in")
    assert "It is about: pressed the emergency key." in said
    # Then whoever is there.
    second = document(dialled(dial, "no-answer"))
    assert find(second, "Dial")[0].text == Contact.objects.get(name="Anna").number


def test_an_emergency_that_reaches_nobody_says_so_and_brings_the_caller_back(
    pressed: Transfer, sales: Department
) -> None:
    sales.delete()
    back = document(dialled(find(go_on(), "Dial"), "busy"))
    assert names(back) == ["Say", "Connect", "Redirect"]
    assert spoken(back).startswith("Nobody could be reached. If this is an emergency, hang up")
    assert now(pressed).state == State.MISSED


# Doors ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("door", ["dialled", "whisper", "accepted"])
def test_what_twilio_did_not_sign_is_turned_away(wish: Transfer, door: str) -> None:
    go_on()
    url = f"/twilio/{door}?transfer={wish.pk}&place=1"
    said = {"CallSid": "CA1", "ParentCallSid": "CA1", "Digits": "1", "DialCallStatus": "busy"}
    assert _post(url, said, {}).status_code == 403
    assert now(wish).state == State.DIALLING
    assert tried(wish) == [("Anna", "")]


@pytest.mark.parametrize("query", ["", "?transfer=x&place=1", "?transfer={other}&place=1"])
@pytest.mark.parametrize("door", ["dialled", "whisper", "accepted"])
def test_a_wish_there_is_not_is_hung_up(phone: PhoneCall, door: str, query: str) -> None:
    other = "11111111-1111-4111-8111-111111111111"
    url = f"/twilio/{door}{query.format(other=other)}"
    said = {"CallSid": "CA1", "ParentCallSid": "CA1", "Digits": "1", "DialCallStatus": "busy"}
    assert "Hangup" in names(document(post(url, **said)))


def test_the_wish_of_another_call_is_left_alone(wish: Transfer, phone: PhoneCall) -> None:
    dial = find(go_on(), "Dial")
    other = Call.objects.create(user=phone.call.user, channel="phone")
    PhoneCall.objects.create(call=other, sid="CA9")
    foreign = {"CallSid": "CA9", "DialCallStatus": "busy", "CallStatus": "in-progress"}
    assert names(document(post(dial.attrib["action"], **foreign))) == ["Hangup"]
    url = dial[0].attrib["url"]
    assert names(document(post(url, CallSid="CA8", ParentCallSid="CA9"))) == ["Hangup"]
    taken = post(url.replace("whisper", "accepted"), CallSid="CA8", ParentCallSid="CA9", Digits="1")
    assert "Hangup" in names(document(taken))
    assert now(wish).state == State.DIALLING
    assert tried(wish) == [("Anna", "")]
