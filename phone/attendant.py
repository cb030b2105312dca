"""Looks after a telephone call: says the first words."""

from __future__ import annotations

from django.conf import settings

from phone.calls import PhoneCallFacts
from voice.attendant import Attend, Attendant, Desk, NoAttendant
from voice.wiring import Services


class PhoneAttendant(NoAttendant):
    def __init__(self, call: PhoneCallFacts, desk: Desk) -> None:
        self._call, self._desk = call, desk

    def begun(self) -> None:
        call = self._call
        words = call.saying or call.greeting or settings.PHONE_GREETING
        # Of a call made for a reminder, the first words are the reminder.
        self._desk.say(words, reminder=call.about_reminder_id if call.stream == 1 else None)


def attend(call: PhoneCallFacts, joined: Services) -> Attend:
    def attendant(desk: Desk) -> Attendant:
        return PhoneAttendant(call, desk)

    return attendant
