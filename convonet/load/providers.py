"""`python -m convonet.load.providers`: language and speech services that take as long as they say.

OpenAI's wire formats (https://platform.openai.com/docs/api-reference: chat, audio), so that the
adapters of whatever is measured are its own; no words are understood and no voice is made. Prints
its address, and writes a line for each request it answered: `service key arrived answered`, in
nanoseconds of the machine's monotonic clock. The key is the turn's token, or the caller's where
the address has it: `/calls/KEY/v1/…`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TextIO

from convonet.load import tokens
from convonet.load.plan import RUNAWAYS, TOOL

HEARD = "What is on my {} list today?"
ANSWER = ("Your ", "{} ", "list ", "is ", "empty ", "today. ", "Shall ", "I ", "add ", "something?")
# Of speech, at 24 kHz as the service makes it.
CHARACTER_SECONDS = 0.055
RATE_HZ = 24_000
# The answer itself is louder than greetings and words to wait, so that a caller can tell.
LOUD, QUIET = 4000, 400
# Recognition has 360 ms before anybody waits for it.
HEAR_SECONDS = 0.2
SAY_SECONDS = 0.1
# What nobody would send to a model is not read either.
READ_BYTES = 1_000_000


@dataclass(slots=True)
class Services:
    """`think` seconds for each answer of the model; a tool in `tool_percent` of the turns."""

    think: float
    tool_percent: int
    log: TextIO | None = None
    turns: int = 0
    heard: int = 0
    asked: dict[str, int] = field(default_factory=dict)

    async def answer(self, path: str, body: bytes) -> tuple[str, bytes]:
        """(content type, body), after its time; raises ValueError for what is no service."""
        arrived = time.monotonic_ns()
        caller, path = _caller(path)
        self.asked[path] = self.asked.get(path, 0) + 1
        match path:
            case "/v1/chat/completions":
                kind, answer, key = await self._answered(body)
            case "/v1/audio/transcriptions":
                key = tokens.token(self.heard)
                self.heard += 1
                await asyncio.sleep(HEAR_SECONDS)
                answer = json.dumps({"text": HEARD.format(key)}).encode()
                kind = "application/json"
            case "/v1/audio/speech":
                asked = json.loads(body)
                key = tokens.found(asked["input"])
                await asyncio.sleep(SAY_SECONDS)
                kind, answer = "audio/pcm", speech(len(asked["input"]), loud=bool(key))
            case _:
                raise ValueError(path)
        self._note(path, caller or key, arrived)
        return kind, answer

    async def _answered(self, body: bytes) -> tuple[str, bytes, str]:
        asked = json.loads(body) if len(body) < READ_BYTES else {"messages": []}
        key = _token_of(asked)
        wish = self._wish(asked)
        await asyncio.sleep(self.think)
        kind, answer = completion(stream=bool(asked.get("stream")), tool=wish, token=key)
        return kind, answer, key

    def _wish(self, asked: Mapping[str, Any]) -> str:
        """The tool it asks for, if any: evenly spread over the turns, never twice in one.

        Who is offered a tool that runs away always gets it.
        """
        messages = asked["messages"]
        if not messages or messages[-1]["role"] != "user":
            return ""
        offered = {tool["function"]["name"] for tool in asked.get("tools") or ()}
        if runaway := offered.intersection(RUNAWAYS):
            return str(min(runaway))
        self.turns += 1
        percent = self.tool_percent
        due = self.turns * percent // 100 > (self.turns - 1) * percent // 100
        return TOOL if due and TOOL in offered else ""

    def _note(self, path: str, key: str, arrived: int) -> None:
        if self.log is not None:
            service = path.rpartition("/")[2]
            self.log.write(f"{service} {key or '-'} {arrived} {time.monotonic_ns()}\n")


def _caller(path: str) -> tuple[str, str]:
    """(key, path without it)"""
    if not path.startswith("/calls/"):
        return "", path
    key, _, rest = path.removeprefix("/calls/").partition("/")
    return key, f"/{rest}"


def _token_of(asked: Mapping[str, Any]) -> str:
    """Of what was said last."""
    said = (m.get("content") for m in reversed(asked["messages"]) if m["role"] == "user")
    last = next(said, "")
    return tokens.found(last if isinstance(last, str) else json.dumps(last))


# A tenth of the processor time of a stand-in that writes each answer anew.
@lru_cache(maxsize=16)
def _template(*, stream: bool, tool: str) -> bytes:
    """An answer with a place for the token, whole or as events."""
    words = [word.format("\0") for word in ANSWER]
    function = {"name": tool, "arguments": "{}"}
    call: dict[str, Any] = {"id": "call_1", "type": "function", "function": function}
    base: dict[str, Any] = {"id": "chatcmpl-1", "created": int(time.time()), "model": "bench"}
    reason = "tool_calls" if tool else "stop"
    usage = {"prompt_tokens": 700, "completion_tokens": 12, "total_tokens": 712}
    if not stream:
        message: dict[str, Any] = {"role": "assistant", "content": None if tool else "".join(words)}
        said = {**message, "tool_calls": [call]} if tool else message
        choice: dict[str, Any] = {"index": 0, "message": said, "finish_reason": reason}
        whole = {**base, "object": "chat.completion", "choices": [choice], "usage": usage}
        return json.dumps(whole).encode()
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    deltas += [{"tool_calls": [{"index": 0, **call}]}] if tool else [{"content": w} for w in words]
    chunks: list[dict[str, Any]] = [
        {"index": 0, "delta": delta, "finish_reason": None} for delta in deltas
    ]
    chunks.append({"index": 0, "delta": {}, "finish_reason": reason})
    kind = {**base, "object": "chat.completion.chunk"}
    events = [{**kind, "choices": [chunk]} for chunk in chunks]
    events.append({**kind, "choices": [], "usage": usage})
    lines = [f"data: {json.dumps(event)}\n\n" for event in events]
    return "".join([*lines, "data: [DONE]\n\n"]).encode()


def completion(*, stream: bool, tool: str = "", token: str = "") -> tuple[str, bytes]:
    """(content type, body): the answer, or the wish for a tool."""
    kind = "text/event-stream" if stream else "application/json"
    template = _template(stream=stream, tool=tool)
    return kind, template.replace(b"\\u0000", (token or tokens.PLAIN).encode())


@lru_cache(maxsize=64)
def speech(characters: int, *, loud: bool = True) -> bytes:
    """As long as the text takes: a hum, since silence might be thought of as nothing."""
    samples = int(characters * CHARACTER_SECONDS * RATE_HZ)
    level = LOUD if loud else QUIET
    levels = (level if n < 60 else -level for n in range(120))
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
    host, port = server.sockets[0].getsockname()[:2]
    sys.stdout.write(f"http://{host}:{port}\n")
    sys.stdout.flush()
    async with server:
        await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--think", type=float, default=1.5)
    parser.add_argument("--tool-percent", type=int, default=20)
    # One line per write, so that a reader sees whole ones.
    parser.add_argument("--log", type=argparse.FileType("a", bufsize=1))
    given = parser.parse_args()
    asyncio.run(serve(Services(given.think, given.tool_percent, given.log)))


if __name__ == "__main__":
    main()
