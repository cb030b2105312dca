"""The browser's wire format (docs/protocol.md) to values and back. Pure."""

from __future__ import annotations

import json
import struct
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from voice.audio import BROWSER, AudioFormat
from voice.controls import Audio, Control, Interrupt, Mute, Played, Start, Stop, Typed
from voice.errors import Refused

AUDIO_MS = 200
"""The longest audio message taken."""
TEXT_BYTES = 4096
_HEADER = struct.Struct("<II")


class BrowserWire:
    """JSON messages and, as binary ones, audio with its turn and place in front."""

    def __init__(self, audio_format: AudioFormat = BROWSER) -> None:
        self.format = audio_format
        # As long in time, whatever the rate.
        self._most_bytes = audio_format.bytes_of(AUDIO_MS)

    def hear(self, message: str | bytes) -> bytes | None:
        if isinstance(message, str):
            return None
        check_audio(message, self._most_bytes)
        return message

    def decode(self, message: str | bytes) -> Control | None:
        if isinstance(message, str):
            return decode(message)
        check_audio(message, self._most_bytes)
        return Audio(message)

    def message(self, message: dict[str, Any]) -> str:
        return encode(message)

    def audio(self, turn_id: str, number: int, at_ms: int, audio: bytes) -> tuple[bytes]:
        return (audio_message(number, at_ms, audio),)


def decode(text: str) -> Control:
    """One text message; raises `Refused(4400 or 4413)` with a sentence for anything else."""
    if len(text) > TEXT_BYTES:
        raise Refused(4413, "That message is too long.")
    try:
        message = json.loads(text)
        return _control(message["type"], message)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Refused(4400, "This is not a message of the call protocol.") from None


def _control(kind: str, message: dict[str, Any]) -> Control:
    match kind:
        case "start":
            return Start(_zone(message.get("time_zone", "")), bool(message.get("microphone", True)))
        case "text":
            return Typed(" ".join(str(message["text"]).split()))
        case "interrupt":
            return Interrupt()
        case "mute":
            return Mute(bool(message["muted"]))
        case "played":
            return Played(str(message["turn"]), int(message["ms"]))
        case "stop":
            return Stop()
        case _:
            raise ValueError(kind)


def _zone(name: str) -> str:
    """An unknown zone is the server's default, not the end of the call."""
    try:
        return str(ZoneInfo(name)) if name else ""
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ""


def encode(message: dict[str, Any]) -> str:
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False)


def check_audio(data: bytes, most_bytes: int) -> None:
    """Raises `Refused` for audio no client of ours sends."""
    if len(data) > most_bytes:
        raise Refused(4413, "That audio message is too large.")
    if not data or len(data) % 2:
        raise Refused(4400, "Audio must be whole 16-bit samples.")


def audio_message(number: int, at_ms: int, pcm: bytes) -> bytes:
    return _HEADER.pack(number, at_ms) + pcm


def read_audio_message(data: bytes) -> tuple[int, int, bytes]:
    """(turn number, offset in ms, PCM16), the inverse, for clients of ours."""
    number, at_ms = _HEADER.unpack_from(data)
    return number, at_ms, data[_HEADER.size :]
