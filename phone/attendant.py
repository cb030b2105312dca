"""Looks after a telephone call: carries out what the doorkeeper decides, and waits for verdicts."""

from __future__ import annotations

import logging
from time import monotonic

from django.db import DatabaseError

from phone import callers, wishes
from phone.calls import PhoneCallFacts
from phone.door_actions import Action, BeQuiet, Emergency, Say, TakeWords, TryPin
from phone.doorkeeper import Doorkeeper
from voice.attendant import Attend, Attendant, Desk
from voice.small import Flag, Jobs
from voice.turns import HangUp
from voice.wiring import Services

logger = logging.getLogger(__name__)

NOT_ABLE = "I am not able to take calls right now. Please try again in a minute."
EMERGENCY = HangUp(1000, "emergency", "", at_once=True)
NOT_IDENTIFIED = HangUp(1000, "not identified", "")

MOST_EARLY_KEYS = 24


class PhoneAttendant:
    """At most one thing waits at a time: the caller's data, a PIN's verdict, the emergency."""

    def __init__(self, call: PhoneCallFacts, desk: Desk) -> None:
        self._call, self._desk = call, desk
        self._keeper: Doorkeeper | None = None
        self._begun, self._refused = Flag(), False
        self._early = ""
        """Keys pressed before it was known whom to ask for what."""
        self._jobs: Jobs[TryPin | Emergency] = Jobs(2)
        # Of a call made for a reminder, the first words are the reminder, until it was told.
        self._reminder = call.about_reminder_id

    @property
    def private(self) -> bool:
        """What is heard now may be a PIN, and must not be kept."""
        return self._keeper.private if self._keeper else not self._call.identified

    # The call tells -------------------------------------------------------------------------
    def begun(self) -> None:
        # Until it is known what to ask, nothing that is said becomes a turn.
        self._desk.take_words(not self._call.identified)
        self._begun.set()

    def key(self, digit: str) -> None:
        if self._keeper is None:
            self._early = (self._early + digit)[:MOST_EARLY_KEYS]
            return
        self._keeper.key(digit, monotonic())
        self._act(self._keeper)

    def words(self, text: str) -> bool:
        if self._keeper is None:
            return True
        taken = self._keeper.words(text, monotonic())
        self._act(self._keeper)
        return taken

    def tick(self, now: float) -> None:
        if self._keeper is not None:
            self._keeper.tick(monotonic())
            self._act(self._keeper)

    async def run(self) -> None:
        await self._begun.wait()
        try:
            caller = await callers.caller_of(self._call)
        except DatabaseError as error:
            self._log_error("caller not looked up", error)
            self._desk.say(NOT_ABLE, then=HangUp(1000, "not able to identify", ""))
            return
        keeper = Doorkeeper(caller)
        keeper.begin(monotonic())
        self._keeper = keeper
        self._act(keeper)
        for digit in self._early:
            self.key(digit)
        while True:
            await self._do(await self._jobs.get(), keeper)
            self._act(keeper)

    # What waits -----------------------------------------------------------------------------
    async def _do(self, job: TryPin | Emergency, keeper: Doorkeeper) -> None:
        if isinstance(job, Emergency):
            await self._put_through(keeper)
            return
        try:
            await self._try_pin(job, keeper)
        except DatabaseError as error:
            self._log_error("PIN not looked at", error)
            keeper.not_checked(monotonic())

    async def _put_through(self, keeper: Doorkeeper) -> None:
        """What is dialled comes after the stream (`phone.transfer`)."""
        wanted = False
        try:
            wanted = await wishes.emergency_async(self._call.call_id)
        except DatabaseError as error:
            self._log_error("emergency not noted", error)
        if wanted:
            self._desk.hang_up(EMERGENCY)
        else:
            keeper.no_emergency(monotonic())

    async def _try_pin(self, job: TryPin, keeper: Doorkeeper) -> None:
        verdict = await callers.look_at(self._call, job.pin, job.number)
        now = monotonic()
        match verdict:
            case callers.Known(user_id=user_id, name=name):
                logger.info("caller known", extra=self._fields(user_id=user_id))
                self._desk.identified(user_id)
                keeper.is_known(name, now)
            case callers.Wrong():
                keeper.was_wrong(now)
            case callers.LockedOut(seconds=seconds):
                if not self._refused:
                    # Once a call, however often it is tried.
                    logger.warning("PIN refused while locked", extra=self._fields())
                self._refused = True
                keeper.is_locked(seconds, now)

    # What is done at once -------------------------------------------------------------------
    def _act(self, keeper: Doorkeeper) -> None:
        for action in keeper.take():
            self._carry_out(action)

    def _carry_out(self, action: Action) -> None:
        match action:
            case Say():
                self._say(action)
            case BeQuiet():
                self._desk.be_quiet()
            case TakeWords(wanted=wanted):
                self._desk.take_words(wanted)
            case TryPin() | Emergency():
                self._jobs.put_nowait(action)

    def _say(self, said: Say) -> None:
        reminder, self._reminder = self._reminder, None
        then = NOT_IDENTIFIED if said.ends else None
        self._desk.say(said.text, then=then, reminder=reminder)

    # Logs -----------------------------------------------------------------------------------
    def _log_error(self, event: str, error: Exception) -> None:
        logger.error(event, extra=self._fields(reason=type(error).__name__))

    def _fields(self, **more: object) -> dict[str, object]:
        return {"call_id": self._call.call_id, **more}


def attend(call: PhoneCallFacts, joined: Services) -> Attend:
    def attendant(desk: Desk) -> Attendant:
        return PhoneAttendant(call, desk)

    return attendant
