"""What both ends of a call have in common: documents are fetched for them, keys asked of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

from convonet.far_end import twiml
from convonet.far_end.twiml import Verb
from convonet.far_end.webhooks import Webhooks

# Twilio's voice: characters a second.
SPEAKING_RATE = 15.0
# A server that sends a call round in circles.
MOST_DOCUMENTS = 300

# The next key within so many seconds; empty when none comes.
NextKey = Callable[[float], Awaitable[str]]


class Circles(Exception):
    """More documents than any call needs."""


@dataclass(frozen=True, slots=True)
class Page:
    """A document, and the URL that relative ones in it start from."""

    verbs: list[Verb]
    url: str


class Pages:
    """Fetches the documents of one leg, noting their faults by `fault`."""

    def __init__(
        self,
        webhooks: Webhooks,
        parameters: Callable[[], dict[str, str]],
        fault: Callable[[str], None],
    ) -> None:
        self._webhooks, self._parameters, self._fault = webhooks, parameters, fault
        self._fetched = 0

    async def get(self, url: str, base: str = "", *, method: str = "POST", **more: str) -> Page:
        """Raises NoAnswer and Broken."""
        self._fetched += 1
        if self._fetched > MOST_DOCUMENTS:
            raise Circles(f"{MOST_DOCUMENTS} documents were fetched for one call")
        asked = {**self._parameters(), **more}
        text, url = await self._webhooks.ask(url, asked, method=method, base=base)
        return self.read(text, url)

    def read(self, text: str, url: str) -> Page:
        document = twiml.read(text)
        for fault in document.faults:
            self._fault(f"twiml: {fault}")
        return Page(document.verbs, url)


def spoken(verb: Verb) -> Iterator[str]:
    """The sentences of a verb and those within it."""
    if verb.name == "Say" and verb.text:
        yield verb.text
    for noun in verb.nouns:
        yield from spoken(noun)


async def gather(verb: Verb, next_key: NextKey) -> str:
    """The keys pressed; `timeout` counts from the last one."""
    most = int(verb.number("numDigits", 1000))
    finish = verb.attributes.get("finishOnKey", "#")
    digits = ""
    while len(digits) < most:
        key = await next_key(verb.number("timeout", 5))
        if not key or (finish and key in finish):
            break
        digits += key
    return digits


async def speak(verb: Verb, told: list[str], pace: float) -> None:
    """`pace` 1 takes as long as Twilio's voice does, 0 no time."""
    for text in spoken(verb):
        told.append(text)
        await asyncio.sleep(pace * len(text) / SPEAKING_RATE)
