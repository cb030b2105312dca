"""Which TCP ports of this machine can be listened on."""

from __future__ import annotations

import errno
import os
import socket

LOOPBACK = "127.0.0.1"
# Where a process finds the number of the socket that the launcher listens on for it.
SOCKET = "CONVONET_SOCKET"


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """True if a server could listen there now; raises OSError for a port it may not have."""
    with socket.socket() as probe:
        # As servers do: a port whose last connections are still closing is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise
    return True


def any_free(host: str = LOOPBACK) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def preferred_or_free(preferred: int, taken: set[int]) -> int:
    """`preferred` unless it is in use or promised to another process of ours."""
    port = preferred
    while port in taken or not is_free(port):
        port = any_free()
    taken.add(port)
    return port


def inherited() -> int | None:
    """The file descriptor of the listening socket that the launcher gave us, if it did."""
    number = os.environ.get(SOCKET, "")
    return int(number) if number.isdigit() else None
