"""What the model on the line says: the server events of OpenAI's Realtime API as frozen values.

Source: platform.openai.com/docs/api-reference/realtime-server-events. Events that are of no use
here are None; what is no event of that protocol raises `Garbled`.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Message = Mapping[str, Any]
# Under this name a response carries the turn it was asked for (`response.metadata`).
OWNER = "turn"


class Garbled(Exception):
    """Not a message of the protocol."""


@dataclass(frozen=True, slots=True)
class SessionUpdated:
    """The session is as it was asked to be."""


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """`start_ms` counts all audio sent on this socket."""

    item_id: str
    start_ms: int


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    item_id: str
    end_ms: int


@dataclass(frozen=True, slots=True)
class Committed:
    """What was said is an item of the conversation now."""

    item_id: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of each kind; cached ones are among those in."""

    text_in: int = 0
    audio_in: int = 0
    text_out: int = 0
    audio_out: int = 0
    seconds: float = 0.0
    """Instead of tokens, where audio is charged by its length."""


@dataclass(frozen=True, slots=True)
class Words:
    """The transcript of an utterance; empty when there were no words."""

    item_id: str
    text: str
    usage: Usage = Usage()


@dataclass(frozen=True, slots=True)
class NoWords:
    """The transcription failed."""

    item_id: str
    code: str


@dataclass(frozen=True, slots=True)
class ResponseCreated:
    response_id: str
    owner: str | None
    """The turn it was asked for, where that is told."""


@dataclass(frozen=True, slots=True)
class AudioDelta:
    response_id: str
    item_id: str
    audio: bytes


@dataclass(frozen=True, slots=True)
class TextDelta:
    """Words of the audio, as they are made."""

    response_id: str
    item_id: str
    text: str


@dataclass(frozen=True, slots=True)
class FunctionCall:
    call_id: str
    name: str
    arguments: str
    """JSON, as the model wrote it."""
    complete: bool = True


@dataclass(frozen=True, slots=True)
class ItemDone:
    """An item of a response is complete, or was broken off."""

    response_id: str
    item_id: str
    call: FunctionCall | None = None


@dataclass(frozen=True, slots=True)
class ResponseDone:
    response_id: str
    status: str
    """`completed`, `cancelled`, `failed` or `incomplete`."""
    code: str = ""
    """Why, for the last three."""
    calls: tuple[FunctionCall, ...] = ()
    usage: Usage = Usage()


@dataclass(frozen=True, slots=True)
class Error:
    """Something that was sent is refused; the session goes on."""

    code: str
    event_id: str
    """Of the message that is refused, where known."""


ServerEvent = (
    SessionUpdated
    | SpeechStarted
    | SpeechStopped
    | Committed
    | Words
    | NoWords
    | ResponseCreated
    | AudioDelta
    | TextDelta
    | ItemDone
    | ResponseDone
    | Error
)


def decode(text: str | bytes) -> ServerEvent | None:
    """None for an event nobody here needs; raises Garbled."""
    try:
        message = json.loads(text)
    except ValueError:
        raise Garbled("no JSON") from None
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise Garbled("no event")
    read = _READERS.get(message["type"])
    if read is None:
        return None
    try:
        return read(message)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Garbled(f"{message['type']}: {type(error).__name__}") from None


# Fields -----------------------------------------------------------------------------------------
def _text(message: Message, name: str) -> str:
    value = message[name]
    if not isinstance(value, str):
        raise TypeError(name)
    return value


