"""Telephone calls over uvicorn; all other tests' calls come over Daphne."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from convonet.far_end.line import Line
from convonet.far_end.phone_call import PhoneCall
from convonet.far_end.webhooks import signature
from tests.phone.asking import said
from tests.phone.calling import CALL_SECONDS, a_word, dialog, heard, open_known
from tests.phone.test_resume import Held
from tests.phone.web import Web, running_web
from tests.phone.workers import MS, Spoken, playing

pytestmark = pytest.mark.service
ANSWER = b"\x33" * 900 * MS


@pytest.fixture(scope="module")
def uvicorn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SERVER", "uvicorn")
        with running_web(tmp_path_factory.mktemp("uvicorn")) as running:
            yield running


async def test_a_caller_is_answered_before_and_after_the_server_was_replaced(uvicorn: Web) -> None:
    line = Line()

    async def ask(line: Line) -> None:
        before = heard(line).count(ANSWER)
        assert await line.quiet(0.2, CALL_SECONDS)
        await line.say(a_word())
        assert await line.until(lambda: heard(line).count(ANSWER) > before, CALL_SECONDS)

    async def talk(line: Line) -> None:
        await ask(line)
        await asyncio.to_thread(uvicorn.stop)
        await asyncio.to_thread(uvicorn.start)
        assert await line.until(lambda: call.streams == 2, CALL_SECONDS)
        await ask(line)

    async with playing(uvicorn.broker, uvicorn) as workers, Held(uvicorn.account) as webhooks:
        workers.answers = lambda _turn: [Spoken("All right.", ANSWER)]
        call = PhoneCall(line, webhooks, dialog(uvicorn), pace=0)
        await open_known(uvicorn, webhooks, call)
        await asyncio.wait_for(call.run(talk), 3 * CALL_SECONDS)
    assert line.errors == []


def test_a_webhooks_connection_is_not_kept_for_the_next(web: Web, uvicorn: Web) -> None:
    for served in (web, uvicorn):
        form = said("CA-once", CallStatus="ringing")
        proof = {"X-Twilio-Signature": signature(served.account.auth_token, served.voice_url, form)}
        answer = httpx.post(served.voice_url, data=form, headers=proof, trust_env=False)
        assert answer.is_success, answer.text
        assert answer.headers.get_list("connection", split_commas=True) == ["close"]
