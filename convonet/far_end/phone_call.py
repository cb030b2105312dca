"""A call as Twilio conducts it: TwiML is fetched and carried out verb by verb until it ends.

When a server closes a stream's socket the call goes on behind it; when the caller hangs up, or
the documents end, the status callback closes it.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any

from convonet.far_end import names, wire
from convonet.far_end.dialling import Dialling
from convonet.far_end.legs import Circles, Page, Pages, gather, speak
from convonet.far_end.line import Line
from convonet.far_end.media_stream import Gap, MediaStream
from convonet.far_end.people import Dialled, Person
from convonet.far_end.socket import NotOpened
from convonet.far_end.twiml import Broken, Verb
from convonet.far_end.webhooks import NoAnswer, Webhooks

APOLOGY = "We're sorry, an application error has occurred. Goodbye."
# A person who is not done when the call is over.
LEAVING_SECONDS = 2.0

Persona = Callable[[Line], Awaitable[None]]
"""What the caller does; when it returns, the caller hangs up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialog:
    """Whom a call connects and where Twilio asks what to do."""

    voice_url: str
    status_url: str = ""
    status_events: frozenset[str] = frozenset({"completed"})
    caller: str = names.CALLER
    called: str = names.CALLED
    direction: str = "inbound"
    twiml: str = ""
    """Carried out instead of asking `voice_url`."""


