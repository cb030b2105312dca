"""What the launcher starts, and how: the broker, and processes of the Procfile."""

from __future__ import annotations

import shlex
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from convonet import procfile

WORKERS = ("agent", "speech")
# How long running turns may take to finish after Ctrl-C; a turn's own limit is longer.
FINISH_SECONDS = 15
OTHERS_FINISH_SECONDS = 8
# Connections that may wait for a process that starts; the kernel has its own limit.
WAITING = 512


@dataclass(frozen=True, slots=True)
class Program:
    name: str
    command: str
    """For a process that is a program of its own."""
    stop_seconds: int = OTHERS_FINISH_SECONDS
    run: Callable[[], object] | None = None
    """For one that is forked from the launcher instead: what it does until its end."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Its own environment variables, on top of the launcher's; `command` sets them itself."""
    door: socket.socket | None = None
    """Its listening socket, which stays open while it is replaced."""
    on_demand: bool = False
    """Started when somebody connects to its door, and free to end."""


# Audio comes and goes in pieces of some 40 KB. Those get pages of their own, which the C library
# gives back when they are freed: else the broker stays as large as it ever was.
_FREED_AT_ONCE = (
    "MALLOC_ARENA_MAX=1",
    "MALLOC_MMAP_THRESHOLD_=16384",
    "MALLOC_TRIM_THRESHOLD_=65536",
)


def broker(command: list[str]) -> Program:
    return Program("broker", f"{_lifeline()} -- env {shlex.join([*_FREED_AT_ONCE, *command])}")


def _lifeline() -> str:
    return f"{shlex.quote(sys.executable)} -m convonet.lifeline"


def of_line(
    name: str,
    line: str,
    environment: Mapping[str, str],
    runnable: Callable[[procfile.Command], Callable[[], object] | None] | None,
    *,
    door: socket.socket | None = None,
    on_demand: bool = False,
) -> Program:
    """`runnable` says what a plain command does if this process is to do it, see `zygote`."""
    parsed = procfile.parse(line, environment)
    return Program(
        name,
        f"{_lifeline()} {name}",
        stop_seconds=FINISH_SECONDS if name in WORKERS else OTHERS_FINISH_SECONDS,
        run=runnable(parsed) if runnable and parsed else None,
        settings=parsed.settings if parsed else {},
        door=door,
        on_demand=on_demand,
    )


def listen(host: str, port: int) -> socket.socket | None:
    """A socket for a process to accept from; None for addresses that it must bind itself.

    Raises OSError like any bind.
    """
    if ":" in host:
        return None
    return socket.create_server((host, port), backlog=WAITING)
