"""The ways by which the demo reaches a server: the page's socket, and a telephone."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from asgiref.sync import sync_to_async

from convonet.caller import Exchange, Utterance, place_call
from convonet.far_end import names
from convonet.far_end.line import Speech
from convonet.phone_caller import Server, place_phone_call
from convonet.recordings import read_wav, speech_end_ms, speech_start_ms
from convonet.telephone_band import through_telephone
from phone import pins
from phone.models import PhoneAccount, PhoneNumber
from todo.models import Preferences
from voice import tickets


@dataclass(frozen=True, slots=True)
class Command:
    number: int
    voice: str
    """`typed`, or the voice of the recording."""
    text: str
    file: Path | None = None

    @property
    def label(self) -> str:
        return f"{self.number:02d} {self.voice}"


FollowUp = Callable[[Exchange], Command | None]


class Way(Protocol):
    async def place(
        self, user_id: int, command: Command, follow_up: FollowUp
    ) -> Sequence[Exchange]:
        """One call of this person; raises `CallFailed`."""


@dataclass(frozen=True, slots=True)
class ByBrowser:
    url: str
    """ws://host:port/ws/call"""
    zone: ZoneInfo

    async def place(
        self, user_id: int, command: Command, follow_up: FollowUp
    ) -> Sequence[Exchange]:
        def more(exchange: Exchange) -> Utterance | None:
            following = follow_up(exchange)
            return _utterance(following) if following else None

        ticket = await sync_to_async(tickets.issue)(user_id)
        report = await place_call(
            self.url, ticket, [_utterance(command)], time_zone=str(self.zone), follow_up=more
        )
        return report.exchanges


@dataclass(frozen=True, slots=True)
class ByPhone:
    """Over the band of a telephone line, from a number and with a PIN of the caller's own."""

    server: Server
    zone: ZoneInfo
    _pins: dict[int, str] = field(default_factory=dict)

    async def place(
        self, user_id: int, command: Command, follow_up: FollowUp
    ) -> Sequence[Exchange]:
        def more(exchange: Exchange) -> Speech | None:
            following = follow_up(exchange)
            return _speech(following) if following else None

        if user_id not in self._pins:
            self._pins[user_id] = await _let_in(user_id, self.zone)
        report = await place_phone_call(
            self.server,
            [_speech(command)],
            caller=_number_of(user_id),
            pin=self._pins[user_id],
            follow_up=more,
        )
        return report.exchanges


def _utterance(command: Command) -> Utterance:
    if command.file is None:
        return Utterance(text=command.text)
    pcm = read_wav(command.file)
    return Utterance(pcm=pcm, speech_end_ms=speech_end_ms(pcm))


def _speech(command: Command) -> Speech:
    if command.file is None:
        raise ValueError("a telephone takes no typed words")
    pcm = read_wav(command.file)
    return Speech(through_telephone(pcm), speech_start_ms(pcm), speech_end_ms(pcm))


def _number_of(user_id: int) -> str:
    return f"{names.CALLER[:-4]}{user_id % 10_000:04d}"


@sync_to_async
def _let_in(user_id: int, zone: ZoneInfo) -> str:
    """A new PIN of this person, who may now call from a number of their own."""
    pin = _new_pin()
    account, _ = PhoneAccount.objects.update_or_create(
        owner_id=user_id, defaults={"pin": pins.hashed(pin)}
    )
    PhoneNumber.objects.get_or_create(account=account, number=_number_of(user_id))
    Preferences.objects.update_or_create(owner_id=user_id, defaults={"time_zone": str(zone)})
    return pin


def _new_pin() -> str:
    while pins.is_guessable(pin := f"{secrets.randbelow(1_000_000):06d}"):
        pass
    return pin
