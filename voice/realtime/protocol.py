"""What the model on the line says: the server events of OpenAI's Realtime API as frozen values.

Source: platform.openai.com/docs/api-reference/realtime-server-events. Events that are of no use
here are None; what is no event of that protocol raises `Garbled`.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass

from voice.realtime import fields
from voice.realtime.fields import Message

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


# Events -----------------------------------------------------------------------------------------
def _audio(message: Message) -> AudioDelta:
    try:
        audio = base64.b64decode(fields.text(message, "delta"), validate=True)
    except binascii.Error:
        raise ValueError("delta") from None
    return AudioDelta(fields.text(message, "response_id"), fields.text(message, "item_id"), audio)


def _words(message: Message) -> Words:
    usage = fields.mapping(message, "usage")
    details = fields.mapping(usage, "input_token_details")
    seconds = usage.get("seconds")
    return Words(
        fields.text(message, "item_id"),
        fields.text(message, "transcript").strip(),
        Usage(
            text_in=fields.count(details, "text_tokens"),
            audio_in=fields.count(details, "audio_tokens"),
            text_out=fields.count(usage, "output_tokens"),
            seconds=float(seconds) if isinstance(seconds, int | float) else 0.0,
        ),
    )


def _no_words(message: Message) -> NoWords:
    return NoWords(
        fields.text(message, "item_id"),
        fields.code(fields.mapping(message, "error"), "code", "type"),
    )


def _created(message: Message) -> ResponseCreated:
    response = fields.mapping(message, "response")
    owner = fields.mapping(response, "metadata").get(OWNER)
    return ResponseCreated(fields.text(response, "id"), owner if isinstance(owner, str) else None)


def _call(item: Message) -> FunctionCall | None:
    if item.get("type") != "function_call":
        return None
    complete = item.get("status") in (None, "completed")
    return FunctionCall(
        fields.text(item, "call_id"),
        fields.text(item, "name"),
        fields.text(item, "arguments"),
        complete,
    )


def _item_done(message: Message) -> ItemDone:
    item = fields.mapping(message, "item")
    return ItemDone(fields.text(message, "response_id"), fields.text(item, "id"), _call(item))


def _response_done(message: Message) -> ResponseDone:
    response = fields.mapping(message, "response")
    details = fields.mapping(response, "status_details")
    calls = [_call(item) for item in response.get("output") or () if isinstance(item, dict)]
    return ResponseDone(
        fields.text(response, "id"),
        fields.text(response, "status"),
        fields.code(fields.mapping(details, "error"), "code", "type")
        or fields.code(details, "reason"),
        tuple(call for call in calls if call is not None),
        _usage(fields.mapping(response, "usage")),
    )


def _usage(usage: Message) -> Usage:
    given, made = (
        fields.mapping(usage, "input_token_details"),
        fields.mapping(usage, "output_token_details"),
    )
    audio_in, audio_out = fields.count(given, "audio_tokens"), fields.count(made, "audio_tokens")
    return Usage(
        text_in=max(0, fields.count(usage, "input_tokens") - audio_in),
        audio_in=audio_in,
        text_out=max(0, fields.count(usage, "output_tokens") - audio_out),
        audio_out=audio_out,
    )


def _error(message: Message) -> Error:
    error = fields.mapping(message, "error")
    event_id = error.get("event_id")
    return Error(fields.code(error, "code", "type"), event_id if isinstance(event_id, str) else "")


_READERS: dict[str, Callable[[Message], ServerEvent]] = {
    "session.updated": lambda message: SessionUpdated(),
    "input_audio_buffer.speech_started": lambda message: SpeechStarted(
        fields.text(message, "item_id"), fields.ms(message, "audio_start_ms")
    ),
    "input_audio_buffer.speech_stopped": lambda message: SpeechStopped(
        fields.text(message, "item_id"), fields.ms(message, "audio_end_ms")
    ),
    "input_audio_buffer.committed": lambda message: Committed(fields.text(message, "item_id")),
    "conversation.item.input_audio_transcription.completed": _words,
    "conversation.item.input_audio_transcription.failed": _no_words,
    "response.created": _created,
    "response.output_audio.delta": _audio,
    "response.output_audio_transcript.delta": lambda message: TextDelta(
        fields.text(message, "response_id"),
        fields.text(message, "item_id"),
        fields.text(message, "delta"),
    ),
    "response.output_item.done": _item_done,
    "response.done": _response_done,
    "error": _error,
}
