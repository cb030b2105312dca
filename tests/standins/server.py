"""All language stand-ins behind one port, by the first part of the path; `/control` commands them.

GET /control tells the visits, POST sets `default`, `scripts` or `delay`, DELETE begins anew.
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import replace

from tests.standins import anthropic, google, openai
from tests.standins.answering import Dialect, attend
from tests.standins.http import Reply, Request, listen
from tests.standins.script import Desk

# llama.cpp as it is started by default, and with --api-key.
DIALECTS: dict[str, Dialect] = {
    "anthropic": anthropic.Anthropic(),
    "google": google.Google(),
    "openai": openai.OpenAI(),
    "llama": openai.OpenAI("llama", "llama", key=""),
    "locked": openai.OpenAI("locked", "llama"),
    "ollama": openai.OpenAI("ollama", "ollama", key=""),
}


def environment(url: str) -> dict[str, str]:
    """What makes the product ask this server; COMPATIBLE_URL may also end in /ollama/v1."""
    return {
        "ANTHROPIC_API_KEY": anthropic.KEY,
        "ANTHROPIC_URL": f"{url}/anthropic",
        "GOOGLE_API_KEY": google.KEY,
        "GOOGLE_URL": f"{url}/google",
        "OPENAI_API_KEY": openai.KEY,
        "OPENAI_URL": f"{url}/openai/v1",
        "COMPATIBLE_URL": f"{url}/llama/v1",
    }


class Server:
    def __init__(self) -> None:
        self._desk = Desk()

    async def answer(self, request: Request, reply: Reply) -> None:
        _, name, *rest = request.path.split("/")
        if name == "control":
            self._control(request, reply)
        elif name in DIALECTS:
            inner = replace(request, path="/" + "/".join(rest))
            await attend(DIALECTS[name], self._desk, inner, reply)
        else:
            reply.json(404, {"error": f"there is no stand-in {name!r}"})

    def _control(self, request: Request, reply: Reply) -> None:
        if request.method == "DELETE":
            self._desk = Desk()
        elif request.method == "POST":
            self._desk.configure(json.loads(request.body))
        reply.json(200, self._desk.told())


async def run(port: int) -> None:
    """Serve until killed; the first line on stdout is the address."""
    listening = await listen(Server().answer, port)
    address = listening.sockets[0].getsockname()
    url = f"http://127.0.0.1:{address[1]}"
    lines = [url, *(f"export {name}={value}" for name, value in environment(url).items())]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
    async with listening:
        await asyncio.get_running_loop().create_future()
