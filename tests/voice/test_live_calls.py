"""A whole call that is heard live, on the running product."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection

from convonet.recordings import read_wav
from tests.stack import ROOT, Stack
from tests.standins.deepgram_live import KEY, Behaviour, deepgram_live
from tests.voice.client import FRAME, call, hear_until, say

pytestmark = pytest.mark.service

SILENCE_SECONDS = 1.0


async def exchange(opened: ClientConnection, recording: str) -> tuple[Any, list[Any]]:
    """Speak at real-time pace: (the `turn_done`, the transcripts before it)."""
    pcm = read_wav(ROOT / "tests/audio" / recording) + bytes(int(32000 * SILENCE_SECONDS))
    async with asyncio.TaskGroup() as tasks:
        speaking = tasks.create_task(speak(opened, pcm))
        done, before, _ = await hear_until(opened, "turn_done", 60)
        await speaking
    return done, [message for message in before if message["type"] == "transcript"]


async def speak(opened: ClientConnection, pcm: bytes) -> None:
    loop = asyncio.get_running_loop()
    due = loop.time()
    for at in range(0, len(pcm), len(FRAME)):
        await opened.send(pcm[at : at + len(FRAME)].ljust(len(FRAME), b"\0"))
        due += 0.04
        await asyncio.sleep(max(0.0, due - loop.time()))


async def test_a_call_is_heard_live_and_by_the_worker_when_that_breaks(new_stack: Stack) -> None:
    heard = "how many open todos do I have"
    behaviour = Behaviour(words=heard, first_at=0.3, pace=0.15, languages=["en-GB"])
    async with deepgram_live(behaviour) as server:
        new_stack.env |= {
            "TRANSCRIBER": "deepgram,local",
            "DEEPGRAM_URL": server.url,
            "DEEPGRAM_API_KEY": KEY,
            "DEEPGRAM_LIVE_SECONDS": "10",
            "LOG_LEVEL": "DEBUG",
        }
        await asyncio.to_thread(new_stack.start)
        async with call(new_stack) as opened:
            # The recording says something else: these words can only have come live.
            live_done, live = await exchange(opened, "01-man.wav")
            position = len(server.visits[0].audio) / 32000
            behaviour.dies_after = position + 0.5
            worker_done, by_worker = await exchange(opened, "10-man.wav")
            await say(opened, "stop")

    assert live[-1]["final"]
    assert live[-1]["text"] == heard
    shown = [message["text"] for message in live if not message["final"]]
    assert any(heard.startswith(text) and 0 < len(text) < len(heard) for text in shown), shown
    assert live_done["state"] == "done"
    assert "open" in live_done["reply"]

    assert by_worker[-1]["final"]
    assert "my list" in by_worker[-1]["text"]
    assert worker_done["state"] == "done"
    languages = [
        row[0] for row in new_stack.rows("select language from voice_turn order by number")
    ]
    assert languages[0] == "en"
    uses = new_stack.rows(
        "select u.model, u.error, u.audio_ms > 500, u.utterance_id = t.utterance_id "
        "from voice_provideruse u join voice_turn t on t.utterance_id = u.utterance_id "
        "where u.stage = 'hear' and u.provider = 'deepgram' and t.transcript = ?",
        heard,
    )
    assert uses == [("nova-3", "", 1, 1)]
    logs = new_stack.output + new_stack.logs("web") + new_stack.logs("speech")
    assert "live hearing failed" in logs
    assert KEY not in logs
