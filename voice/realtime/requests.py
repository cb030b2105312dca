"""What is said to the model on the line: client events of OpenAI's Realtime API, and their JSON.

Source: platform.openai.com/docs/api-reference/realtime-client-events.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from voice.audio import AudioFormat
from voice.realtime.options import FORMATS, RealtimeOptions
from voice.realtime.protocol import OWNER


@dataclass(frozen=True, slots=True)
class SessionUpdate:
    """How the session is to be; `tools` as the API takes them."""

    instructions: str
    tools: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Message:
    """Text as an item of the conversation: somebody said it, or (`system`) it is so."""

    role: Literal["user", "assistant", "system"]
    text: str


@dataclass(frozen=True, slots=True)
class FunctionOutput:
    call_id: str
    text: str


@dataclass(frozen=True, slots=True)
class CreateResponse:
    """Answer now what was said last; `owner` is the turn, `instructions` hold for this once."""

    owner: str
    event_id: str
    instructions: str = ""


@dataclass(frozen=True, slots=True)
class CancelResponse:
    response_id: str


@dataclass(frozen=True, slots=True)
class Truncate:
    """The caller heard no more of this item than so much."""

    item_id: str
    heard_ms: int


@dataclass(frozen=True, slots=True)
class ClearAudio:
    """Forget what was heard and is no item yet."""


Request = (
    SessionUpdate
    | Message
    | FunctionOutput
    | CreateResponse
    | CancelResponse
    | Truncate
    | ClearAudio
)


def append(audio: bytes) -> str:
    """The caller's audio, untouched."""
    return f'{{"type":"input_audio_buffer.append","audio":"{base64.b64encode(audio).decode()}"}}'


def encode(request: Request, options: RealtimeOptions, audio_format: AudioFormat) -> str:
    return json.dumps(_event(request, options, audio_format), separators=(",", ":"))


def _event(request: Request, options: RealtimeOptions, audio_format: AudioFormat) -> dict[str, Any]:
    match request:
        case SessionUpdate():
            return _session_update(request, options, audio_format)
        case Message(role=role, text=text):
            kind = "output_text" if role == "assistant" else "input_text"
            content = [{"type": kind, "text": text}]
            return _item({"type": "message", "role": role, "content": content})
        case FunctionOutput(call_id=call_id, text=text):
            return _item({"type": "function_call_output", "call_id": call_id, "output": text})
        case CreateResponse():
            return _create_response(request)
        case CancelResponse(response_id=response_id):
            return {"type": "response.cancel", "response_id": response_id}
        case Truncate(item_id=item_id, heard_ms=heard_ms):
            return {
                "type": "conversation.item.truncate",
                "item_id": item_id,
                "content_index": 0,
                "audio_end_ms": heard_ms,
            }
        case ClearAudio():
            return {"type": "input_audio_buffer.clear"}


def _item(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "conversation.item.create", "item": item}


def _create_response(request: CreateResponse) -> dict[str, Any]:
    response: dict[str, Any] = {"metadata": {OWNER: request.owner}}
    if request.instructions:
        response["instructions"] = request.instructions
    return {"type": "response.create", "event_id": request.event_id, "response": response}


def _session_update(
    request: SessionUpdate, options: RealtimeOptions, audio_format: AudioFormat
) -> dict[str, Any]:
    audio = FORMATS[audio_format]
    noise = {"type": options.noise_reduction} if options.noise_reduction else None
    session: dict[str, Any] = {
        "type": "realtime",
        "instructions": request.instructions,
        "output_modalities": ["audio"],
        "audio": {
            "input": {
                "format": audio,
                "transcription": {"model": options.transcribe_model},
                "noise_reduction": noise,
                "turn_detection": _turn_detection(options),
            },
            "output": {"format": audio, "voice": options.voice},
        },
        "tools": [dict(tool) for tool in request.tools],
        "tool_choice": "auto",
    }
    if options.reasoning:
        session["reasoning"] = {"effort": options.reasoning}
    return {"type": "session.update", "session": session}


def _turn_detection(options: RealtimeOptions) -> dict[str, Any]:
    return {
        "type": "server_vad",
        "threshold": options.vad_threshold,
        "prefix_padding_ms": options.vad_prefix_ms,
        "silence_duration_ms": options.vad_silence_ms,
        # We ask for each response: not before the caller's words are on record.
        "create_response": False,
        # We cancel it: speech over a filler, or before the first word, interrupts nothing.
        "interrupt_response": False,
    }


def history(said: Iterable[Mapping[str, str]]) -> tuple[Message, ...]:
    """The talk so far, as a worker tells it (`voice.events.Briefed`)."""
    return tuple(
        Message("assistant" if one.get("role") == "assistant" else "user", one.get("text", ""))
        for one in said
        if one.get("text")
    )
