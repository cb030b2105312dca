"""Media Streams messages as Twilio sends them, and a strict reading of what servers send. Pure.

Source: https://www.twilio.com/docs/voice/media-streams/websocket-messages
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

FRAME_MS = 20
FRAME_BYTES = 160
# The code of positive zero: what a line sends while nobody speaks.
SILENCE = b"\xff"
MEDIA_FORMAT = {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}

Track = Literal["inbound", "outbound"]


class NotTheProtocol(ValueError):
    """A server's message that Twilio would refuse; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Media:
    audio: bytes


@dataclass(frozen=True, slots=True)
class Mark:
    name: str


@dataclass(frozen=True, slots=True)
class Clear:
    pass


FromServer = Media | Mark | Clear

CONNECTED = json.dumps({"event": "connected", "protocol": "Call", "version": "1.0.0"})


class Script:
    """The messages of one stream in order: it numbers them (`sequenceNumber`, `chunk`)."""

    def __init__(self, stream_sid: str, call_sid: str, account_sid: str) -> None:
        self.stream_sid, self.call_sid, self.account_sid = stream_sid, call_sid, account_sid
        self.sequence = 0
        self.chunk = 0

    def start(self, parameters: Mapping[str, str]) -> str:
        start = {
            "accountSid": self.account_sid,
            "streamSid": self.stream_sid,
            "callSid": self.call_sid,
            "tracks": ["inbound"],
            "mediaFormat": MEDIA_FORMAT,
            "customParameters": dict(parameters),
        }
        return self._message("start", start=start)

    def media(self, audio: bytes, at_ms: int, track: Track = "inbound") -> str:
        """`at_ms`: when it was spoken, since the stream began."""
        self.sequence += 1
        self.chunk += 1
        # Written out: this is sent fifty times a second for each of many calls.
        return (
            f'{{"event":"media","sequenceNumber":"{self.sequence}","media":{{"track":"{track}",'
            f'"chunk":"{self.chunk}","timestamp":"{at_ms}","payload":"{_payload(audio)}"}},'
            f'"streamSid":"{self.stream_sid}"}}'
        )

    def dtmf(self, digit: str) -> str:
        return self._message("dtmf", dtmf={"track": "inbound_track", "digit": digit})

    def mark(self, name: str) -> str:
        return self._message("mark", mark={"name": name})

    def stop(self) -> str:
        stop = {"accountSid": self.account_sid, "callSid": self.call_sid}
        return self._message("stop", stop=stop)

    def _message(self, event: str, **body: Any) -> str:
        self.sequence += 1
        numbered = {"event": event, "sequenceNumber": str(self.sequence)}
        return json.dumps({**numbered, **body, "streamSid": self.stream_sid})


_SILENT_FRAME = base64.b64encode(SILENCE * FRAME_BYTES).decode()


def _payload(audio: bytes) -> str:
    if audio == SILENCE * FRAME_BYTES:
        return _SILENT_FRAME
    return base64.b64encode(audio).decode()


def read(message: str | bytes, stream_sid: str) -> FromServer:
    """A server's message; raises NotTheProtocol for all that Twilio's pages do not name."""
    if isinstance(message, bytes):
        raise NotTheProtocol("a binary message")
    try:
        fields = json.loads(message)
    except ValueError:
        raise NotTheProtocol("no JSON") from None
    if not isinstance(fields, dict):
        raise NotTheProtocol("no object")
    if fields.get("streamSid") != stream_sid:
        raise NotTheProtocol(f"streamSid is {fields.get('streamSid')!r}")
    match fields.get("event"):
        case "media":
            return Media(_audio(_part(fields, "media").get("payload")))
        case "mark":
            return Mark(_name(_part(fields, "mark").get("name")))
        case "clear":
            return Clear()
        case other:
            raise NotTheProtocol(f"event is {other!r}")


def _part(fields: dict[str, Any], name: str) -> dict[str, Any]:
    part = fields.get(name)
    if not isinstance(part, dict):
        raise NotTheProtocol(f"no {name} object")
    return part


def _audio(payload: Any) -> bytes:
    try:
        audio = base64.b64decode(payload, validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise NotTheProtocol("media.payload is not base64") from None
    if not audio:
        raise NotTheProtocol("media.payload is empty")
    return audio


def _name(name: Any) -> str:
    if not isinstance(name, str) or not name:
        raise NotTheProtocol("mark.name is missing")
    return name
