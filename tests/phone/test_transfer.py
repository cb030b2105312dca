"""A caller who wants a person: what is asked back, what is written, and whom the wish rings for."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User

from phone import transfer_steps, wishes
from phone.models import PhoneCall, Transfer
from phone.transfer_steps import DECLINED, TAKEN, TALKED, DialEnd, Progress, Try
from tests.phone.people import NOON, SUNDAY, add_contact, business, department
from todo.actor import actor_for
from todo.models import ToolRequest
from todo.tools import run_tool
from voice.models import Business, Call, Turn

pytestmark = pytest.mark.django_db
State = Transfer.State


@pytest.fixture
def firm() -> Business:
    firm = business()
    department(firm, "Sales", "Anna", "Ben")
    department(firm, "Support", "Carla")
    return firm


@pytest.fixture
def guest() -> User:
    return User.objects.create_user("guest")


@pytest.fixture
def call(firm: Business, guest: User) -> Call:
    call = Call.objects.create(user=guest, channel="phone", business=firm, identified=False)
    PhoneCall.objects.create(call=call, sid="CA1", ours="+15550100", theirs="+15550199")
    return call


def ask(
    call: Call, department: str = "", *, now: datetime = NOON, key: str = "", **more: Any
) -> dict[str, Any]:
    actor = actor_for(call.user, now, call_id=call.pk, turn_id=uuid4())
    arguments = {"reason": "a broken gate", **more}
    if department:
        arguments["department"] = department
    return run_tool(actor, "transfer_to_person", arguments, key)


def test_a_department_asked_for_is_wanted_and_the_agent_has_said_its_last_word(call: Call) -> None:
    answer = ask(call, "the sales department, please")
    assert answer["status"] == "ok"
    assert answer["said"] == "I connect you with Sales now."
    assert answer["ends_call"] is True
    wish = Transfer.objects.get()
    assert (wish.call, str(wish.department), wish.contact) == (call, "Sales", None)
    assert (wish.reason, wish.state, wish.emergency) == ("a broken gate", State.WANTED, False)


def test_a_person_asked_for_by_name_is_wanted(call: Call) -> None:
    assert ask(call, "Ben")["said"] == "I connect you with Ben now."
    wish = Transfer.objects.get()
    assert (str(wish.department), str(wish.contact)) == ("Sales", "Ben")


def test_the_same_tool_call_again_wants_nobody_twice(call: Call) -> None:
    first = ask(call, "sales", key="turn:0")
    assert ask(call, "sales", key="turn:0") == first
    assert Transfer.objects.count() == ToolRequest.objects.count() == 1


def test_a_later_wish_takes_the_place_of_the_one_before(call: Call) -> None:
    ask(call, "sales")
    ask(call, "support")
    states = Transfer.objects.order_by("created_at").values_list("department__name", "state")
    assert list(states) == [("Sales", State.ABANDONED), ("Support", State.WANTED)]


@pytest.mark.parametrize(
    ("words", "said", "choices"),
    [
        ("", "With whom would you like to speak: Sales or Support?", ["Sales", "Support"]),
        ("cells", "Did you mean Sales?", ["Sales"]),
        (
            "purchasing",
            "I find nobody called purchasing. With whom would you like to speak: Sales or Support?",
            ["Sales", "Support"],
        ),
    ],
)
def test_it_asks_when_it_is_not_clear_who_is_meant(
    call: Call, words: str, said: str, choices: list[str]
) -> None:
    answer = ask(call, words)
    assert (answer["status"], answer["said"], answer["choices"]) == ("ask", said, choices)
    assert "ends_call" not in answer
    assert not Transfer.objects.exists()


def test_two_of_one_name_are_told_apart_by_where_they_work(call: Call, firm: Business) -> None:
    add_contact(firm.departments.get(name="Support"), "Anna")
    assert ask(call, "Anna")["choices"] == ["Anna in Sales", "Anna in Support"]
    assert ask(call, "Anna in Support")["said"] == "I connect you with Anna now."
    assert str(Transfer.objects.get().department) == "Support"


def test_after_hours_it_says_when_and_connects_nobody(call: Call) -> None:
    answer = ask(call, "sales", now=SUNDAY)
    assert answer["status"] == "nothing"
    assert answer["said"] == (
        "Nobody in Sales can be reached now. Sales is there again tomorrow at 9 AM."
    )
    assert ask(call, "Anna", now=SUNDAY)["said"].startswith("Anna cannot be reached now.")
    assert not Transfer.objects.exists()


def test_somebody_else_of_the_department_stands_in(call: Call) -> None:
    assert call.business is not None
    department(call.business, "Weekend", "Dora", hours="sat-sun 08:00-20:00")
    stand_in = call.business.departments.get(name="Weekend")
    add_contact(stand_in, "Emil", hours="mon 09:00-10:00")
    said = ask(call, "Emil", now=SUNDAY)["said"]
    assert said == "Emil cannot be reached now, so I connect you with Weekend."


def test_a_department_without_people_cannot_be_reached(call: Call, firm: Business) -> None:
    department(firm, "Archive")
    answer = ask(call, "the archive")
    assert answer["said"] == "Nobody in Archive can be reached by telephone."
    assert answer["status"] == "nothing"


def test_the_emergency_department_is_connected_at_any_hour(call: Call, firm: Business) -> None:
    department(firm, "Emergency desk", "Finn", is_emergency=True, hours="mon 09:00-10:00")
    assert ask(call, "emergency", now=SUNDAY)["status"] == "ok"
    assert Transfer.objects.get().emergency


def test_nobody_of_another_business_is_ever_connected(call: Call) -> None:
    department(business("Elsewhere"), "Purchasing", "Gina")
    assert ask(call, "purchasing")["status"] == "ask"
    assert ask(call, "Gina")["status"] == "ask"
    assert not Transfer.objects.exists()


def test_a_call_of_no_business_goes_by_the_business_of_the_person(
    call: Call, firm: Business, guest: User
) -> None:
    Call.objects.update(business=None)
    refusal = ask(call, "sales")
    assert refusal["status"] == "refused"
    assert refusal["said"] == "There is nobody here whom I could connect you with."
    firm.members.add(guest)
    assert ask(call, "sales")["status"] == "ok"


@pytest.mark.parametrize("change", [{"channel": "browser"}, {"ended_at": NOON}])
def test_it_is_refused_where_there_is_no_telephone_call(call: Call, change: Any) -> None:
    Call.objects.update(**change)
    assert ask(call, "sales")["status"] == "refused"
    assert not Transfer.objects.exists()


def test_it_is_refused_outside_every_call(call: Call) -> None:
    actor = actor_for(call.user, NOON)
    assert run_tool(actor, "transfer_to_person", {"reason": "x"})["status"] == "refused"


# The wish, until it is dialled ----------------------------------------------------------------


@pytest.fixture
def wish(call: Call) -> Transfer:
    ask(call, "sales")
    return Transfer.objects.get()


def say(call: Call, words: str) -> Turn:
    number = call.turns.count() + 1
    return Turn.objects.create(call=call, number=number, transcript=words)


@pytest.mark.parametrize(
    "words", ["Okay, thank you.", "thanks", "great", "Yes please!", "I'll wait."]
)
def test_a_word_of_thanks_over_the_sentence_still_waits_to_be_connected(
    call: Call, wish: Transfer, words: str
) -> None:
    turn = say(call, words)
    assert wishes.goes_on(turn)
    assert not wishes.taken_back(wish)


@pytest.mark.parametrize(
    "words", ["no wait", "Wait!", "Actually add milk", "never mind", "thanks but stop"]
)
def test_other_words_take_the_wish_back(call: Call, wish: Transfer, words: str) -> None:
    turn = say(call, words)
    assert not wishes.goes_on(turn)
    assert wishes.taken_back(wish)
    # And it does not come back with a word of thanks for something else.
    assert not wishes.goes_on(say(call, "thank you"))


def test_words_before_the_wish_do_not_matter(call: Call) -> None:
    say(call, "what is on my list")
    ask(call, "sales")
    assert not wishes.taken_back(Transfer.objects.get())


def test_thanks_without_a_wish_ends_nothing(call: Call, wish: Transfer) -> None:
    Transfer.objects.update(state=State.MISSED)
    assert not wishes.goes_on(say(call, "thank you"))
    Transfer.objects.all().delete()
    assert not wishes.goes_on(say(call, "thank you"))


# The emergency key ----------------------------------------------------------------------------


@pytest.fixture
def with_key(firm: Business) -> Business:
    firm.emergency_key = True
    firm.save()
    department(firm, "Emergency", "Finn", is_emergency=True)
    return firm


def test_the_emergency_key_wants_the_emergency_department(call: Call, with_key: Business) -> None:
    assert wishes.emergency(str(call.pk))
    wish = Transfer.objects.get()
    assert (wish.emergency, str(wish.department)) == (True, "Emergency")
    assert wish.reason == "pressed the emergency key"


def test_the_emergency_key_pressed_again_changes_nothing(call: Call, with_key: Business) -> None:
    assert wishes.emergency(str(call.pk))
    assert wishes.emergency(str(call.pk))
    assert Transfer.objects.count() == 1


def test_the_emergency_key_comes_before_another_wish_and_is_not_taken_back(
    call: Call, with_key: Business, wish: Transfer
) -> None:
    wishes.emergency(str(call.pk))
    say(call, "no wait, what is that")
    found = wishes.open_one(call.pk)
    assert found is not None
    assert found.emergency
    assert not wishes.taken_back(found)


def test_the_emergency_key_does_nothing_where_it_is_not_enabled(
    call: Call, with_key: Business
) -> None:
    with_key.emergency_key = False
    with_key.save()
    assert not wishes.emergency(str(call.pk))
    assert not Transfer.objects.exists()


def test_the_emergency_key_does_nothing_without_such_a_department(
    call: Call, with_key: Business
) -> None:
    with_key.departments.filter(is_emergency=True).delete()
    assert not wishes.emergency(str(call.pk))
    assert not wishes.emergency(str(uuid4()))


# Step by step ---------------------------------------------------------------------------------


@pytest.fixture
def people(firm: Business) -> list[Any]:
    return list(firm.departments.get(name="Sales").contacts.all())


WANTED = Progress(State.WANTED)
BUSY = DialEnd("busy", joined=False, caller_gone=False)
NO_KEY = DialEnd("completed", joined=False, caller_gone=False)
TALK = DialEnd("completed", joined=True, caller_gone=False)
GONE = DialEnd("canceled", joined=False, caller_gone=True)


def outcomes(progress: Progress) -> list[str]:
    return [one["outcome"] for one in progress.tried]


def test_one_is_dialled_after_the_other_until_somebody_takes_the_call(people: list[Any]) -> None:
    first = transfer_steps.begin(WANTED, people)
    assert (first.state, first.tried[-1]["name"], first.place) == (State.DIALLING, "Anna", 1)
    second = transfer_steps.dial_ended(first, 1, BUSY, people)
    assert (second.state, second.tried[-1]["name"]) == (State.DIALLING, "Ben")
    taken = transfer_steps.take(second, 2)
    assert taken is not None
    assert (taken.state, outcomes(taken)) == (State.TALKING, ["busy", TAKEN])
    done = transfer_steps.dial_ended(taken, 2, TALK, people)
    assert (done.state, outcomes(done)) == (State.DONE, ["busy", TALKED])


def test_a_mailbox_takes_no_call(people: list[Any]) -> None:
    first = transfer_steps.begin(WANTED, people)
    second = transfer_steps.dial_ended(first, 1, NO_KEY, people)
    assert (outcomes(second)[0], second.tried[-1]["name"]) == (DECLINED, "Ben")
    # Twilio may say that the leg was completed, and not whether they were joined.
    assumed = DialEnd("completed", joined=True, caller_gone=False)
    assert transfer_steps.dial_ended(first, 1, assumed, people).state == State.DIALLING


def test_nobody_is_left_to_try(people: list[Any]) -> None:
    missed = Progress(State.DIALLING, transfer_steps.begin(WANTED, people[1:]).tried)
    assert transfer_steps.dial_ended(missed, 1, BUSY, people[1:]).state == State.MISSED
    assert transfer_steps.begin(WANTED, []).state == State.MISSED


def test_it_rings_for_no_more_than_eight(people: list[Any]) -> None:
    tries = tuple(
        Try(contact=1000 + n, name="x", number="+15550123", outcome="busy") for n in range(8)
    )
    full = Progress(State.DIALLING, tries)
    assert transfer_steps.dial_ended(full, 8, BUSY, people).state == State.MISSED


@pytest.mark.parametrize("state", [State.DONE, State.MISSED, State.ABANDONED, State.DIALLING])
def test_a_step_made_already_changes_nothing(people: list[Any], state: str) -> None:
    now = Progress(state, transfer_steps.begin(WANTED, people).tried)
    assert transfer_steps.begin(now, people) == now
    assert transfer_steps.dial_ended(now, 7, BUSY, people) == now
    assert transfer_steps.take(now, 7) is None


def test_the_same_key_twice_takes_the_call_once(people: list[Any]) -> None:
    taken = transfer_steps.take(transfer_steps.begin(WANTED, people), 1)
    assert taken is not None
    assert transfer_steps.take(taken, 1) == taken


def test_who_took_the_call_and_was_gone_before_they_were_joined_is_passed_over(
    people: list[Any],
) -> None:
    taken = transfer_steps.take(transfer_steps.begin(WANTED, people), 1)
    assert taken is not None
    after = transfer_steps.dial_ended(taken, 1, NO_KEY, people)
    assert (after.state, after.tried[-1]["name"]) == (State.DIALLING, "Ben")


def test_a_caller_who_hangs_up_has_nobody_else_rung(people: list[Any]) -> None:
    ringing = transfer_steps.begin(WANTED, people)
    gone = transfer_steps.dial_ended(ringing, 1, GONE, people)
    assert (gone.state, outcomes(gone)) == (State.ABANDONED, ["caller hung up"])
    assert transfer_steps.caller_left(ringing).state == State.ABANDONED
    assert transfer_steps.caller_left(WANTED).state == State.ABANDONED


def test_a_caller_who_hangs_up_after_the_talk_was_helped(people: list[Any]) -> None:
    talking = transfer_steps.take(transfer_steps.begin(WANTED, people), 1)
    assert talking is not None
    assert transfer_steps.caller_left(talking).state == State.DONE
    hung_up = DialEnd("completed", joined=False, caller_gone=True)
    assert transfer_steps.dial_ended(talking, 1, hung_up, people).state == State.DONE


def test_the_end_of_the_call_ends_the_wish(call: Call, wish: Transfer) -> None:
    wishes.caller_left(call.pk)
    wish.refresh_from_db()
    assert wish.state == State.ABANDONED
    assert wish.ended_at is not None
    wishes.caller_left(call.pk)
