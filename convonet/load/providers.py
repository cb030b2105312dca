"""`python -m convonet.load.providers`: language and speech services that take as long as they say.

OpenAI's wire formats (https://platform.openai.com/docs/api-reference: chat, audio), so that the
product's own adapters are what is measured; no words are understood and no voice is made. Prints
its address. GET /told tells how late its answers were.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from dataclasses import dataclass, field
from typing import Any

from convonet.load.lateness import Late
from convonet.load.plan import TOOL

HEARD = "What is on my list today?"
ANSWER = ("Your ", "list ", "is ", "empty ", "today. ", "Shall ", "I ", "add ", "something?")
# Of speech, at 24 kHz as the service makes it.
CHARACTER_SECONDS = 0.055
RATE_HZ = 24_000
# Recognition has 360 ms before anybody waits for it.
HEAR_SECONDS = 0.2
SAY_SECONDS = 0.1


@dataclass(slots=True)
class Services:
    """`think` seconds for each answer of the model; a tool in `tool_percent` of the turns."""

    think: float
    tool_percent: int
    late: Late = field(default_factory=Late)
    turns: int = 0
    asked: dict[str, int] = field(default_factory=dict)

    async def answer(self, path: str, body: bytes) -> tuple[str, bytes]:
        """(content type, body), after its time."""
        self.asked[path] = self.asked.get(path, 0) + 1
        match path:
            case "/v1/chat/completions":
                asked = json.loads(body)
                wants_tool = self._wants_tool(asked)
                await self._take(self.think)
                return completion(stream=bool(asked.get("stream")), tool=wants_tool)
            case "/v1/audio/transcriptions":
                await self._take(HEAR_SECONDS)
                return "application/json", json.dumps({"text": HEARD}).encode()
            case "/v1/audio/speech":
                await self._take(SAY_SECONDS)
                return "audio/pcm", speech(json.loads(body)["input"])
            case "/told":
                told = {"late": self.late.told(), "asked": self.asked}
                return "application/json", json.dumps(told).encode()
        raise ValueError(path)

    def _wants_tool(self, asked: dict[str, Any]) -> bool:
        """Evenly spread over the turns; never twice in one, and only where it is offered."""
        if asked["messages"][-1]["role"] != "user":
            return False
        self.turns += 1
        percent = self.tool_percent
        due = self.turns * percent // 100 > (self.turns - 1) * percent // 100
        return due and any(tool["function"]["name"] == TOOL for tool in asked.get("tools", ()))

    async def _take(self, seconds: float) -> None:
        due = time.monotonic() + seconds
        await asyncio.sleep(seconds)
        self.late.add(max(0.0, time.monotonic() - due))


def completion(*, stream: bool, tool: bool) -> tuple[str, bytes]:
    """The answer, or the wish for a tool; as events or whole."""
    function = {"name": TOOL, "arguments": "{}"}
    call: dict[str, Any] = {"id": "call_1", "type": "function", "function": function}
    base: dict[str, Any] = {"id": "chatcmpl-1", "created": int(time.time()), "model": "bench"}
    reason = "tool_calls" if tool else "stop"
    usage = {"prompt_tokens": 700, "completion_tokens": 12, "total_tokens": 712}
    if not stream:
        message: dict[str, Any] = {
            "role": "assistant",
            "content": None if tool else "".join(ANSWER),
        }
        said = {**message, "tool_calls": [call]} if tool else message
        choice: dict[str, Any] = {"index": 0, "message": said, "finish_reason": reason}
        whole = {**base, "object": "chat.completion", "choices": [choice], "usage": usage}
        return "application/json", json.dumps(whole).encode()
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    deltas += [{"tool_calls": [{"index": 0, **call}]}] if tool else [{"content": w} for w in ANSWER]
    chunks: list[dict[str, Any]] = [
        {"index": 0, "delta": delta, "finish_reason": None} for delta in deltas
    ]
    chunks.append({"index": 0, "delta": {}, "finish_reason": reason})
    kind = {**base, "object": "chat.completion.chunk"}
    events = [{**kind, "choices": [chunk]} for chunk in chunks]
    events.append({**kind, "choices": [], "usage": usage})
    lines = [f"data: {json.dumps(event)}\n\n" for event in events]
    return "text/event-stream", "".join([*lines, "data: [DONE]\n\n"]).encode()


def speech(text: str) -> bytes:
    """As long as the text takes: a quiet hum, since silence might be thought of as nothing."""
    samples = int(len(text) * CHARACTER_SECONDS * RATE_HZ)
    levels = (400 if n < 60 else -400 for n in range(120))
    period = b"".join(level.to_bytes(2, "little", signed=True) for level in levels)
    return (period * (samples // 120 + 1))[: 2 * samples]


async def converse(
    services: Services, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """The requests of one connection, until the client leaves."""
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            path = head.split(" ", 2)[1]
            told = (line.partition(":") for line in head.split("\r\n")[1:])
            headers = {name.lower(): value.strip() for name, _, value in told}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            kind, answer = await services.answer(path, body)
            fields = {"content-type": kind, "content-length": len(answer)}
            lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
            writer.write(f"HTTP/1.1 200 OK\r\n{lines}\r\n".encode() + answer)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def serve(services: Services) -> None:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await converse(services, reader, writer)

    server = await asyncio.start_server(connected, "127.0.0.1", 0, limit=1 << 20)
    host, port = server.sockets[0].getsockname()
    sys.stdout.write(f"http://{host}:{port}\n")
    sys.stdout.flush()
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--think", type=float, default=1.5)
    parser.add_argument("--tool-percent", type=int, default=20)
    given = parser.parse_args()
    asyncio.run(serve(Services(given.think, given.tool_percent)))