def _ms(message: Message, name: str) -> int:
    value = message[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise ValueError(name)
    return int(value)


def _object(message: Message, name: str) -> Message:
    """Empty when it is missing or null."""
    value = message.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise TypeError(name)
    return value


def _count(message: Message, name: str) -> int:
    value = message.get(name)
    return max(0, int(value)) if isinstance(value, int | float) else 0


def _code(message: Message, *names: str) -> str:
    """The first that is told; for the operator, so only a word."""
    told = (message.get(name) for name in names)
    return next((one[:60] for one in told if isinstance(one, str) and one), "")


# Events -----------------------------------------------------------------------------------------
def _audio(message: Message) -> AudioDelta:
    try:
        audio = base64.b64decode(_text(message, "delta"), validate=True)
    except binascii.Error:
        raise ValueError("delta") from None
    return AudioDelta(_text(message, "response_id"), _text(message, "item_id"), audio)


def _words(message: Message) -> Words:
    usage = _object(message, "usage")
    details = _object(usage, "input_token_details")
    seconds = usage.get("seconds")
    return Words(
        _text(message, "item_id"),
        _text(message, "transcript").strip(),
        Usage(
            text_in=_count(details, "text_tokens"),
            audio_in=_count(details, "audio_tokens"),
            text_out=_count(usage, "output_tokens"),
            seconds=float(seconds) if isinstance(seconds, int | float) else 0.0,
        ),
    )


def _no_words(message: Message) -> NoWords:
    return NoWords(_text(message, "item_id"), _code(_object(message, "error"), "code", "type"))


def _created(message: Message) -> ResponseCreated:
    response = _object(message, "response")
    owner = _object(response, "metadata").get(OWNER)
    return ResponseCreated(_text(response, "id"), owner if isinstance(owner, str) else None)


def _call(item: Message) -> FunctionCall | None:
    if item.get("type") != "function_call":
        return None
    complete = item.get("status") in (None, "completed")
    return FunctionCall(
        _text(item, "call_id"), _text(item, "name"), _text(item, "arguments"), complete
    )


def _item_done(message: Message) -> ItemDone:
    item = _object(message, "item")
    return ItemDone(_text(message, "response_id"), _text(item, "id"), _call(item))


def _response_done(message: Message) -> ResponseDone:
    response = _object(message, "response")
    details = _object(response, "status_details")
    calls = [_call(item) for item in response.get("output") or () if isinstance(item, dict)]
    return ResponseDone(
        _text(response, "id"),
        _text(response, "status"),
        _code(_object(details, "error"), "code", "type") or _code(details, "reason"),
        tuple(call for call in calls if call is not None),
        _usage(_object(response, "usage")),
    )


def _usage(usage: Message) -> Usage:
    given, made = _object(usage, "input_token_details"), _object(usage, "output_token_details")
    audio_in, audio_out = _count(given, "audio_tokens"), _count(made, "audio_tokens")
    return Usage(
        text_in=max(0, _count(usage, "input_tokens") - audio_in),
        audio_in=audio_in,
        text_out=max(0, _count(usage, "output_tokens") - audio_out),
        audio_out=audio_out,
    )


def _error(message: Message) -> Error:
    error = _object(message, "error")
    event_id = error.get("event_id")
    return Error(_code(error, "code", "type"), event_id if isinstance(event_id, str) else "")


_READERS: dict[str, Callable[[Message], ServerEvent]] = {
    "session.updated": lambda message: SessionUpdated(),
    "input_audio_buffer.speech_started": lambda message: SpeechStarted(
        _text(message, "item_id"), _ms(message, "audio_start_ms")
    ),
    "input_audio_buffer.speech_stopped": lambda message: SpeechStopped(
        _text(message, "item_id"), _ms(message, "audio_end_ms")
    ),
    "input_audio_buffer.committed": lambda message: Committed(_text(message, "item_id")),
    "conversation.item.input_audio_transcription.completed": _words,
    "conversation.item.input_audio_transcription.failed": _no_words,
    "response.created": _created,
    "response.output_audio.delta": _audio,
    "response.output_audio_transcript.delta": lambda message: TextDelta(
        _text(message, "response_id"), _text(message, "item_id"), _text(message, "delta")
    ),
    "response.output_item.done": _item_done,
    "response.done": _response_done,
    "error": _error,
}
