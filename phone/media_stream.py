"""The wire format of Twilio Media Streams to a call's controls and back. Pure.

Source: https://www.twilio.com/docs/voice/media-streams/websocket-messages
"""

from __future__ import annotations

import json
import re
from binascii import a2b_base64, b2a_base64
from collections import Counter
from dataclasses import dataclass
from typing import Any

from voice.audio import PHONE
from voice.controls import Audio, Control, Key, Played, Stop

MESSAGE_CHARACTERS = 8192
"""The longest message read: 200 ms of audio is a third of it."""
AUDIO_BYTES = PHONE.bytes_of(200)
FILLED_MS = 1000
"""A longer gap is no lost packets: the caller's clock and ours begin anew."""
SILENCE = b"\xff"
"""Mu-law's positive zero."""
DIGITS = frozenset("0123456789*#ABCD")
LATE_IN_A_ROW = 50
"""So much late media is no late media: the numbering began anew."""
NOTHING = b""
"""Media that is not to be heard: it counts as audio, not as a message."""
# How Twilio words the caller's audio, up to the audio; whatever is worded otherwise is JSON too.
_MEDIA = re.compile(
    r'\{"event":"media","sequenceNumber":"[0-9]{1,12}","media":\{"track":"inbound",'
    r'"chunk":"([0-9]{1,12})","timestamp":"([0-9]{1,12})","payload":"'
)


class NotTheProtocol(ValueError):
    """The text names the kind of what is wrong."""


@dataclass(frozen=True, slots=True)
class StreamStart:
    """What a stream says of itself."""

    stream_sid: str
    call_sid: str
    token: str


def read_start(message: str | bytes) -> StreamStart | None:
    """None for what may come before `start`; raises NotTheProtocol for audio we cannot hear."""
    if not isinstance(message, str) or len(message) > MESSAGE_CHARACTERS:
        return None
    try:
        said = json.loads(message)
        if said["event"] != "start":
            return None
        start = said["start"]
        audio = start["mediaFormat"]
        if (audio["encoding"], int(audio["sampleRate"])) != ("audio/x-mulaw", PHONE.rate_hz):
            raise NotTheProtocol("audio format")
        token = start.get("customParameters", {}).get("token", "")
        return StreamStart(str(start["streamSid"]), str(start["callSid"]), str(token))
    except NotTheProtocol:
        raise
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


class TwilioWire:
    """One stream, from its `start` on. `ignored` counts what was not used, by what it was."""

    def __init__(self, stream_sid: str) -> None:
        self.format = PHONE
        self.ignored: Counter[str] = Counter()
        self._sid = stream_sid
        self._chunk, self._late = 0, 0
        self._next_ms: int | None = None
        self._clears = 0
        name = json.dumps(stream_sid)
        self._media = f'{{"event":"media","streamSid":{name},"media":{{"payload":"'
        self._mark = f'{{"event":"mark","streamSid":{name},"mark":{{"name":"'
        self._clear = f'{{"event":"clear","streamSid":{name}}}'
        self._media_end = f'"}},"streamSid":{name}}}'

    # In -------------------------------------------------------------------------------------
    def hear(self, message: str | bytes) -> bytes | None:
        """As `decode`, of the caller's audio in the words that Twilio has for it; else None."""
        if not isinstance(message, str) or len(message) > MESSAGE_CHARACTERS:
            return None
        media = _MEDIA.match(message)
        if media is None or not message.endswith(self._media_end):
            return None
        try:
            # What has a quote or a backslash in it is no base64 either.
            audio = a2b_base64(message[media.end() : -len(self._media_end)], strict_mode=True)
        except ValueError:
            return None
        if not 0 < len(audio) <= AUDIO_BYTES:
            return None
        return self._in_order(audio, int(media[1]), int(media[2]))

    def decode(self, message: str | bytes) -> Control | None:
        """Never raises: what breaks the protocol is counted and left alone."""
        try:
            if not isinstance(message, str):
                raise NotTheProtocol("binary")
            if len(message) > MESSAGE_CHARACTERS:
                raise NotTheProtocol("too long")
            said = json.loads(message)
            if said.get("streamSid", self._sid) != self._sid:
                raise NotTheProtocol("other stream")
            if said["event"] == "media":
                return Audio(self._heard(said["media"]))
            return self._control(said)
        except NotTheProtocol as error:
            self.ignored[str(error)] += 1
        except (ArithmeticError, AttributeError, KeyError, RecursionError, TypeError, ValueError):
            self.ignored["malformed"] += 1
        return None

    def _heard(self, media: dict[str, str]) -> bytes:
        if media["track"] != "inbound":
            self.ignored["other track"] += 1
            return NOTHING
        audio = a2b_base64(media["payload"], strict_mode=True)
        chunk, at_ms = int(media["chunk"]), int(media["timestamp"])
        if not 0 < len(audio) <= AUDIO_BYTES:
            raise NotTheProtocol("audio size")
        return self._in_order(audio, chunk, at_ms)

    def _in_order(self, audio: bytes, chunk: int, at_ms: int) -> bytes:
        """The audio, after silence for what was lost before it; nothing of what comes too late."""
        if chunk <= self._chunk and self._late < LATE_IN_A_ROW:
            self._late += 1
            self.ignored["late media"] += 1
            return NOTHING
        self._late = 0
        missing_ms = at_ms - self._next_ms if self._next_ms is not None else 0
        self._chunk, self._next_ms = chunk, at_ms + PHONE.ms_of(len(audio))
        if 0 < missing_ms <= FILLED_MS:
            return SILENCE * PHONE.bytes_of(missing_ms) + audio
        return audio

    def _control(self, said: dict[str, Any]) -> Control | None:
        match said["event"]:
            case "mark":
                return self._reached(str(said["mark"]["name"]))
            case "dtmf":
                digit = str(said["dtmf"]["digit"])
                if digit not in DIGITS:
                    raise NotTheProtocol("unknown key")
                return Key(digit)
            case "stop":
                return Stop()
            case "connected":
                return None
            case "start":
                raise NotTheProtocol("second start")
            case _:
                raise NotTheProtocol("unknown event")

    def _reached(self, name: str) -> Played | None:
        """A mark comes back when it was heard, and all that are out when they are cleared."""
        turn_id, clears, ms = name.split(":")
        return Played(turn_id, int(ms)) if int(clears) == self._clears else None

    # Out ------------------------------------------------------------------------------------
    def message(self, message: dict[str, Any]) -> str | None:
        """There is no screen at the other end: only `clear` means something to it."""
        if message["type"] != "clear":
            return None
        self._clears += 1
        return self._clear

    def audio(self, turn_id: str, number: int, at_ms: int, audio: bytes) -> tuple[str, str]:
        payload = b2a_base64(audio, newline=False).decode("ascii")
        until_ms = at_ms + PHONE.ms_of(len(audio))
        return (
            f'{self._media}{payload}"}}}}',
            f'{self._mark}{turn_id}:{self._clears}:{until_ms}"}}}}',
        )
