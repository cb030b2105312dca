"""What a message costs a server's process, with fifty sockets that each bring one every 20 ms."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

from convonet import ports
from convonet.far_end.socket import NotOpened, Socket
from convonet.load.hot_path.layers import FRAME_MS, message, sound

START_SECONDS = 30.0
SERVED = "convonet.load.hot_path.served"


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one message, microseconds of processor time; `sent` shows that the load was there."""

    microseconds: float
    sent: int
    late: int
    """Messages that left a frame or more after their time."""

    @property
    def percent_of_a_core(self) -> float:
        """For one call, which brings a message every 20 ms."""
        return self.microseconds * 1000 / FRAME_MS / 1e4


def measure(server: str, kind: str, path: str, *, calls: int, seconds: float) -> Cost:
    """Raises OSError when the server cannot be reached."""
    port = ports.any_free()
    with _served(server, kind, port) as process:
        return asyncio.run(_load(process, f"ws://127.0.0.1:{port}{path}", calls, seconds))


@contextmanager
def _served(server: str, kind: str, port: int) -> Iterator[psutil.Process]:
    command = [sys.executable, "-m", SERVED, server, kind, str(port)]
    running = subprocess.Popen(command)
    try:
        yield psutil.Process(running.pid)
    finally:
        running.terminate()
        running.wait(START_SECONDS)


async def _load(process: psutil.Process, url: str, calls: int, seconds: float) -> Cost:
    texts = [message(number, frame) for number, frame in enumerate(sound())]
    sockets = [await _opened(url) for _ in range(calls)]
    # The handshakes are not what is measured.
    await _send(sockets, texts[:25])
    before = _cpu_seconds(process)
    number = round(seconds * 1000 / FRAME_MS)
    late = await _send(sockets, texts[25 : 25 + number])
    used, sent = _cpu_seconds(process) - before, number * calls
    for socket in sockets:
        socket.drop()
    return Cost(used / sent * 1e6, sent, late)


async def _opened(url: str) -> Socket:
    loop, until = asyncio.get_running_loop(), time.monotonic() + START_SECONDS
    host, port = url.removeprefix("ws://").partition("/")[0].split(":")
    while True:
        try:
            _, made = await loop.create_connection(
                lambda: Socket(url, {}, lambda _message: None, lambda: None), host, int(port)
            )
            await made.opened
            return made
        except (OSError, NotOpened):
            if time.monotonic() > until:
                raise
            await asyncio.sleep(0.05)


async def _send(sockets: list[Socket], texts: list[str]) -> int:
    """Each to all sockets, spread over the frame as callers are; answers how many were late."""
    loop = asyncio.get_running_loop()
    due, gap, late = loop.time(), FRAME_MS / 1000 / len(sockets), 0
    for text in texts:
        for socket in sockets:
            due += gap
            if (ahead := due - loop.time()) > 0:
                await asyncio.sleep(ahead)
            elif -ahead > FRAME_MS / 1000:
                late += 1
            socket.send(text)
    return late


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
