"""The way to Deepgram, shared by all calls of this process; left alone for a while when it fails.

The one importer of `websockets` in a web process, and itself imported only when configured.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from asyncio import sslproto
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from websockets.asyncio.client import ClientConnection, connect

from convonet import env
from voice.audio import AudioFormat

# Of its own, so that no level set for others ever writes the key of the handshake.
_wire = logging.getLogger("websockets.live")
_wire.setLevel(logging.WARNING)

ANSWER_SECONDS = 1.0
OPEN_SECONDS = 5.0
CLOSE_SECONDS = 0.5
# An answer has a few kilobytes; more than this is not meant for us.
MESSAGE_BYTES = 256 * 1024
MESSAGES = 16
TLS_BYTES = 16 * 1024
WRITE_BYTES = 32 * 1024
FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 60.0
URL = "https://api.deepgram.com"
MODEL = "nova-3"
# The model finds out by itself.
ANY_LANGUAGE = "multi"
_ENCODINGS = {"pcm16": "linear16", "mulaw": "mulaw"}
_SOCKETS = {"http": "ws", "https": "wss"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LineOptions:
    key: str = field(repr=False)
    url: str = URL
    model: str = MODEL
    language: str = ANY_LANGUAGE
    """BCP 47 otherwise."""
    answer_seconds: float = ANSWER_SECONDS
    """A question is answered within so long, or goes to a worker."""

    def address(self, audio_format: AudioFormat) -> str:
        """Where to open a socket for audio of this format."""
        parts = urlsplit(self.url)
        query = {
            "model": self.model,
            "language": self.language,
            "encoding": _ENCODINGS[audio_format.encoding],
            "sample_rate": audio_format.rate_hz,
            "channels": 1,
            "interim_results": "true",
            "smart_format": "true",
            # We say when the caller pauses.
            "endpointing": "false",
        }
        scheme = _SOCKETS.get(parts.scheme, parts.scheme)
        path = parts.path.rstrip("/")
        return f"{scheme}://{parts.netloc}{path}/v1/listen?{urlencode(query)}"


class Line:
    def __init__(self, options: LineOptions) -> None:
        self.options = options
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

    async def socket(self, audio_format: AudioFormat) -> ClientConnection:
        """Raises OSError, TimeoutError or `websockets.exceptions.WebSocketException`."""
        address = self.options.address(audio_format)
        if address.startswith("wss:") and self._tls is None:
            # Reading the certificates takes tens of milliseconds; one context serves all calls.
            self._tls = await asyncio.to_thread(ssl.create_default_context)
            # asyncio fills 256 KiB for each socket's reading, where a record of TLS has 16.
            sslproto.SSLProtocol.max_size = TLS_BYTES
        return await connect(
            address,
            additional_headers={"Authorization": f"Token {self.options.key}"},
            ssl=self._tls,
            compression=None,
            open_timeout=OPEN_SECONDS,
            close_timeout=CLOSE_SECONDS,
            # A socket that is dead shows by the first answer that does not come.
            ping_interval=None,
            max_size=MESSAGE_BYTES,
            max_queue=MESSAGES,
            write_limit=WRITE_BYTES,
            logger=_wire,
        )


def options_from_environment() -> LineOptions | None:
    """The variables of the worker's adapter; None without a key."""
    key = env.text("DEEPGRAM_API_KEY")
    if not key:
        return None
    return LineOptions(
        key=key,
        url=env.text("DEEPGRAM_URL") or URL,
        model=env.text("DEEPGRAM_HEAR_MODEL") or MODEL,
        language=env.text("DEEPGRAM_LANGUAGE") or ANY_LANGUAGE,
        answer_seconds=env.seconds("DEEPGRAM_LIVE_SECONDS", ANSWER_SECONDS, least=0.1, most=10.0),
    )
