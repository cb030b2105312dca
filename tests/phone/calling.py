"""Calls of the simulated telephone to the web process of a test."""

from __future__ import annotations

import asyncio
from typing import Any

from convonet.far_end import names
from convonet.far_end.line import Line, Speech
from convonet.far_end.phone_call import Dialog, Persona, PhoneCall
from convonet.far_end.sound import speech_of
from convonet.far_end.webhooks import Webhooks
from tests.phone.web import Web
from tests.phone.workers import MS
from tests.stack import ROOT

# A whole call of a test, on a machine of two slow cores.
CALL_SECONDS = 60


def dialog(web: Web, caller: str = names.CALLER) -> Dialog:
    return Dialog(voice_url=web.voice_url, status_url=f"{web.url}/twilio/status", caller=caller)


async def conduct(
    web: Web,
    line: Line,
    person: Persona,
    *,
    caller: str = names.CALLER,
    seconds: float = 3 * CALL_SECONDS,
    **options: Any,
) -> PhoneCall:
    """A call by somebody whom the server knows already, from its webhook to its status callback."""
    async with Webhooks(web.account) as webhooks:
        call = PhoneCall(line, webhooks, dialog(web, caller), **options)
        await open_known(web, webhooks, call)
        await asyncio.wait_for(call.run(person), seconds)
    return call


async def open_known(web: Web, webhooks: Webhooks, call: PhoneCall) -> None:
    """Open the rows by a webhook that is then repeated, as Twilio may, and know the caller."""
    await webhooks.ask(web.voice_url, call.parameters())
    await asyncio.to_thread(web.identify, call.sid)


def a_word() -> Speech:
    """Enough of a voice to be an utterance, and short."""
    said = speech_of(ROOT / "tests/audio/03-man.wav")
    start, end = said.from_ms - 100, said.from_ms + 500
    return Speech(said.audio[start * MS : end * MS], 100, end - start)


def heard(line: Line) -> bytes:
    return b"".join(bytes(span.audio) for span in line.ear.spans)


def number(of: int) -> str:
    """Of a caller of their own, as each may have only so many calls."""
    return f"{names.CALLER[:-4]}{of:04d}"
