"""A stand-in of Twilio's REST API that really conducts the calls it is asked to place.

Source: https://www.twilio.com/docs/voice/api/call-resource and …/phone-numbers/api. Whom a call
reaches is scripted (`callees`), by number; see `tests.standins.twilio_process` for its control.
"""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any
from urllib.parse import parse_qsl

from convonet.far_end import names
from convonet.far_end.webhooks import Account
from tests.standins import twilio_checks as checks
from tests.standins.http import Reply, Request, listen
from tests.standins.twilio_calls import Switchboard
from tests.standins.twilio_checks import TwilioError

ROOT = "/2010-04-01/Accounts"
# What `fails` may be: refusals, an answer without JSON, none at all.
FAILURES = ("429", "500", "503", "page", "silence")


class TwilioRest:
    """One account with one number."""

    def __init__(self) -> None:
        self.account = Account()
        self._begin()

    def _begin(self) -> None:
        self.fails = ""
        self.number = _number_row(names.CALLED)
        self.asked: list[dict[str, Any]] = []
        self.switchboard = Switchboard(self.account)

    async def answer(self, request: Request, reply: Reply) -> None:
        if request.path == "/control":
            await self._control(request, reply)
            return
        parameters = _form(request.body)
        self.asked.append(
            {"method": request.method, "path": request.path, "parameters": parameters}
        )
        try:
            await self._fail(reply)
            if not reply.begun:
                status, row = self._resource(request, parameters)
                reply.json(status, row)
        except TwilioError as error:
            reply.json(error.status, error.body)

    async def _fail(self, reply: Reply) -> None:
        match self.fails:
            case "429":
                raise TwilioError(429, 20429, "Too Many Requests")
            case "500" | "503":
                raise TwilioError(int(self.fails), 20500, "An internal server error has occurred")
            case "page":
                reply.whole(502, b"<html><body>Bad gateway</body></html>", "text/html")
            case "silence":
                # The asker's patience ends first, and its leaving cancels this.
                await asyncio.Event().wait()

    def _resource(self, request: Request, parameters: dict[str, str]) -> tuple[int, Any]:
        self._authenticate(request)
        path = request.path.removeprefix(f"{ROOT}/{self.account.sid}")
        match request.method, path.removeprefix("/").removesuffix(".json").split("/"):
            case "GET", [""]:
                return 200, self._account_row()
            case "POST", ["Calls"]:
                return 201, self.switchboard.create(parameters, self._own_numbers())
            case "GET", ["Calls", sid]:
                return 200, self.switchboard.row(sid)
            case "POST", ["Calls", sid]:
                return 200, self.switchboard.update(sid, parameters)
            case "GET", ["IncomingPhoneNumbers"]:
                return 200, self._numbers(request.query)
            case "GET", ["IncomingPhoneNumbers", sid] if sid == self.number["sid"]:
                return 200, self.number
            case "POST", ["IncomingPhoneNumbers", sid] if sid == self.number["sid"]:
                return 200, self._change_number(parameters)
        raise checks.not_found(request.path)

    def _authenticate(self, request: Request) -> None:
        if not request.path.startswith(f"{ROOT}/{self.account.sid}"):
            raise TwilioError(401, 20003, "Authenticate")
        kind, _, value = request.headers.get("authorization", "").partition(" ")
        wanted = base64.b64encode(f"{self.account.sid}:{self.account.auth_token}".encode())
        if kind.lower() != "basic" or value != wanted.decode():
            raise TwilioError(401, 20003, "Authenticate")

    def _own_numbers(self) -> set[str]:
        return {self.number["phone_number"]}

    def _account_row(self) -> dict[str, Any]:
        return {
            "sid": self.account.sid,
            "friendly_name": "The tests' account",
            "status": "active",
            "type": "Full",
            "auth_token": self.account.auth_token,
            "owner_account_sid": self.account.sid,
            "date_created": "Sun, 01 Nov 2026 09:00:00 +0000",
            "date_updated": "Sun, 01 Nov 2026 09:00:00 +0000",
            "uri": f"{ROOT}/{self.account.sid}.json",
            "subresource_uris": {},
        }

    def _numbers(self, query: dict[str, str]) -> dict[str, Any]:
        wanted = query.get("PhoneNumber")
        found = [] if wanted and wanted not in self._own_numbers() else [self.number]
        uri = f"{ROOT}/{self.account.sid}/IncomingPhoneNumbers.json?PageSize=50&Page=0"
        return {
            "incoming_phone_numbers": found,
            "start": 0,
            "end": max(0, len(found) - 1),
            "page": 0,
            "page_size": 50,
            "uri": uri,
            "first_page_uri": uri,
            "next_page_uri": None,
            "previous_page_uri": None,
        }

    def _change_number(self, parameters: dict[str, str]) -> dict[str, Any]:
        for name, value in parameters.items():
            field = checks.field(name)
            if field not in self.number:
                raise TwilioError(400, 20001, f"Unknown parameter {name}")
            if field.endswith("_url") or field == "status_callback":
                checks.url(name, value)
            elif field.endswith("_method"):
                checks.method(name, value)
            self.number[field] = value
        return self.number

    async def _control(self, request: Request, reply: Reply) -> None:
        if request.method == "DELETE":
            await self.switchboard.hang_up()
            self._begin()
        elif request.method == "POST":
            wanted = json.loads(request.body)
            self.fails = wanted.pop("fails", self.fails)
            if self.fails and self.fails not in FAILURES:
                raise ValueError(f"there is no failure {self.fails!r}")
            self.switchboard.configure(wanted)
        reply.json(
            200,
            {"asked": self.asked, "number": self.number, "calls": self.switchboard.told()},
        )


def _form(body: bytes) -> dict[str, str]:
    """Repeated parameters, as the several events of a status callback, joined with spaces."""
    form: dict[str, str] = {}
    for name, value in parse_qsl(body.decode(), keep_blank_values=True):
        form[name] = f"{form[name]} {value}" if name in form else value
    return form


def _number_row(number: str) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(
        (
            "voice_url",
            "voice_fallback_url",
            "status_callback",
            "sms_url",
            "sms_fallback_url",
            "voice_application_sid",
            "trunk_sid",
        ),
        "",
    )
    methods = ("voice_method", "voice_fallback_method", "status_callback_method", "sms_method")
    row |= dict.fromkeys(methods, "POST")
    sid = names.sid("PN")
    return row | {
        "sid": sid,
        "account_sid": names.ACCOUNT,
        "friendly_name": number,
        "phone_number": number,
        "voice_caller_id_lookup": False,
        "capabilities": {"voice": True, "sms": True, "mms": True, "fax": False},
        "api_version": "2010-04-01",
        "uri": f"{ROOT}/{names.ACCOUNT}/IncomingPhoneNumbers/{sid}.json",
    }


async def start(port: int = 0) -> tuple[TwilioRest, asyncio.Server, str]:
    """In this loop: (the stand-in, its server, its address)."""
    service = TwilioRest()
    listening = await listen(service.answer, port)
    address = listening.sockets[0].getsockname()
    return service, listening, f"http://127.0.0.1:{address[1]}"
