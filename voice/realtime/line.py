"""The way to the Realtime API, and what its failures are called. Imported only when configured."""

from __future__ import annotations

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from voice.realtime.options import RealtimeOptions
from voice.realtime.protocol import Garbled
from voice.upstream import Bounds, Upstream

CLOSE_SECONDS = 0.5
# The largest event is a session with its instructions and tools, some 50 KB; a delta is less.
MESSAGE_BYTES = 1024 * 1024
# What is not read stays with the service: it makes a minute of speech in seconds.
MESSAGES = 4
WRITE_BYTES = 16 * 1024
# A dead connection is found out within two of these.
PING_SECONDS = 10.0
# The key, the account or what is asked for is wrong, and will be so a second later.
HOPELESS = frozenset({400, 401, 402, 403, 404})


class Unreached(Exception):
    """It failed for others just now."""


class RealtimeLine(Upstream):
    def __init__(self, options: RealtimeOptions) -> None:
        super().__init__()
        self.options = options
        self._bounds = Bounds(
            open_seconds=options.open_seconds,
            close_seconds=CLOSE_SECONDS,
            message_bytes=MESSAGE_BYTES,
            messages=MESSAGES,
            write_bytes=WRITE_BYTES,
            ping_seconds=PING_SECONDS,
        )

    async def socket(self, now: float) -> ClientConnection:
        """Raises Unreached, OSError, TimeoutError or `websockets`' WebSocketException."""
        if not self.open(now):
            raise Unreached
        headers = {"Authorization": f"Bearer {self.options.key}"}
        return await self.connect(self.options.address(), headers, self._bounds)


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
