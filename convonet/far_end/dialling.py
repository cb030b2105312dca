"""`<Dial>`: people are rung, hear the whisper, take the call or not, and are joined to the caller.

Sources: https://www.twilio.com/docs/voice/twiml/dial and …/twiml/number
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from convonet.far_end.legs import Pages, gather, speak
from convonet.far_end.names import sid
from convonet.far_end.people import Dialled, Person, person, unanswered
from convonet.far_end.twiml import Broken, Verb
from convonet.far_end.webhooks import NoAnswer, Webhooks


class Dialling:
    """One `<Dial>`. `parameters` are those of the caller's leg."""

    def __init__(
        self,
        verb: Verb,
        webhooks: Webhooks,
        parameters: Callable[[], dict[str, str]],
        people: Mapping[str, Person],
        *,
        base: str,
        pace: float,
        fault: Callable[[str], None],
    ) -> None:
        self._verb, self._webhooks, self._parameters = verb, webhooks, parameters
        self._people, self._base, self._pace, self._fault = people, base, pace, fault
        self.joined = False

    async def run(self) -> Dialled:
        """Rings all at once; the first who picks up gets the call."""
        nouns = self._verb.nouns or [Verb("Number", {}, self._verb.text)]
        asked = [(noun, person(self._people, _number(noun))) for noun in nouns]
        patience = self._verb.number("timeout", 30)
        for _, somebody in asked:
            somebody.called += 1
            somebody.callers.append(self._shown)
        answering = [
            (noun, somebody)
            for noun, somebody in asked
            if somebody.outcome == "answers" and somebody.rings_seconds <= patience
        ]
        if not answering:
            outcomes = [_refusal(somebody) for _, somebody in asked]
            rings = patience if "no-answer" in outcomes else asked[0][1].rings_seconds
            await asyncio.sleep(self._pace * rings)
            return Dialled(unanswered(outcomes), sid=sid("CA"))
        noun, first = min(answering, key=lambda pair: pair[1].rings_seconds)
        await asyncio.sleep(self._pace * first.rings_seconds)
        return await self._answered(noun, first)

    async def _answered(self, noun: Verb, somebody: Person) -> Dialled:
        child = sid("CA")
        if not await self._takes(noun, somebody, child):
            # Picked up and not joined: `completed` all the same, which DialBridged tells apart.
            return Dialled("completed", sid=child)
        self.joined = True
        somebody.joined += 1
        limit = self._verb.number("timeLimit", 14_400)
        seconds = min(somebody.talks_seconds, limit)
        await asyncio.sleep(self._pace * seconds)
        return Dialled("completed", bridged=True, seconds=seconds, sid=child)

    async def _takes(self, noun: Verb, somebody: Person, child: str) -> bool:
        """Whether the whisper's document ends with the call still up."""
        whisper = noun.attributes.get("url")
        if whisper is None:
            return True
        pages = Pages(self._webhooks, lambda: self._of_child(noun, child), self._fault)
        try:
            return await self._whispered(pages, whisper, noun, somebody)
        except (NoAnswer, Broken) as error:
            self._fault(f"whisper: {error}")
            return False

    async def _whispered(self, pages: Pages, url: str, noun: Verb, somebody: Person) -> bool:
        page = await pages.get(url, self._base, method=noun.attributes.get("method", "POST"))
        keys = iter(somebody.keys)

        async def next_key(seconds: float) -> str:
            key = next(keys, "")
            if not key:
                await asyncio.sleep(self._pace * seconds)
            return key

        verbs = list(page.verbs)
        while verbs:
            verb = verbs.pop(0)
            await speak(verb, somebody.told, self._pace)
            if verb.name in ("Hangup", "Reject"):
                return False
            if verb.name == "Pause":
                await asyncio.sleep(self._pace * verb.number("length", 1))
            elif verb.name == "Redirect":
                page = await pages.get(verb.text, page.url)
                verbs = list(page.verbs)
            elif verb.name == "Gather" and (digits := await gather(verb, next_key)):
                action = verb.attributes.get("action", page.url)
                page = await pages.get(action, page.url, Digits=digits)
                verbs = list(page.verbs)
        return True

    @property
    def _shown(self) -> str:
        return self._verb.attributes.get("callerId") or self._parameters()["From"]

    def _of_child(self, noun: Verb, child: str) -> dict[str, str]:
        parent, number = self._parameters(), _number(noun)
        return {
            "CallSid": child,
            "ParentCallSid": parent["CallSid"],
            "AccountSid": parent["AccountSid"],
            "From": self._shown,
            "Caller": self._shown,
            "To": number,
            "Called": number,
            "CallStatus": "in-progress",
            "ApiVersion": "2010-04-01",
            "Direction": "outbound-dial",
        }


def _number(noun: Verb) -> str:
    return noun.text


def _refusal(somebody: Person) -> str:
    return "no-answer" if somebody.outcome == "answers" else somebody.outcome