class PhoneCall:
    def __init__(
        self,
        line: Line,
        webhooks: Webhooks,
        dialog: Dialog,
        *,
        people: Mapping[str, Person] | None = None,
        pace: float = 1.0,
        gaps: Sequence[Gap] = (),
        call_sid: str = "",
    ) -> None:
        """`pace`: the share of real time that Twilio's voice, pauses and ringing take."""
        self.sid = call_sid or names.sid("CA")
        self.line, self._webhooks, self._dialog = line, webhooks, dialog
        self._people, self._pace, self._gaps = people or {}, pace, gaps
        self._pages = Pages(webhooks, self.parameters, line.error)
        self._page = Page([], dialog.voice_url)
        self._instead: Page | None = None
        self._carrying: asyncio.Task[None] | None = None
        self._told = 0
        self._began = line.clock()
        self.extra: dict[str, str] = {}
        """Further parameters of every request, as AnsweredBy."""
        self.status = "ringing"
        self.stream: MediaStream | None = None
        self.streams = 0
        self.dialled: list[Dialled] = []

    @property
    def seconds(self) -> float:
        return self.line.clock() - self._began

    def answered(self) -> None:
        """Its time counts from here, and its documents are asked for as of a call in progress."""
        self._began = self.line.clock()

    def parameters(self) -> dict[str, str]:
        """Those of every request about this call."""
        dialog = self._dialog
        return {
            "CallSid": self.sid,
            "AccountSid": self._webhooks.account.sid,
            "From": dialog.caller,
            "Caller": dialog.caller,
            "To": dialog.called,
            "Called": dialog.called,
            "CallStatus": self.status,
            "ApiVersion": "2010-04-01",
            "Direction": dialog.direction,
            # Empty ones are sent and signed as well.
            "FromCity": "",
            "FromCountry": "US",
            "ToCountry": "US",
            **self.extra,
        }

    # Life -----------------------------------------------------------------------------------
    async def run(self, person: Persona) -> None:
        """From the first request to the status callback; raises what `person` raises."""
        talking = asyncio.ensure_future(person(self.line))
        hung_up = asyncio.ensure_future(self.line.hung_up.wait())
        self._carrying = asyncio.create_task(self._carry())
        try:
            await self._until_one_ends(talking, hung_up)
        finally:
            hung_up.cancel()
            await self._end(talking)
        if talking.done() and not talking.cancelled():
            talking.result()

    async def _until_one_ends(
        self, talking: asyncio.Future[None], hung_up: asyncio.Task[bool]
    ) -> None:
        """A call that is sent elsewhere (`go_to`) goes on there."""
        while self._carrying is not None:
            carrying = self._carrying
            waited_for: set[asyncio.Future[Any]] = {talking, hung_up, carrying}
            await asyncio.wait(waited_for, return_when=asyncio.FIRST_COMPLETED)
            if talking.done() or hung_up.done() or carrying is self._carrying:
                return

    async def _end(self, talking: asyncio.Future[None]) -> None:
        if self._carrying is not None:
            self._carrying.cancel()
            await asyncio.wait({self._carrying})
        self.status = "completed"
        self.line.do("over")
        await asyncio.wait({talking}, timeout=LEAVING_SECONDS)
        talking.cancel()
        await self.tell_status("completed")
        if self._carrying is not None and not self._carrying.cancelled():
            self._carrying.result()

    def end(self) -> None:
        """As the REST API's `Status=completed`."""
        self.line.hang_up()

    def go_to(self, page: Page) -> None:
        """As the REST API's `Twiml`: what goes on is ended and this is carried out."""
        if self._carrying is not None:
            self._carrying.cancel()
        self._instead = page
        self._carrying = asyncio.create_task(self._carry())

    def read(self, twiml: str) -> Page:
        return self._pages.read(twiml, self._dialog.voice_url)

    async def tell_status(self, event: str) -> None:
        """The status callback: `initiated`, `ringing`, `answered`, `completed` (any end)."""
        dialog = self._dialog
        if not dialog.status_url or event not in dialog.status_events:
            return
        told = {
            **self.parameters(),
            "CallbackSource": "call-progress-events",
            "SequenceNumber": str(self._told),
            "Timestamp": formatdate(),
        }
        if event == "completed":
            told["CallDuration"] = str(round(self.seconds))
            told["Duration"] = str(math.ceil(self.seconds / 60))
        self._told += 1
        try:
            await self._webhooks.ask(dialog.status_url, told)
        except NoAnswer as error:
            self.line.error(f"status: {error}")

    # Documents ------------------------------------------------------------------------------
    async def _carry(self) -> None:
        try:
            page: Page | None = self._instead or await self._first()
            self.status = "in-progress"
            while page is not None:
                self._page = page
                page = await self._perform(page)
        except (NoAnswer, Broken, Circles) as error:
            self.line.error(f"webhook: {error}")
            self.line.told.append(APOLOGY)

    async def _first(self) -> Page:
        if self._dialog.twiml:
            return self.read(self._dialog.twiml)
        return await self._pages.get(self._dialog.voice_url)

    async def _perform(self, page: Page) -> Page | None:
        """What is to be done next; None ends the call."""
        for verb in page.verbs:
            self.line.do(verb.name.lower())
            match verb.name:
                case "Hangup" | "Reject":
                    return None
                case "Redirect":
                    method = verb.attributes.get("method", "POST")
                    return await self._pages.get(verb.text, page.url, method=method)
                case _:
                    following = await self._do(verb)
                    if following is not None:
                        return following
        return None

    async def _do(self, verb: Verb) -> Page | None:
        await speak(verb, self.line.told, self._pace)
        match verb.name:
            case "Pause":
                await asyncio.sleep(self._pace * verb.number("length", 1))
            case "Gather":
                return await self._gather(verb)
            case "Dial":
                return await self._dial(verb)
            case "Connect":
                for noun in verb.nouns:
                    await self._stream(noun)
                return await self._action(verb)
        return None

    async def _action(self, verb: Verb, **more: str) -> Page | None:
        action = verb.attributes.get("action")
        if action is None:
            return None
        method = verb.attributes.get("method", "POST")
        return await self._pages.get(action, self._page.url, method=method, **more)

    async def _gather(self, verb: Verb) -> Page | None:
        digits = await gather(verb, self._next_key)
        if not digits and verb.attributes.get("actionOnEmptyResult") != "true":
            return None
        verb.attributes.setdefault("action", self._page.url)
        return await self._action(verb, Digits=digits)

    async def _next_key(self, seconds: float) -> str:
        keys: list[str] = []

        def pressed() -> bool:
            keys.extend(self.line.next_key(self.line.clock()))
            return bool(keys)

        await self.line.until(pressed, self._pace * seconds)
        return keys[0] if keys else ""

    async def _dial(self, verb: Verb) -> Page | None:
        dialling = Dialling(
            verb,
            self._webhooks,
            self.parameters,
            self._people,
            base=self._page.url,
            pace=self._pace,
            fault=self.line.error,
        )
        try:
            dialled = await dialling.run()
        except asyncio.CancelledError:
            # The caller hung up: the action is asked all the same, and its answer not heard.
            gone = Dialled("completed" if dialling.joined else "canceled", dialling.joined)
            self.dialled.append(gone)
            self.status = "completed"
            await self._action(verb, **gone.parameters)
            raise
        self.dialled.append(dialled)
        return await self._action(verb, **dialled.parameters)

    async def _stream(self, noun: Verb) -> None:
        parameters = {
            p.attributes.get("name", ""): p.attributes.get("value", "") for p in noun.nouns
        }
        script = wire.Script(names.sid("MZ"), self.sid, self._webhooks.account.sid)
        self.stream = MediaStream(self.line, script, parameters=parameters, gaps=self._gaps)
        self.streams += 1
        self.line.do("stream")
        try:
            await self.stream.run(*self._webhooks.socket(noun.attributes.get("url", "")))
        except NotOpened as error:
            self.line.error(f"stream: 31920, {error}")
        finally:
            self.stream = None
