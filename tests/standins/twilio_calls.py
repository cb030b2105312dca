"""The calls that the REST stand-in places, and their rows as Twilio shows them."""

from __future__ import annotations

import asyncio
import traceback
from email.utils import formatdate
from pathlib import Path
from typing import Any

from convonet.far_end.line import Line
from convonet.far_end.outbound import Asked, Callee, Detection, place
from convonet.far_end.people import Person
from convonet.far_end.phone_call import Dialog, PhoneCall
from convonet.far_end.script import persona
from convonet.far_end.twiml import Broken
from convonet.far_end.webhooks import Account, Route, Webhooks
from tests.standins import twilio_checks as checks
from tests.standins.twilio_checks import TwilioError

# Who does not say anything, and listens to all there is.
LISTENING = [{"stay": 600}]


class PlacedCall:
    """One call with all that Twilio keeps of it."""

    def __init__(self, call: PhoneCall, parameters: dict[str, str], account_sid: str) -> None:
        self.call, self.parameters, self._account_sid = call, parameters, account_sid
        self.created, self.status = formatdate(), "queued"
        self.task: asyncio.Task[None] | None = None

    @property
    def row(self) -> dict[str, Any]:
        status = self.status if self.call.status == "queued" else self.call.status
        over = self.call.line.doing == "over"
        uri = f"/2010-04-01/Accounts/{self._account_sid}/Calls/{self.call.sid}.json"
        return {
            "sid": self.call.sid,
            "account_sid": self._account_sid,
            "to": self.parameters["To"],
            "from": self.parameters["From"],
            "status": status,
            "direction": "outbound-api",
            "answered_by": self.call.extra.get("AnsweredBy"),
            "duration": str(round(self.call.seconds)) if over else None,
            "date_created": self.created,
            "date_updated": formatdate(),
            "start_time": self.created,
            "end_time": formatdate() if over else None,
            "price": None,
            "price_unit": "USD",
            "api_version": "2010-04-01",
            "parent_call_sid": None,
            "forwarded_from": None,
            "caller_name": "",
            "uri": uri,
            "subresource_uris": {},
        }

    @property
    def told(self) -> dict[str, Any]:
        """What a test wants to know of it."""
        line = self.call.line
        return {
            "sid": self.call.sid,
            "to": self.parameters["To"],
            "parameters": self.parameters,
            "status": self.row["status"],
            "doing": line.doing,
            "answered_by": self.row["answered_by"],
            "heard_ms": sum(len(span.audio) for span in line.ear.spans) // 8,
            "told": line.told,
            "streams": self.call.streams,
            "clears": line.count("clear"),
            "dialled": [one.parameters for one in self.call.dialled],
            "errors": line.errors,
        }


class Switchboard:
    """Places calls, whose people are `callees` (by number; `*` for all others)."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._calls: dict[str, PlacedCall] = {}
        self._callees: dict[str, dict[str, Any]] = {}
        self._people: dict[str, Person] = {}
        self._route = Route()
        self._pace = 0.0

    def configure(self, wanted: dict[str, Any]) -> None:
        """`callees`, `people`, `route` ([public, local]), `pace`: whatever is given."""
        self._callees |= wanted.pop("callees", {})
        people = wanted.pop("people", {})
        self._people |= {number: Person(**values) for number, values in people.items()}
        if "route" in wanted:
            self._route = Route(*wanted.pop("route"))
        self._pace = float(wanted.pop("pace", self._pace))
        if wanted:
            raise ValueError(f"not understood: {', '.join(wanted)}")

    def create(self, parameters: dict[str, str], own_numbers: set[str]) -> dict[str, Any]:
        checks.new_call(parameters, own_numbers)
        dialog = Dialog(
            voice_url=parameters.get("Url", ""),
            twiml=parameters.get("Twiml", ""),
            status_url=parameters.get("StatusCallback", ""),
            status_events=checks.status_events(parameters.get("StatusCallbackEvent", "")),
            caller=parameters["From"],
            called=parameters["To"],
            direction="outbound-api",
        )
        webhooks = Webhooks(self._account, self._route)
        call = PhoneCall(Line(), webhooks, dialog, people=self._people, pace=self._pace)
        call.status = "queued"
        placed = PlacedCall(call, parameters, self._account.sid)
        self._calls[call.sid] = placed
        placed.task = asyncio.create_task(self._conduct(placed, webhooks))
        return placed.row

    async def _conduct(self, placed: PlacedCall, webhooks: Webhooks) -> None:
        number = placed.parameters["To"]
        values = dict(self._callees.get(number) or self._callees.get("*") or {})
        steps = values.pop("steps", LISTENING)
        asked = Asked(
            detection=_detection(placed.parameters),
            asynchronous=placed.parameters.get("AsyncAmd", "") == "true",
            detection_url=placed.parameters.get("AsyncAmdStatusCallback", ""),
            timeout_seconds=float(placed.parameters.get("Timeout", "60")),
        )
        async with webhooks:
            try:
                person = persona(steps, _recording)
                await place(placed.call, webhooks, Callee(**values), asked, person, self._pace)
            except Exception as error:
                traceback.print_exc()
                placed.call.line.error(f"stand-in: {error!r}")

    def row(self, sid: str) -> dict[str, Any]:
        return self._placed(sid).row

    def update(self, sid: str, parameters: dict[str, str]) -> dict[str, Any]:
        """`Status` ends it, `Twiml` sends it elsewhere."""
        placed = self._placed(sid)
        if placed.call.line.doing == "over":
            raise TwilioError(400, 21220, "Unable to update record. Call is not in-progress.")
        if parameters.get("Status") in ("completed", "canceled"):
            placed.call.end()
            if placed.call.status in ("queued", "initiated", "ringing") and placed.task:
                placed.task.cancel()
                placed.call.status = "canceled"
                placed.call.line.do("over")
        elif "Twiml" in parameters:
            try:
                placed.call.go_to(placed.call.read(parameters["Twiml"]))
            except Broken as error:
                raise TwilioError(400, 21218, str(error)) from None
        else:
            raise TwilioError(400, 20001, "Nothing that can be changed was given")
        return placed.row

    def told(self) -> list[dict[str, Any]]:
        return [placed.told for placed in self._calls.values()]

    async def finished(self) -> None:
        """Until no call is under way."""
        await asyncio.gather(*(placed.task for placed in self._calls.values() if placed.task))

    async def hang_up(self) -> None:
        """End all calls."""
        tasks = [placed.task for placed in self._calls.values() if placed.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _placed(self, sid: str) -> PlacedCall:
        placed = self._calls.get(sid)
        if placed is None:
            raise checks.not_found(f"/2010-04-01/Accounts/{self._account.sid}/Calls/{sid}.json")
        return placed


def _detection(parameters: dict[str, str]) -> Detection:
    match parameters.get("MachineDetection"):
        case "Enable":
            return "Enable"
        case "DetectMessageEnd":
            return "DetectMessageEnd"
        case _:
            return ""


def _recording(path: Path) -> Any:
    # Here, as most scripts say nothing and need no numpy.
    from convonet.far_end.sound import speech_of

    return speech_of(path)
