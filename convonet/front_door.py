"""The web process: serves `convonet.asgi` by the server that SERVER names.

It listens on BIND and PORT, or on a socket that the launcher listens on and keeps, so that callers
who come while this process is replaced wait instead of being refused.
"""

from __future__ import annotations

import os

from convonet import env
from convonet.front.options import Options
from convonet.web import lean

# The number of the launcher's listening socket, where there is one.
SOCKET = "CONVONET_SOCKET"
SERVERS = ("daphne", "uvicorn")


def inherited_socket() -> int | None:
    """The file descriptor of the launcher's listening socket, if it gave us one."""
    number = os.environ.get(SOCKET, "")
    return int(number) if number.isdigit() else None


def main() -> None:
    server = env.choice("SERVER", "daphne", SERVERS)
    options = Options(
        host=env.text("BIND", "127.0.0.1"),
        port=env.integer("PORT", 8000, least=1, most=65_535),
        descriptor=inherited_socket(),
    )
    # One of them is loaded, and it makes an event loop as it is: in no process that forks.
    if server == "uvicorn":
        from convonet.front.on_uvicorn import serve
    else:
        with lean.absent(*lean.SERVING_TLS):
            from convonet.front.on_daphne import serve
    serve(options)


if __name__ == "__main__":
    main()
