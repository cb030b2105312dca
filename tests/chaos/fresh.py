"""How soon a new agent child answers: `make fresh TURNS=8`.

Kills every agent child with a turn asked at once, again and again, and takes the time from the
fork of the child that answers to its first words on the socket.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

from websockets.asyncio.client import ClientConnection

from convonet import env
from convonet.caller import ACKNOWLEDGE_SECONDS
from tests.chaos.victims import kill, pool_of
from tests.stack import Stack
from tests.voice.client import call, say
from voice.browser_stream import read_audio_message

QUESTION = "how many open todos do i have"
ANSWER_SECONDS = 60.0


async def _ask(socket: ClientConnection) -> float:
    """Ask, listen to the end; the clock when the first words came."""
    await say(socket, "text", text=QUESTION)
    first, turn = 0.0, ""
    async with asyncio.timeout(ANSWER_SECONDS):
        while True:
            message = await socket.recv()
            if isinstance(message, bytes):
                _, at_ms, pcm = read_audio_message(message)
                await asyncio.sleep(ACKNOWLEDGE_SECONDS)
                await say(socket, "played", turn=turn, ms=at_ms + len(pcm) // 32)
                continue
            told = json.loads(message)
            turn = told.get("turn", turn)
            if told["type"] == "reply_delta" and not first:
                first = time.time()
            if told["type"] == "turn_done":
                return first


async def measure(stack: Stack, turns: int) -> list[float]:
    """Seconds from fork to first words, for each time all children were killed."""
    took: list[float] = []
    async with call(stack) as socket:
        await _ask(socket)
        while len(took) < turns:
            old = pool_of(stack, "agent")
            for child in old:
                kill(child.pid)
            first = await _ask(socket)
            new = [child for child in pool_of(stack, "agent") if child not in old]
            took.append(first - min(child.create_time() for child in new))
    return took


def main() -> None:
    directory = Path(tempfile.mkdtemp(prefix="convonet-fresh-"))
    # Children that all take part, so that the first one to be forked is the one that answers.
    stack = Stack(directory, {"AGENT_CHILDREN": "1"})
    try:
        stack.start()
        took = asyncio.run(measure(stack, env.integer("TURNS", 8, least=2)))
    finally:
        stack.stop()
        shutil.rmtree(directory, ignore_errors=True)
    sys.stdout.write(
        f"{len(took)} first turns of new children, seconds from the fork to the first words: "
        f"median {statistics.median(took):.2f}, at most {max(took):.2f}\n"
    )


if __name__ == "__main__":
    main()
