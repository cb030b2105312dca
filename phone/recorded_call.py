"""Joins the recorder with a telephone call: consent before anything else, and the person's wish.

Who calls may be known only later, and may then want it otherwise: the rows are asked again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from django.db import DatabaseError

from phone import recordings
from phone.recorder import RecordingWire, Shelf, recorded
from voice.attendant import Attend, Attendant, Desk
from voice.small import Flag
from voice.turns import HangUp
from voice.wire import Wire

logger = logging.getLogger(__name__)


class RecordedCall:
    """One media stream of a call; `stream` counts them."""

    def __init__(self, call_id: str, stream: int, wire: Wire, shelf: Shelf) -> None:
        self._call_id, self._stream, self._shelf = call_id, stream, shelf
        self.wire = RecordingWire(wire)

    @asynccontextmanager
    async def going_on(self) -> AsyncIterator[RecordedCall]:
        """Within: what may be recorded is; after it, the last piece has been handed on."""
        await self.ask()
        async with recorded(self._call_id, self._stream, self.wire, self._shelf):
            yield self

    async def ask(self) -> None:
        """Whether this call may be recorded, as its rows say now."""
        try:
            consent = await recordings.prepare_async(self._call_id, self.wire.format)
        except DatabaseError as error:
            # A call is worth more than its recording.
            fields = {"call_id": self._call_id, "error": type(error).__name__}
            logger.error("recording not prepared", extra=fields)
            consent = recordings.Consent("")
        if consent.sentence:
            self.wire.ask(consent.sentence, given=consent.given)
        else:
            self.wire.stop()

    def attending(self, attend: Attend) -> Attend:
        """The same attendant, who says the consent sentence before anything else."""

        def make(desk: Desk) -> Attendant:
            known = _KnownDesk(desk)
            inner = attend(known)
            self.wire.private = lambda: bool(getattr(inner, "private", False))
            return _ConsentFirst(inner, self, known)

        return make


class _KnownDesk:
    """The desk, which remembers that the caller has become known."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.known = Flag()

    @property
    def call_id(self) -> str:
        return self._desk.call_id

    def say(self, text: str, *, then: HangUp | None = None, reminder: int | None = None) -> None:
        self._desk.say(text, then=then, reminder=reminder)

    def be_quiet(self) -> None:
        self._desk.be_quiet()

    def take_words(self, wanted: bool) -> None:
        self._desk.take_words(wanted)

    def identified(self, user_id: int) -> None:
        self._desk.identified(user_id)
        self.known.set()

    def hang_up(self, end: HangUp) -> None:
        self._desk.hang_up(end)


class _ConsentFirst:
    def __init__(self, inner: Attendant, call: RecordedCall, desk: _KnownDesk) -> None:
        self._inner, self._call, self._desk = inner, call, desk

    def begun(self) -> None:
        self._say_consent()
        self._inner.begun()

    def key(self, digit: str) -> None:
        self._inner.key(digit)

    def words(self, text: str) -> bool:
        return self._inner.words(text)

    def tick(self, now: float) -> None:
        self._say_consent()
        self._inner.tick(now)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._inner.run())
            tasks.create_task(self._ask_again())

    async def _ask_again(self) -> None:
        await self._desk.known.wait()
        await self._call.ask()

    def _say_consent(self) -> None:
        if sentence := self._call.wire.consent_to_say():
            self._desk.say(sentence)
