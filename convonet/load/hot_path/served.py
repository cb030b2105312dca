"""Both servers with an application that only listens: `python -m … daphne ours PORT`.

`ours` is as the product is served; `plain` is the same server as it comes, asked as ASGI has it.
"""

from __future__ import annotations

import asyncio
import sys
from importlib import import_module
from time import monotonic
from typing import Any

from convonet.front.options import Options, Served
from convonet.load.hot_path.layers import Clock, reader


class RealClock(Clock):
    def __call__(self) -> float:
        return monotonic()


async def application(scope: Any, receive: Any, send: Any) -> None:
    """`/gate`: through the voice gate, as a call; `/nothing`: not even that."""
    if scope["type"] != "websocket":
        return
    await receive()
    await send({"type": "websocket.accept"})

    async def messages() -> str | None:
        event = await receive()
        return event["text"] if event["type"] == "websocket.receive" else None

    if hasattr(receive, "hand_to"):
        messages.hand_to = lambda take: receive.hand_to(take) or True  # type: ignore[attr-defined]
    if scope["path"] == "/gate":
        await reader(RealClock())[0].run(messages)
    elif hasattr(receive, "hand_to"):
        receive.hand_to(lambda _message: None)
        await asyncio.Event().wait()
    else:
        while await messages() is not None:
            pass


def plain_daphne(port: int) -> None:
    from daphne.cli import CommandLineInterface  # type: ignore[import-untyped]

    path = f"{__spec__.name}:application" if __spec__ else ""
    CommandLineInterface().run(["-v", "0", "-b", "127.0.0.1", "-p", str(port), path])


def plain_uvicorn(port: int) -> None:
    import uvicorn

    uvicorn.run(
        application,
        port=port,
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        lifespan="off",
        log_level="warning",
    )


def main() -> None:
    server, kind, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
    if kind == "plain":
        {"daphne": plain_daphne, "uvicorn": plain_uvicorn}[server](port)
    else:
        serve = import_module(f"convonet.front.on_{server}").serve
        serve(Options(port=port), lambda: Served(application))


if __name__ == "__main__":
    main()
