"""The web process: serves `convonet.asgi` by the server that SERVER names.

It listens on BIND and PORT, or on a socket that the launcher listens on and keeps, so that callers
who come while this process is replaced wait instead of being refused.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from convonet import env

if TYPE_CHECKING:
    from collections.abc import Callable

APPLICATION = "convonet.asgi:application"
# The number of the launcher's listening socket, where there is one.
SOCKET = "CONVONET_SOCKET"
# Of one WebSocket message, in bytes: Twilio's and the page's are below 16 KiB.
MESSAGE_BYTES = 65_536
PING_SECONDS = 20


def inherited_socket() -> int | None:
    """The file descriptor of the launcher's listening socket, if it gave us one."""
    number = os.environ.get(SOCKET, "")
    return int(number) if number.isdigit() else None


def daphne() -> None:
    from daphne.cli import CommandLineInterface  # type: ignore[import-untyped]

    limit, ping = str(MESSAGE_BYTES), str(PING_SECONDS)
    arguments = ["-v", "0", "--no-server-name"]
    arguments += ["--websocket-max-message-size", limit, "--websocket-max-frame-size", limit]
    arguments += ["--ping-interval", ping, "--ping-timeout", ping]
    CommandLineInterface().run([*arguments, *_where(), APPLICATION])


def _where() -> list[str]:
    number = inherited_socket()
    if number is not None:
        return ["--fd", str(number)]
    return ["-b", env.text("BIND", "127.0.0.1"), "-p", env.text("PORT", "8000")]


SERVERS: dict[str, Callable[[], None]] = {"daphne": daphne}


def main() -> None:
    SERVERS[env.choice("SERVER", "daphne", list(SERVERS))]()


if __name__ == "__main__":
    main()
