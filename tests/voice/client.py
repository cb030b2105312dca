"""A plain client of the call socket for tests that misbehave on purpose."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.stack import Stack

WAIT_SECONDS = 60
FRAME = bytes(1280)


def ticket(stack: Stack, user: str = "demo") -> str:
    code = (
        "from django.contrib.auth import get_user_model\nfrom voice import tickets\n"
        f"answer = tickets.issue(get_user_model().objects.get(username={user!r}).pk)"
    )
    return str(stack.ask(code))


@asynccontextmanager
async def socket(
    stack: Stack, with_ticket: str, *, origin: str | None = None, **options: Any
) -> AsyncIterator[ClientConnection]:
    url = f"{stack.ws_url}/ws/call?ticket={with_ticket}"
    async with connect(url, proxy=None, origin=origin, **options) as opened:  # type: ignore[arg-type]
        yield opened


@asynccontextmanager
async def call(stack: Stack, user: str = "demo", **options: Any) -> AsyncIterator[ClientConnection]:
    """A call that has begun."""
    async with socket(stack, ticket(stack, user), **options) as opened:
        await say(opened, "start", time_zone="Europe/Berlin", microphone=True)
        await until(opened, "ready")
        yield opened


async def say(opened: ClientConnection, kind: str, **fields: Any) -> None:
    await opened.send(json.dumps({"type": kind, **fields}))


async def until(opened: ClientConnection, kind: str, seconds: float = WAIT_SECONDS) -> Any:
    """The next message of this type."""
    async with asyncio.timeout(seconds):
        while True:
            message = await opened.recv()
            if isinstance(message, str) and (found := json.loads(message))["type"] == kind:
                return found


async def hear_until(
    opened: ClientConnection,
    kind: str,
    seconds: float = WAIT_SECONDS,
    earlier: Sequence[Any] = (),
) -> tuple[Any, list[Any], int]:
    """As `until`, acknowledging audio as a page does: (message, those before it, audio bytes).

    `earlier` messages may have announced audio that is still to come.
    """
    before = list(earlier)
    heard = 0
    async with asyncio.timeout(seconds):
        while True:
            message = await opened.recv()
            if isinstance(message, bytes):
                heard += len(message) - 8
                number, at_ms = (int.from_bytes(message[i : i + 4], "little") for i in (0, 4))
                turn = next(m["turn"] for m in reversed(before) if m.get("number") == number)
                await say(opened, "played", turn=turn, ms=at_ms + (len(message) - 8) // 32)
                continue
            before.append(json.loads(message))
            if before[-1]["type"] == kind:
                return before.pop(), before, heard


async def closing(opened: ClientConnection, seconds: float = WAIT_SECONDS) -> tuple[int, str]:
    """(close code, the sentence of `bye`) of a socket the server ends."""
    text = ""
    async with asyncio.timeout(seconds):
        try:
            while True:
                message = await opened.recv()
                if isinstance(message, str) and (found := json.loads(message))["type"] == "bye":
                    text = found["text"]
        except ConnectionClosed as closed:
            return (closed.rcvd.code if closed.rcvd else 1006), text
