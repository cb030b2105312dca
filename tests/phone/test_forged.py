"""A hundred forgeries a second of each kind while a call is up: refused, and not noticed by it."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect

from convonet.far_end.line import Line
from convonet.far_end.sound import speech_of
from phone import tokens
from phone.refusals import MOST_LINES
from tests.phone.asking import said
from tests.phone.calling import CALL_SECONDS, conduct, heard, number
from tests.phone.web import Web
from tests.phone.workers import ANSWER, ANSWER_BYTES, Workers
from tests.stack import ROOT, wait_until

pytestmark = pytest.mark.service

FORGERIES = 200
EVERY_SECONDS = 0.01
SPEECH = ROOT / "tests/audio/03-man.wav"
FORMAT = {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}


class Storm:
    """Somebody who knows the addresses and no secret."""

    def __init__(self, web: Web) -> None:
        self._web = web
        self.answers: Counter[object] = Counter()

    async def run(self) -> None:
        async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
            await asyncio.gather(self._paced(lambda: self._post(client)), self._paced(self._open))

    async def _paced(self, forge: Callable[[], Awaitable[object]]) -> None:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(FORGERIES):
                tasks.create_task(self._counted(forge))
                await asyncio.sleep(EVERY_SECONDS)

    async def _counted(self, forge: Callable[[], Awaitable[object]]) -> None:
        self.answers[await forge()] += 1

    async def _post(self, client: httpx.AsyncClient) -> int:
        proof = {"X-Twilio-Signature": "bm90IHRoZSByaWdodCBvbmUhISE="}
        answer = await client.post(self._web.voice_url, data=said("CA-forged"), headers=proof)
        return answer.status_code

    async def _open(self) -> int | None:
        url = self._web.url.replace("http", "ws") + "/twilio/media"
        start = {
            "streamSid": "MZ-forged",
            "callSid": "CA-forged",
            "mediaFormat": FORMAT,
            # Made with another server's secret.
            "customParameters": {"token": tokens.issue("call", "CA-forged", 1)},
        }
        async with connect(url, open_timeout=60, proxy=None) as socket:
            await socket.send(json.dumps({"event": "connected"}))
            await socket.send(json.dumps({"event": "start", "start": start}))
            await socket.wait_closed()
            return socket.close_code


async def test_forgeries_are_refused_and_a_running_call_does_not_notice(
    web: Web, workers: Workers
) -> None:
    line, storm = Line(), Storm(web)
    answer = ANSWER * ANSWER_BYTES
    calls_before = web.rows("select count(*) from voice_call")

    async def talk(line: Line) -> None:
        assert await line.quiet(0.5, CALL_SECONDS)
        forging = asyncio.create_task(storm.run())
        before = heard(line).count(answer)
        for turn in (1, 2):
            await line.say(speech_of(SPEECH))
            assert await line.until(lambda: heard(line).count(answer) >= before + turn, 60)  # noqa: B023
        await forging

    await conduct(web, line, talk, caller=number(950))
    assert storm.answers == {403: FORGERIES, 4401: FORGERIES}
    assert line.errors == []

    def row() -> tuple[Any, ...]:
        return web.rows(
            "select end_reason, dropped_chunks from voice_call order by started_at desc limit 1"
        )[0]

    # The status callback may be there before the stream has noticed its end.
    await asyncio.to_thread(wait_until, lambda: row()[0] == "hung up", 60, "the call is closed")
    dropped = row()[1]
    # Our own telephone may be held up, and then speaks faster than people do.
    assert dropped == 0 or line.late.most_ms > 1000
    assert web.rows("select count(*) from voice_call")[0][0] == calls_before[0][0] + 1
    for refused in ("request not signed by Twilio", "media stream refused"):
        # A few a minute; the tests of a run may begin a minute anew.
        assert 0 < len(re.findall(refused, web.log)) <= 10 * MOST_LINES
