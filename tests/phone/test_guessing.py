"""PINs guessed by machine: refused, in the log, and no burden for a call that goes on meanwhile."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from dataclasses import replace
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from convonet.far_end.line import Line
from convonet.far_end.phone_call import PhoneCall
from convonet.far_end.webhooks import Webhooks
from phone import pins, tries
from phone.models import FailedTries
from tests.phone import calling, known
from tests.phone.test_attendant import looked_after, opened, press
from tests.phone.web import Web
from tests.phone.workers import Workers
from voice.models import Call

WAIT = 60
GUESSES = [f"{guess:04d}" for guess in range(5000, 5300)]


class Hashes:
    """How often a PIN was hashed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made = 0
        self._digest = pins._digest
        monkeypatch.setattr(pins, "ITERATIONS", 1000)
        monkeypatch.setattr(pins, "_digest", self._counted)

    def _counted(self, *asked: Any) -> str:
        self.made += 1
        return self._digest(*asked)


@pytest.mark.django_db(transaction=True)
async def test_of_hundreds_of_guesses_five_are_looked_at(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tries._remembered.clear()
    caplog.set_level(logging.DEBUG, logger="phone")
    await sync_to_async(known.line)()
    await sync_to_async(known.person)("anna", "4711")
    hashes = Hashes(monkeypatch)
    facts = await opened()
    left, calls_made = deque(GUESSES), 0
    while left:
        calls_made += 1
        async with looked_after(facts) as (desk, minding):
            while left and desk.ends is None:
                heard = len(desk.said)
                press(minding, f"{left.popleft()}#")
                await desk.hears_more_than(heard)
            assert desk.user_id is None
    assert hashes.made == 5
    assert not await Call.objects.filter(identified=True).aexists()
    rows = await sync_to_async(lambda: list(FailedTries.objects.values_list("count", flat=True)))()
    assert rows == [5, 5]
    told = [record.getMessage() for record in caplog.records if record.name.startswith("phone")]
    assert told.count("wrong PIN") == 5
    assert told.count("PIN tries locked") == 2
    assert 1 <= told.count("PIN refused while locked") <= calls_made
    assert len(told) <= 7 + calls_made


MAKE_ANNA = """
from django.contrib.auth.models import User
from phone import pins
from phone.models import Line, PhoneAccount
from voice.models import Business
firm, _ = Business.objects.get_or_create(name="Guessed")
Line.objects.get_or_create(number={called!r}, business=firm)
owner, _ = User.objects.get_or_create(username="guessed")
account, _ = PhoneAccount.objects.get_or_create(owner=owner)
account.pin = pins.hashed("4711")
account.save()
account.numbers.get_or_create(number={number!r})
"""
# Each guess is five keys: so often the keys of one call are pressed. Eight calls make 100 a second.
GUESSERS, KEY_SECONDS = 8, 1 / 62.5


@pytest.mark.service
async def test_a_call_goes_on_while_others_guess(web: Web, workers: Workers) -> None:
    """Over real sockets, with as many calls from one number as that may have at once."""
    number, called = calling.number(6100), calling.number(6000)
    making = MAKE_ANNA.format(number=number, called=called)
    await asyncio.to_thread(web.manage, "shell", "-v", "0", "-c", making)
    over, heard = asyncio.Event(), 0

    async def talker(line: Line) -> None:
        nonlocal heard
        assert await line.quiet(0.3, WAIT)
        for _ in range(3):
            said = await line.say(calling.a_word())
            assert await line.hears_after(said.ended, 200, WAIT)
            assert await line.quiet(0.3, WAIT)
            heard += 1
        over.set()

    async def guesser(webhooks: Webhooks) -> None:
        while not over.is_set():
            line = Line(keep=False)
            call = PhoneCall(line, webhooks, replace(dialog, called=called))
            await asyncio.wait_for(call.run(guess), WAIT)

    async def guess(line: Line) -> None:
        assert await line.until(lambda: line.doing == "stream" or over.is_set(), WAIT)
        for pin in GUESSES[:20]:
            line.press(f"{pin}#", KEY_SECONDS)
        await line.until(over.is_set, 3)

    async def listens(line: Line) -> None:
        await line.until(lambda: line.doing == "over", WAIT)

    dialog = calling.dialog(web, number)
    async with Webhooks(web.account) as webhooks:
        guessers = [asyncio.create_task(guesser(webhooks)) for _ in range(GUESSERS)]
        line = Line()
        call = await calling.conduct(web, line, talker, caller=calling.number(6200))
        await asyncio.gather(*guessers)
        # Of a business where guests may have nothing.
        away = PhoneCall(Line(), webhooks, dialog)
        await asyncio.wait_for(away.run(listens), WAIT)
    assert away.streams == 0
    assert "too many wrong pins" in away.line.told[0]
    assert heard == 3
    assert (call.streams, line.errors) == (1, [])
    told = "select count(*) from voice_call c join phone_phonecall p on p.call_id = c.id"
    assert web.rows(f"{told} where p.theirs = ? and c.identified", number) == [(0,)]
    ((guessing_calls,),) = web.rows(f"{told} where p.theirs = ?", number)
    ((tried,),) = web.rows(
        "select count from phone_failedtries where subject = ?", f"number:{number}"
    )
    # A machine so slow that a lock has ended meanwhile has seen one more for each.
    assert 5 <= tried <= 7
    log = web.log
    assert log.count("wrong PIN") <= tried
    assert 1 <= log.count("PIN refused while locked") <= guessing_calls
