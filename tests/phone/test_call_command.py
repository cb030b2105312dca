"""A call from the command line by telephone, to the whole product."""

from __future__ import annotations

import json

import pytest

from tests.stack import Stack, StackFailure

pytestmark = pytest.mark.service

PIN, NUMBER = "2580", "+15551112233"
OPEN_LINE = f"""
from django.contrib.auth.models import User
from phone import pins
from phone.models import PhoneAccount, PhoneNumber
user = User.objects.create_user("pia", first_name="Pia")
account = PhoneAccount.objects.create(owner=user, pin=pins.hashed("{PIN}"))
PhoneNumber.objects.create(account=account, number="{NUMBER}")
answer = user.pk
"""


def test_somebody_with_a_pin_has_a_todo_added_by_telephone(stack: Stack) -> None:
    owner = stack.ask(OPEN_LINE)
    command = ("call", "--twilio", "--json", "--from", NUMBER, "--pin", PIN)
    said = stack.manage(*command, "tests/audio/00-woman.wav", seconds=110)
    told = json.loads(said.splitlines()[-1])
    assert [call["name"] for call in told["tool_calls"]] == ["add_todos"]
    assert "milk" in told["reply"]
    assert told["states"] == ["done"]
    assert told["timings_ms"]["first_audio"] > 0
    assert "error" not in said
    ((title,),) = stack.rows("select title from todo_todo where owner_id = ?", owner)
    assert "milk" in title
    ((channel, identified, ended, reason),) = stack.rows(
        "select channel, identified, ended_at is not null, end_reason from voice_call"
        " where user_id = ?",
        owner,
    )
    assert (channel, identified, ended, reason) == ("phone", 1, 1, "hung up")


def test_a_server_without_the_callers_signature_takes_no_call(stack: Stack) -> None:
    real = stack.env["TWILIO_AUTH_TOKEN"]
    stack.env["TWILIO_AUTH_TOKEN"] = "another account's"
    try:
        with pytest.raises(StackFailure, match="/twilio/voice answered 403"):
            stack.manage("call", "--twilio", "tests/audio/00-woman.wav")
    finally:
        stack.env["TWILIO_AUTH_TOKEN"] = real
