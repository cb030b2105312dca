"""The whole product loses its web process in mid-turn; the caller hears the answer all the same."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

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
        "somebody, _ = User.objects.get_or_create(username='resumed')\n"
        f"calls = Call.objects.filter(phone__sid={call.sid!r})\n"
        "answer = calls.update(identified=True, user=somebody)",
    )
    return call


def turns(stack: Stack, call: PhoneCall) -> list[tuple[str, str, str]]:
    """(state, reply, heard) of each."""
    return stack.rows(
        "select t.state, t.reply, t.heard from voice_turn t"
        " join phone_phonecall p on p.call_id = t.call_id where p.sid = ?",
        call.sid,
    )


async def test_the_answer_is_heard_once_after_the_web_process_died(stack: Stack) -> None:
    line = Line()

    async def talk(line: Line) -> None:
        assert await line.quiet(0.5, WAIT)
        await line.say(speech_of(SPEECH))
        assert await line.until(lambda: bool(turns(stack, call)), WAIT)
        stack.kill("web")
        assert await line.until(lambda: call.streams == 2, WAIT), line.errors
        assert await line.until(lambda: turns(stack, call)[0][0] == "done", WAIT), line.errors
        assert await line.quiet(0.5, WAIT)

    async with Held() as webhooks:
        call = await known_call(stack, webhooks, line)
        await asyncio.wait_for(call.run(talk), 3 * WAIT)
    await asyncio.to_thread(stack.wait_until_healthy)
    assert line.errors == []
    ((_, reply, heard),) = turns(stack, call)
    assert reply
    assert heard == reply
    todos = "select 1 from todo_todo t join auth_user u on u.id = t.owner_id where u.username = ?"
    assert len(stack.rows(todos, "resumed")) == 1
    assert stack.rows("select status from phone_phonecall where sid = ?", call.sid) == [
        ("completed",)
    ]
