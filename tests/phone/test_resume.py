"""The whole product loses its web process in mid-turn; the caller hears the answer all the same."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from convonet.far_end import names
from convonet.far_end.line import Line
from convonet.far_end.phone_call import Dialog, PhoneCall
from convonet.far_end.sound import speech_of
from convonet.far_end.webhooks import NoAnswer, Webhooks
from tests.stack import ROOT, Stack

pytestmark = pytest.mark.service
WAIT = 100
SPEECH = ROOT / "tests/audio/00-woman.wav"


class Held(Webhooks):
    """Behind a proxy that holds requests while the server behind it is replaced."""

    async def _request(self, *arguments: Any) -> httpx.Response:
        for _ in range(10 * WAIT):
            try:
                return await super()._request(*arguments)
            except NoAnswer:
                await asyncio.sleep(0.1)
        return await super()._request(*arguments)


async def known_call(stack: Stack, webhooks: Webhooks, line: Line) -> PhoneCall:
    """Its first webhook is answered, to be repeated, and the caller has been recognised."""
    dialog = Dialog(voice_url=f"{stack.url}/twilio/voice", status_url=f"{stack.url}/twilio/status")
    call = PhoneCall(line, webhooks, dialog, pace=0)
    await webhooks.ask(dialog.voice_url, call.parameters())
    await asyncio.to_thread(
        stack.ask,
        "from django.contrib.auth.models import User\n"
        "from voice.models import Call\n"
        "anna, _ = User.objects.get_or_create(username='anna')\n"
        "answer = Call.objects.update(identified=True, user=anna)",
    )
    return call


async def test_the_answer_is_heard_once_after_the_web_process_died(new_stack: Stack) -> None:
    stack, line = new_stack, Line()
    stack.env |= {"TWILIO_AUTH_TOKEN": names.AUTH_TOKEN, "PUBLIC_URL": stack.url}
    await asyncio.to_thread(stack.start)

    def asked() -> bool:
        return bool(stack.rows("select 1 from voice_turn"))

    def answered() -> bool:
        return stack.rows("select state from voice_turn") == [("done",)]

    async def talk(line: Line) -> None:
        assert await line.quiet(0.5, WAIT)
        await line.say(speech_of(SPEECH))
        assert await line.until(asked, WAIT)
        stack.kill("web")
        assert await line.until(lambda: call.streams == 2 and answered(), WAIT), line.errors
        assert await line.quiet(0.5, WAIT)

    async with Held() as webhooks:
        call = await known_call(stack, webhooks, line)
        await asyncio.wait_for(call.run(talk), 3 * WAIT)
    assert line.errors == []
    assert len(stack.rows("select 1 from todo_todo")) == 1
    ((reply, heard),) = stack.rows("select reply, heard from voice_turn")
    assert reply
    assert heard == reply
    assert stack.rows("select status from phone_phonecall") == [("completed",)]
