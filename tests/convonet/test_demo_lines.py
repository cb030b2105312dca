"""Who the demo's telephone callers are, and what of a recording they say."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User

from convonet.caller import Exchange
from convonet.demo import lines
from convonet.demo.lines import ByPhone, Command
from convonet.phone_caller import Server
from convonet.recordings import read_wav
from convonet.telephone_band import through_telephone
from phone import pins
from phone.models import PhoneAccount
from tests.stack import ROOT
from todo.models import Preferences

FILE = ROOT / "tests/audio/38-man.wav"
COMMAND = Command(38, "man", "yes please", FILE)
SERVER = Server(public_url="https://phone.example", local_url="http://127.0.0.1:1")


@pytest.fixture
def placed(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The calls that would have been placed."""
    calls: list[dict[str, Any]] = []

    async def place(server: Server, speeches: Any, **more: Any) -> Any:
        calls.append({"speeches": speeches, **more})
        return SimpleNamespace(exchanges=[Exchange(reply="Shall I?")])

    monkeypatch.setattr(lines, "place_phone_call", place)
    return calls


@pytest.mark.django_db(transaction=True)
def test_each_caller_has_a_number_a_pin_and_the_zone_of_the_demo(
    placed: list[dict[str, Any]],
) -> None:
    users = [User.objects.create_user(name) for name in ("dana", "eli")]
    way = ByPhone(SERVER, ZoneInfo("Asia/Kolkata"))
    for user in (*users, users[0]):
        async_to_sync(way.place)(user.pk, COMMAND, lambda exchange: None)
    accounts = [PhoneAccount.objects.get(owner=user) for user in users]
    for account, call in zip(accounts, placed, strict=False):
        assert pins.matches(call["pin"], account.pin)
        assert [row.number for row in account.numbers.all()] == [call["caller"]]
        assert Preferences.objects.get(owner=account.owner).time_zone == "Asia/Kolkata"
    assert placed[0]["caller"] != placed[1]["caller"]
    assert (placed[2]["caller"], placed[2]["pin"]) == (placed[0]["caller"], placed[0]["pin"])


@pytest.mark.django_db(transaction=True)
def test_what_is_said_is_what_a_line_leaves_of_the_recording(placed: list[dict[str, Any]]) -> None:
    user = User.objects.create_user("dana")
    way = ByPhone(SERVER, ZoneInfo("UTC"))
    async_to_sync(way.place)(user.pk, COMMAND, lambda exchange: COMMAND)
    (speech,), more = placed[0]["speeches"], placed[0]["follow_up"]
    assert speech.audio == through_telephone(read_wav(FILE))
    assert 0 <= speech.from_ms < speech.to_ms <= len(speech.audio) // 8
    assert more(Exchange()) == speech
