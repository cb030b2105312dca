"""Calls at their true length: ten minutes of noise, and more than half an hour. `make soak`."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any

import psutil
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from tests.stack import Stack
from tests.voice.client import FRAME, call, say

pytestmark = [pytest.mark.soak, pytest.mark.timeout(2400)]

NOISE_SECONDS = 600
LONG_SECONDS = 31 * 60
# The web process after the call, over what it held before, in MB: allocator slack, no leak.
SLACK_MB = 8


class Listener:
    """Keeps what the server says, and acknowledges replies as a page would."""

    def __init__(self, opened: ClientConnection) -> None:
        self.opened = opened
        self.messages: list[dict[str, Any]] = []
        self.code = 0
        self.answered = asyncio.Event()

    async def run(self) -> None:
        turn = ""
        try:
            async for message in self.opened:
                if isinstance(message, bytes):
                    at_ms = int.from_bytes(message[4:8], "little") + (len(message) - 8) // 32
                    await say(self.opened, "played", turn=turn, ms=at_ms)
                    continue
                self.messages.append(json.loads(message))
                turn = self.messages[-1].get("turn", turn)
                if self.messages[-1]["type"] == "turn_done":
                    self.answered.set()
        except ConnectionClosed:
            pass
        self.code = self.opened.close_code or 0

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.messages if message["type"] == kind]


async def stream(opened: ClientConnection, seconds: float, frames: list[bytes]) -> None:
    """Send frames at real-time pace until the time or the call is over."""
    loop = asyncio.get_running_loop()
    due = loop.time()
    try:
        for number in range(int(seconds / 0.04)):
            await opened.send(frames[number % len(frames)])
            due += 0.04
            await asyncio.sleep(max(0.0, due - loop.time()))
    except ConnectionClosed:
        pass


def web_mb(stack: Stack) -> float:
    return float(psutil.Process(stack.pid("web")).memory_full_info().uss / 1e6)


async def test_ten_minutes_of_noise(stack: Stack) -> None:
    stack.make_user("fan")
    noise = random.Random(3)
    frames = [
        b"".join(noise.randint(-9000, 9000).to_bytes(2, "little", signed=True) for _ in range(640))
        for _ in range(50)
    ]
    before = web_mb(stack)
    async with call(stack, "fan") as opened:
        listener = Listener(opened)
        listening = asyncio.create_task(listener.run())
        await stream(opened, NOISE_SECONDS, frames)
        await say(opened, "text", text="how many open todos do i have")
        await asyncio.wait_for(listener.answered.wait(), 60)
        await say(opened, "stop")
        await listening
    assert [done["state"] for done in listener.of("turn_done")] == ["done"]
    notices = {notice["text"] for notice in listener.of("notice")}
    assert any("no words" in text for text in notices), notices
    assert web_mb(stack) < before + SLACK_MB


async def test_a_call_of_31_minutes_is_ended_politely_at_30(stack: Stack) -> None:
    stack.make_user("talker")
    before = web_mb(stack)
    async with call(stack, "talker") as opened:
        listener = Listener(opened)
        listening = asyncio.create_task(listener.run())
        sending = asyncio.create_task(stream(opened, LONG_SECONDS, [FRAME]))
        asked = 0
        while not sending.done():
            asked += 1
            try:
                await say(opened, "text", text="how many open todos do i have")
            except ConnectionClosed:
                break
            await asyncio.sleep(10)
        await asyncio.gather(sending, listening)
    assert listener.code == 4430
    assert "30 minutes" in listener.of("bye")[0]["text"]
    answered = [done for done in listener.of("turn_done") if done["state"] == "done"]
    assert len(answered) >= asked - 3
    row = stack.rows(
        "select c.end_reason, c.ended_at is not null from voice_call c "
        "join auth_user u on u.id = c.user_id where u.username = 'talker'"
    )
    assert row == [("call too long", 1)]
    assert web_mb(stack) < before + SLACK_MB
