"""The way to a service that calls hold sockets with: shared by all calls, left alone when it fails.

Imported only where such a service is configured, for it imports `websockets`.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from asyncio import sslproto
from collections.abc import Mapping
from dataclasses import dataclass

from websockets.asyncio.client import ClientConnection, connect

# Of its own, so that no level set for others ever writes the key of the handshake.
_wire = logging.getLogger("websockets.upstream")
_wire.setLevel(logging.WARNING)

FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 60.0
TLS_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Of one socket. Without `ping_seconds` a dead one shows by an answer that does not come."""

    open_seconds: float
    close_seconds: float
    message_bytes: int
    messages: int
    write_bytes: int
    ping_seconds: float | None = None


class Upstream:
    """When the service may be asked, and a socket to it."""

    def __init__(self) -> None:
        self._tls: ssl.SSLContext | None = None
        self._failures = 0
        self._closed_until = 0.0

    def open(self, now: float) -> bool:
        """May a socket be asked for, or have the last ones failed just now?"""
        return now >= self._closed_until

    def failed(self, now: float, *, hopeless: bool = False) -> None:
        """Wait longer each time; at once for long when a further try will end the same."""
        wait = LONGEST_WAIT_SECONDS if hopeless else FIRST_WAIT_SECONDS * 2**self._failures
        self._closed_until = now + min(wait, LONGEST_WAIT_SECONDS)
        self._failures = min(self._failures + 1, 10)

    def worked(self) -> None:
        self._failures = 0

    async def connect(
        self, address: str, headers: Mapping[str, str], bounds: Bounds
    ) -> ClientConnection:
        """Raises OSError, TimeoutError or `websockets.exceptions.WebSocketException`."""
        if address.startswith("wss:") and self._tls is None:
            # Reading the certificates takes tens of milliseconds; one context serves all calls.
            self._tls = await asyncio.to_thread(ssl.create_default_context)
            # asyncio fills 256 KiB for each socket's reading, where a record of TLS has 16.
            sslproto.SSLProtocol.max_size = TLS_BYTES
        return await connect(
            address,
            additional_headers=headers,
            ssl=self._tls,
            compression=None,
            open_timeout=bounds.open_seconds,
            close_timeout=bounds.close_seconds,
            ping_interval=bounds.ping_seconds,
            ping_timeout=bounds.ping_seconds,
            max_size=bounds.message_bytes,
            max_queue=bounds.messages,
            write_limit=bounds.write_bytes,
            logger=_wire,
        )
