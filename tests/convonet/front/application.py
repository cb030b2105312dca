"""A small application on a server of ours: `python -m … daphne|uvicorn DESCRIPTOR`, for tests."""

from __future__ import annotations

import asyncio
import sys
from importlib import import_module
from typing import Any

from convonet import counters
from convonet.front.options import Options, Served

flooded: asyncio.Event
"""Whoever took nothing may take now."""


async def echo(receive: Any, send: Any) -> None:
    """Each message back, as it is handed over."""
    told: asyncio.Queue[str | bytes | None] = asyncio.Queue()
    receive.hand_to(told.put_nowait)
    while (message := await told.get()) is not None:
        kind = "text" if isinstance(message, str) else "bytes"
        await send({"type": "websocket.send", kind: message})


async def asked(receive: Any, send: Any) -> None:
    """The same by ASGI's book."""
    while (event := await receive())["type"] == "websocket.receive":
        kind = "text" if "text" in event else "bytes"
        await send({"type": "websocket.send", kind: event[kind]})


async def nobody(receive: Any, send: Any) -> None:
    """Takes nothing before it is told to; then says how much waited, and counts what comes."""
    await flooded.wait()
    await send({"type": "websocket.send", "text": str(receive.waiting)})
    received = 0
    while (event := await receive())["type"] == "websocket.receive":
        if event.get("text") == "how many?":
            await send({"type": "websocket.send", "text": str(received)})
        received += 1


async def count(receive: Any, send: Any) -> None:
    """Takes everything; says what was counted when it is asked."""
    asked_for = asyncio.Event()

    def take(message: str | bytes | None) -> None:
        if message == "how often?":
            asked_for.set()

    receive.hand_to(take)
    await asked_for.wait()
    await send({"type": "websocket.send", "text": str(counters.take())})


async def lasting(receive: Any, send: Any) -> None:
    await send({"type": "websocket.send", "text": "here"})
    try:
        await asyncio.Event().wait()
    finally:
        await asyncio.sleep(0)
        sys.stdout.write("cleaned up\n")
        sys.stdout.flush()


async def closing(receive: Any, send: Any) -> None:
    await send({"type": "websocket.close", "code": 4408, "reason": "not reading"})


SOCKETS = {
    "/echo": echo,
    "/asked": asked,
    "/nobody": nobody,
    "/count": count,
    "/lasting": lasting,
    "/closing": closing,
}


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        flooded.set()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"yes"})
        return
    await receive()
    if scope["path"] not in SOCKETS:
        await send({"type": "websocket.close", "code": 4404})
        return
    offered = scope["subprotocols"] or [None]
    await send({"type": "websocket.accept", "subprotocol": offered[0]})
    await SOCKETS[scope["path"]](receive, send)


def begin() -> None:
    global flooded
    flooded = asyncio.Event()
    sys.stdout.write("begun\n")
    sys.stdout.flush()


if __name__ == "__main__":
    serve = import_module(f"convonet.front.on_{sys.argv[1]}").serve
    serve(Options(descriptor=int(sys.argv[2])), lambda: Served(application, begin))
