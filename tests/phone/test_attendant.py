"""The attendant of a telephone call, over real rows: who becomes whom, and what is kept of it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import DatabaseError
from django.utils import timezone

from convonet.far_end import names
from phone import attendant, callers, calls, door_words, pins, tries, wishes
from phone.attendant import PhoneAttendant
from phone.models import FailedTries, PhoneCall, Transfer
from tests.phone import known, people
from voice.models import Call, Turn
from voice.turns import HangUp

pytestmark = pytest.mark.django_db(transaction=True)
WAIT = 60
OTHER = "+4930123456"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(pins, "ITERATIONS", 1000)
    tries._remembered.clear()
    yield
    tries._remembered.clear()


class FakeDesk:
    """The call, as far as an attendant sees it; notes what it is told."""

    def __init__(self, call_id: str) -> None:
        self.call_id = call_id
        self.said: list[str] = []
        self.ends: HangUp | None = None
        self.takes_words = False
        self.user_id: int | None = None
        self.hushed = 0
        self._stirred = asyncio.Event()

    def say(self, text: str, *, then: HangUp | None = None, reminder: int | None = None) -> None:
        self.said.append(text)
        self.ends = then or self.ends
        self._stirred.set()

    def be_quiet(self) -> None:
        self.hushed += 1

    def take_words(self, wanted: bool) -> None:
        self.takes_words = wanted

    def identified(self, user_id: int) -> None:
        self.user_id = user_id

    def hang_up(self, end: HangUp) -> None:
        self.ends = end
        self._stirred.set()

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(WAIT):
            while not true():
                self._stirred.clear()
                await self._stirred.wait()

    async def hears_more_than(self, sentences: int) -> None:
        await self.until(lambda: len(self.said) > sentences)

    async def hears(self, part: str) -> None:
        await self.until(lambda: bool(self.said) and part in self.said[-1])


@sync_to_async
def opened(caller: str = names.CALLER, *, saying: str = "", sid: str = "") -> calls.PhoneCallFacts:
    """The next stream of a call; of a new one without `sid`."""
    said = {"CallSid": sid or names.sid("CA"), "From": caller, "To": names.CALLED}
    phone = calls.open_inbound(said)
    facts = calls.facts(str(phone.call_id), calls.next_stream(phone, saying))
    assert facts is not None
    return facts


@contextlib.asynccontextmanager
async def looked_after(
    facts: calls.PhoneCallFacts,
) -> AsyncIterator[tuple[FakeDesk, PhoneAttendant]]:
    desk = FakeDesk(facts.call_id)
    minding = PhoneAttendant(facts, desk)
    running = asyncio.create_task(minding.run())
    minding.begun()
    await desk.until(lambda: bool(desk.said))
    yield desk, minding
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


def press(minding: PhoneAttendant, keys: str) -> None:
    for key in keys:
        minding.key(key)


call_row = sync_to_async(lambda facts: Call.objects.get(pk=facts.call_id))
failed_tries = sync_to_async(lambda: set(FailedTries.objects.values_list("subject", "count")))
person, line = sync_to_async(known.person), sync_to_async(known.line)


async def test_a_caller_with_the_right_pin_is_known_to_the_call_and_to_its_row() -> None:
    await line(time_zone="America/New_York")
    anna = await person("anna", "4711", time_zone="Europe/Berlin")
    facts = await opened()
    async with looked_after(facts) as (desk, minding):
        assert desk.said == [f"Hello, this is Acme. {door_words.ASK} {door_words.OR_GUEST}"]
        assert desk.takes_words
        assert minding.private
        press(minding, "4711#")
        await desk.hears("Welcome back, Anna.")
        assert desk.user_id == anna.owner_id
        assert not desk.takes_words
        assert not minding.private
    row = await call_row(facts)
    assert (row.user_id, row.identified) == (anna.owner_id, True)
    assert row.time_zone == "Europe/Berlin"


async def test_keys_pressed_before_the_greeting_count() -> None:
    await line()
    await person("anna", "4711")
    facts = await opened()
    desk = FakeDesk(facts.call_id)
    minding = PhoneAttendant(facts, desk)
    minding.begun()
    press(minding, "4711#")
    running = asyncio.create_task(minding.run())
    await desk.hears("Welcome back, Anna.")
    running.cancel()
    await asyncio.wait({running})


async def test_a_person_without_a_zone_keeps_that_of_the_business() -> None:
    await line(time_zone="America/New_York")
    await person("anna", "4711")
    facts = await opened()
    async with looked_after(facts) as (desk, minding):
        assert minding.words("my pin is four seven one one")
        await desk.hears("Welcome back")
    assert (await call_row(facts)).time_zone == "America/New_York"


async def test_of_people_who_share_a_number_the_pin_decides() -> None:
    await line()
    await person("anna", "4711")
    ben = await person("ben", "0815")
    facts = await opened()
    async with looked_after(facts) as (desk, minding):
        press(minding, "0815#")
        await desk.hears("Welcome back, Ben.")
    assert (await call_row(facts)).user_id == ben.owner_id


async def test_a_wrong_pin_knows_nobody_and_is_counted_for_the_number_and_the_account() -> None:
    await line()
    anna = await person("anna", "4711")
    facts = await opened()
    async with looked_after(facts) as (desk, minding):
        press(minding, "4712#")
        await desk.hears(door_words.AGAIN)
    assert not (await call_row(facts)).identified
    assert await failed_tries() == {(f"number:{names.CALLER}", 1), (f"account:{anna.pk}", 1)}


async def test_five_wrong_pins_lock_and_even_the_right_one_is_not_looked_at_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await line()
    await person("anna", "4711")
    async with looked_after(await opened()) as (desk, minding):
        for guess in range(5):
            before = len(desk.said)
            press(minding, f"081{guess}#")
            await desk.hears_more_than(before)
        assert "too many wrong pins. You can try again in a minute." in desk.said[-1]
        monkeypatch.setattr(pins, "owner_of", None)
        press(minding, "4711#")
        await desk.hears(door_words.TOO_OFTEN)
        assert desk.ends == attendant.NOT_IDENTIFIED
        assert desk.user_id is None
    async with looked_after(await opened()) as (desk, _minding):
        assert "too many wrong pins" in desk.said[0]


@pytest.mark.parametrize(
    ("choices", "away"),
    [({"guest_tools": []}, True), ({}, False), ({"guest_tools": [], "emergency_key": True}, False)],
)
async def test_who_is_locked_out_and_no_guest_either_gets_no_stream(
    choices: dict[str, Any], away: bool
) -> None:
    await line(**choices)
    await person("anna", "4711")
    facts = await opened()
    phone = await PhoneCall.objects.select_related("call__business").aget(sid=facts.sid)
    turned_away = sync_to_async(callers.turned_away)
    assert await turned_away(phone) == ""
    now = timezone.now()
    await FailedTries.objects.acreate(
        subject=f"number:{names.CALLER}",
        count=6,
        last_at=now,
        locked_until=now + timedelta(minutes=5),
    )
    told = f"{door_words.locked(300)} {door_words.SORRY}"
    assert await turned_away(phone) == (told if away else "")


async def test_a_lock_ends_by_itself() -> None:
    await line()
    await person("anna", "4711")
    past = timezone.now() - timedelta(seconds=1)
    await FailedTries.objects.acreate(
        subject=f"number:{names.CALLER}", count=5, last_at=past, locked_until=past
    )
    async with looked_after(await opened()) as (desk, minding):
        press(minding, "4711#")
        await desk.hears("Welcome back, Anna.")
    assert await FailedTries.objects.acount() == 0


async def test_callers_who_withhold_their_number_are_locked_out_too() -> None:
    await line()
    await person("anna", "4711", OTHER)
    async with looked_after(await opened("anonymous")) as (desk, minding):
        for guess in range(5):
            press(minding, f"{OTHER[1:]}#")
            before = len(desk.said)
            press(minding, f"081{guess}#")
            await desk.hears_more_than(before)
        assert "too many wrong pins" in desk.said[-1]
    assert ("number:withheld", 5) in await failed_tries()


async def test_a_stranger_keys_in_their_own_number_and_pin() -> None:
    await line()
    anna = await person("anna", "4711", OTHER)
    facts = await opened("+15550009999")
    async with looked_after(facts) as (desk, minding):
        assert desk.said == [f"Hello, this is Acme. {door_words.HELP}"]
        press(minding, f"00{OTHER[1:]}#")
        assert desk.said[-1] == door_words.ASK_ITS_PIN
        press(minding, "4711#")
        await desk.hears("Welcome back, Anna.")
    assert (await call_row(facts)).user_id == anna.owner_id


async def test_nobody_learns_whether_a_number_is_somebodys() -> None:
    await line()
    await person("anna", "4711", OTHER)

    async def answers(number: str, caller: str) -> list[str]:
        async with looked_after(await opened(caller)) as (desk, minding):
            for guess in range(5):
                press(minding, f"{number[1:]}#")
                before = len(desk.said)
                press(minding, f"081{guess}#")
                await desk.hears_more_than(before)
            return desk.said

    assert await answers(OTHER, "+15550000001") == await answers("+4930999999", "+15550000002")


@pytest.mark.parametrize(
    ("keyed", "ours", "number"),
    [
        ("4930123456", "", "+4930123456"),
        ("004930123456", "", "+4930123456"),
        ("0114930123456", "+15550001111", "+4930123456"),
        ("5551234567", "+15550001111", "+15551234567"),
        ("5551234567", "+493011111", "+5551234567"),
        ("999999999999999999", "", "+999999999999999"),
    ],
)
def test_a_number_is_keyed_in_as_people_do(keyed: str, ours: str, number: str) -> None:
    assert callers.number_keyed(keyed, ours) == number


async def test_a_person_who_may_not_log_in_any_more_is_nobody() -> None:
    await line()
    anna = await person("anna", "4711")
    await type(anna.owner).objects.filter(pk=anna.owner_id).aupdate(is_active=False)
    async with looked_after(await opened()) as (desk, _minding):
        assert desk.said == [f"Hello, this is Acme. {door_words.HELP}"]


async def test_a_number_without_a_pin_asks_for_none() -> None:
    await line()
    await person("anna", "")
    async with looked_after(await opened()) as (desk, _minding):
        assert desk.said == [f"Hello, this is Acme. {door_words.HELP}"]


async def test_where_guests_may_have_nothing_a_guest_is_let_go() -> None:
    await line(guest_tools=[])
    await person("anna", "4711")
    async with looked_after(await opened()) as (desk, minding):
        assert minding.words("I forgot it")
        assert (desk.said[-1], desk.ends) == (door_words.SORRY, attendant.NOT_IDENTIFIED)


async def test_a_request_in_place_of_a_pin_is_for_the_agent() -> None:
    await line()
    await person("anna", "4711")
    async with looked_after(await opened()) as (desk, minding):
        assert not minding.words("connect me with sales please")
        assert not minding.private
        assert len(desk.said) == 1


async def test_what_was_said_before_the_stream_broke_is_not_asked_again() -> None:
    await line()
    await person("anna", "4711")
    first = await opened()
    async with looked_after(first) as (desk, minding):
        press(minding, "4711#")
        await desk.hears("Welcome back")
    second = await opened(sid=first.sid, saying="Sorry, I lost you for a moment.")
    async with looked_after(second) as (desk, minding):
        assert desk.said == ["Sorry, I lost you for a moment."]
        assert not desk.takes_words
        assert not minding.private


async def test_a_guest_who_has_talked_is_a_guest_after_a_missed_transfer() -> None:
    await line()
    await person("anna", "4711")
    first = await opened()
    await Turn.objects.acreate(call_id=first.call_id, number=1, transcript="connect me")
    async with looked_after(await opened(sid=first.sid, saying="Nobody answered.")) as (desk, it):
        assert desk.said == ["Nobody answered."]
        assert not it.words("try support")


async def test_the_hash_key_alone_is_handed_on_and_ends_the_stream() -> None:
    business = await line(emergency_key=True)
    await sync_to_async(people.department)(business, "Emergency", "Eve", is_emergency=True)
    facts = await opened()
    async with looked_after(facts) as (desk, minding):
        press(minding, "#")
        await desk.until(lambda: desk.ends is not None)
        assert desk.ends == attendant.EMERGENCY
        assert minding.words("four seven one one")
    assert (await Transfer.objects.aget(call_id=facts.call_id)).emergency


async def test_an_emergency_for_which_there_is_nobody_is_said_to_be() -> None:
    await line(emergency_key=True)
    async with looked_after(await opened()) as (desk, minding):
        press(minding, "#")
        await desk.hears(door_words.NO_EMERGENCY)
        assert desk.ends is None


async def test_a_database_that_does_not_answer_is_apologised_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await line(emergency_key=True)
    await person("anna", "4711")

    async def lost(*_: object) -> None:
        raise DatabaseError

    async with looked_after(await opened()) as (desk, minding):
        monkeypatch.setattr(callers, "look_at", lost)
        press(minding, "4711#")
        await desk.hears(door_words.NOT_ABLE)
        monkeypatch.setattr(wishes, "emergency_async", lost)
        press(minding, "#")
        await desk.hears(door_words.NO_EMERGENCY)
    monkeypatch.setattr(callers, "caller_of", lost)
    async with looked_after(await opened()) as (desk, _minding):
        assert desk.said == [attendant.NOT_ABLE]
        assert desk.ends is not None


async def test_no_pin_and_no_full_number_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    await line()
    await person("anna", "471147")
    async with looked_after(await opened()) as (desk, minding):
        press(minding, "815815#")
        await desk.hears(door_words.AGAIN)
        assert minding.words("four seven one one four seven")
        await desk.hears("Welcome back")
    told = "".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    ours = [record for record in caplog.records if record.name.startswith("phone")]
    assert [record.getMessage() for record in ours] == ["wrong PIN", "caller known"]
    assert "471147" not in told.replace("four seven", "47")
    assert "815815" not in told
    assert names.CALLER not in "".join(str(vars(record)) for record in ours)


async def test_everything_of_a_call_that_is_kept_has_no_pin_in_it() -> None:
    await line()
    await person("anna", "471147")
    facts = await opened()
    async with looked_after(facts) as (desk, minding):
        assert minding.words("four seven one one four seven")
        await desk.hears("Welcome back")
    rows = await sync_to_async(_everything_kept)()
    assert not any("471147" in row or "four seven" in row for row in rows)


def _everything_kept() -> list[str]:
    tables = (Call, PhoneCall, Turn, FailedTries, Transfer)
    return [str(row) for table in tables for row in table.objects.values()]
