"""The way to Deepgram, shared by all calls of this process; left alone for a while when it fails.

Imported only when configured.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from websockets.asyncio.client import ClientConnection

from convonet import env
from voice.audio import AudioFormat
from voice.upstream import Bounds, Upstream

ANSWER_SECONDS = 1.0
OPEN_SECONDS = 5.0
CLOSE_SECONDS = 0.5
BOUNDS = Bounds(
    open_seconds=OPEN_SECONDS,
    close_seconds=CLOSE_SECONDS,
    # An answer has a few kilobytes; more than this is not meant for us.
    message_bytes=256 * 1024,
    messages=16,
    write_bytes=32 * 1024,
)
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


class Line(Upstream):
    def __init__(self, options: LineOptions) -> None:
        super().__init__()
        self.options = options

    async def socket(self, audio_format: AudioFormat) -> ClientConnection:
        """Raises OSError, TimeoutError or `websockets.exceptions.WebSocketException`."""
        headers = {"Authorization": f"Token {self.options.key}"}
        return await self.connect(self.options.address(audio_format), headers, BOUNDS)


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
