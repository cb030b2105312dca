"""The way to the Realtime API, shared by all calls of this process; left alone when it fails.

Imported only when configured, for it imports `websockets`.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from asyncio import sslproto

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from voice.realtime.options import RealtimeOptions
from voice.realtime.protocol import Garbled

# Of its own, so that no level set for others ever writes the key of the handshake.
_wire = logging.getLogger("websockets.realtime")
_wire.setLevel(logging.WARNING)

CLOSE_SECONDS = 0.5
# The largest event is a session with its instructions and tools, some 50 KB; a delta is less.
MESSAGE_BYTES = 1024 * 1024
# What is not read stays with the service: it makes a minute of speech in seconds.
MESSAGES = 4
TLS_BYTES = 16 * 1024
WRITE_BYTES = 16 * 1024
# A dead connection is found out within these two.
PING_SECONDS, PONG_SECONDS = 10.0, 10.0
FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 60.0
# The key, the account or what is asked for is wrong, and will be so a second later.
HOPELESS = frozenset({400, 401, 402, 403, 404})


class Unreached(Exception):
    """It failed for others just now."""


class RealtimeLine:
    def __init__(self, options: RealtimeOptions) -> None:
        self.options = options
        self._tls: ssl.SSLContext | None = None
        self._failures = 0
        self._closed_until = 0.0

    def failed(self, now: float, *, hopeless: bool = False) -> None:
        """No call tries for a while, longer each time."""
        wait = LONGEST_WAIT_SECONDS if hopeless else FIRST_WAIT_SECONDS * 2**self._failures
        self._closed_until = now + min(wait, LONGEST_WAIT_SECONDS)
        self._failures = min(self._failures + 1, 10)

    def worked(self) -> None:
        self._failures = 0

    async def socket(self, now: float) -> ClientConnection:
        """Raises Unreached, OSError, TimeoutError or `websockets`' WebSocketException."""
        if now < self._closed_until:
            raise Unreached
        address = self.options.address()
        if address.startswith("wss:") and self._tls is None:
            # Reading the certificates takes tens of milliseconds; one context serves all calls.
            self._tls = await asyncio.to_thread(ssl.create_default_context)
            # asyncio fills 256 KiB for each socket's reading, where a record of TLS has 16.
            sslproto.SSLProtocol.max_size = TLS_BYTES
        return await connect(
            address,
            additional_headers={"Authorization": f"Bearer {self.options.key}"},
            ssl=self._tls,
            compression=None,
            open_timeout=self.options.open_seconds,
            close_timeout=CLOSE_SECONDS,
            ping_interval=PING_SECONDS,
            ping_timeout=PONG_SECONDS,
            max_size=MESSAGE_BYTES,
            max_queue=MESSAGES,
            write_limit=WRITE_BYTES,
            logger=_wire,
        )


def code_of(error: Exception) -> str:
    """As workers call the failures of a model."""
    match error:
        case InvalidStatus():
            return {401: "model_auth", 403: "model_auth", 429: "model_rate"}.get(
                error.response.status_code, "model_server"
            )
        case ConnectionClosed():
            return "model_half"
        case Garbled():
            return "model_garbage"
        case TimeoutError():
            return "model_timeout"
        case _:
            return "model_unreached"


def detail_of(error: Exception) -> str:
    """For the operator; never what the other side wrote."""
    match error:
        case InvalidStatus():
            return f"http {error.response.status_code}"
        case ConnectionClosed():
            return f"closed {error.rcvd.code if error.rcvd else 1006}"
        case Garbled():
            return str(error)[:60]
        case _:
            return type(error.__cause__ or error).__name__


def hopeless(error: Exception) -> bool:
    return isinstance(error, InvalidStatus) and error.response.status_code in HOPELESS
