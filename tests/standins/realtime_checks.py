"""What OpenAI's Realtime API takes and what it says to the rest, by its published shapes.

https://platform.openai.com/docs/api-reference/realtime-client-events: names of the beta
(`modalities`, `input_audio_format`, content type `text`, …) are unknown parameters like any other.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from tests.standins import realtime_kinds as a
from tests.standins.realtime_kinds import Check, Refused

VOICES = ("alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse", "marin", "cedar")


def check_event(event: Any) -> None:
    """Raises Refused for what is no client event of the published protocol."""
    if not isinstance(event, dict):
        raise Refused("invalid_json", "We could not parse the JSON body of your event.")
    kind = event.get("type")
    if kind is None:
        raise a.missing("type")
    if kind not in _EVENTS:
        raise a.not_among(kind, "type", tuple(_EVENTS))
    _EVENTS[kind](event, "")


def decoded(audio: str) -> bytes:
    try:
        return base64.b64decode(audio, validate=True)
    except (binascii.Error, ValueError):
        message = "Invalid 'audio'. Expected base64-encoded audio bytes."
        raise Refused("invalid_value", message, "audio") from None


_type = {"type": a.anything}
_FORMAT = a.one_by(
    "type",
    {
        "audio/pcm": a.object_of({**_type, "rate": a.among(24_000)}, ("rate",)),
        "audio/pcmu": a.object_of(_type),
        "audio/pcma": a.not_played,
    },
)
_SERVER_VAD = a.object_of(
    {
        **_type,
        "threshold": a.between((int, float), "a number", 0, 1),
        "prefix_padding_ms": a.between(int, "an integer", 0, 10_000),
        "silence_duration_ms": a.between(int, "an integer", 0, 10_000),
        "create_response": a.flag,
        "interrupt_response": a.flag,
        "idle_timeout_ms": a.or_null(a.not_played),
    }
)
_TRANSCRIPTION = a.object_of(
    {
        "model": a.text,
        "language": a.text,
        "languages": a.list_of(a.text),
        "prompt": a.text,
        "keywords": a.list_of(a.text),
    }
)
_INPUT = a.object_of(
    {
        "format": _FORMAT,
        "noise_reduction": a.or_null(
            a.object_of({"type": a.among("near_field", "far_field"), "strength": a.number})
        ),
        "transcription": a.or_null(_TRANSCRIPTION),
        "turn_detection": a.or_null(
            a.one_by("type", {"server_vad": _SERVER_VAD, "semantic_vad": a.not_played})
        ),
    }
)
_OUTPUT = a.object_of(
    {
        "format": _FORMAT,
        "voice": a.among(*VOICES),
        "speed": a.between((int, float), "a number", 0.25, 1.5),
    }
)
_TOOL = a.one_by(
    "type",
    {
        "function": a.object_of(
            {**_type, "name": a.name, "description": a.text, "parameters": a.parameters}, ("name",)
        ),
        "mcp": a.not_played,
    },
)


def _modalities(value: Any, path: str) -> None:
    a.list_of(a.among("text", "audio"))(value, path)
    if len(value) != 1:
        told = f"Invalid modalities: {value}. Supported combinations are: ['text'] and ['audio']."
        raise Refused("invalid_value", told, path)
    if value == ["text"]:
        a.not_played(value, path)


def _tool_choice(value: Any, path: str) -> None:
    if isinstance(value, dict):
        a.object_of({"type": a.among("function"), "name": a.name}, ("type", "name"))(value, path)
    else:
        a.among("auto", "none", "required")(value, path)


def _most_tokens(value: Any, path: str) -> None:
    if value != "inf":
        a.between(int, "an integer", 1, 4096)(value, path)


def _truncation(value: Any, path: str) -> None:
    if isinstance(value, dict):
        shape = {"type": a.among("retention_ratio"), "retention_ratio": a.number}
        a.object_of({**shape, "token_limits": a.anything}, ("type", "retention_ratio"))(value, path)
    else:
        a.among("auto", "disabled")(value, path)


def _metadata(value: Any, path: str) -> None:
    a.of(dict, "an object")(value, path)
    for key, one in value.items():
        a.text(one, a.below(path, key))
        if len(key) > 64 or len(one) > 512 or len(value) > 16:
            told = f"Invalid '{path}': 16 pairs of at most 64 and 512 characters are possible."
            raise Refused("invalid_value", told, path)


_COMMON: dict[str, Check] = {
    "instructions": a.text,
    "output_modalities": _modalities,
    "tools": a.list_of(_TOOL),
    "tool_choice": _tool_choice,
    "max_output_tokens": _most_tokens,
    "parallel_tool_calls": a.flag,
    "reasoning": a.object_of({"effort": a.text}),
    "prompt": a.or_null(a.not_played),
}
_SESSION = a.object_of(
    {
        **_COMMON,
        "type": a.among("realtime"),
        "model": a.text,
        "audio": a.object_of({"input": _INPUT, "output": _OUTPUT}),
        "include": a.list_of(a.among("item.input_audio_transcription.logprobs")),
        "tracing": a.anything,
        "truncation": _truncation,
    },
    ("type",),
)
_RESPONSE = a.object_of(
    {
        **_COMMON,
        "audio": a.object_of(
            {"output": a.object_of({"format": _FORMAT, "voice": a.among(*VOICES)})}
        ),
        "conversation": a.among("auto"),
        "metadata": a.or_null(_metadata),
        "input": a.not_played,
    }
)
_PART = {"user": ("input_text",), "assistant": ("output_text",), "system": ("input_text",)}
_ITEM_KEYS: dict[str, Check] = {**_type, "id": a.text, "object": a.among("realtime.item")}
_ITEM_KEYS["status"] = a.among("completed", "incomplete", "in_progress")


def _message(value: Any, path: str) -> None:
    if "role" not in value:
        raise a.missing(a.below(path, "role"))
    a.among(*_PART)(value["role"], a.below(path, "role"))
    part = a.object_of(
        {"type": a.among(*_PART[value["role"]]), "text": a.text},
        ("type", "text"),
    )
    known = {**_ITEM_KEYS, "role": a.anything, "content": a.list_of(part)}
    a.object_of(known, ("content",))(value, path)


_ITEM = a.one_by(
    "type",
    {
        "message": _message,
        "function_call": a.object_of(
            {**_ITEM_KEYS, "call_id": a.text, "name": a.name, "arguments": a.text},
            ("call_id", "name", "arguments"),
        ),
        "function_call_output": a.object_of(
            {**_ITEM_KEYS, "call_id": a.text, "output": a.text}, ("call_id", "output")
        ),
    },
)


def _event(required: dict[str, Check], **optional: Check) -> Check:
    return a.object_of({**_type, "event_id": a.text, **required, **optional}, tuple(required))


_EVENTS: dict[str, Check] = {
    "session.update": _event({"session": _SESSION}),
    "input_audio_buffer.append": _event({"audio": a.text}),
    "input_audio_buffer.commit": _event({}),
    "input_audio_buffer.clear": _event({}),
    "conversation.item.create": _event({"item": _ITEM}, previous_item_id=a.or_null(a.text)),
    "conversation.item.truncate": _event(
        {"item_id": a.text, "content_index": a.among(0), "audio_end_ms": a.whole}
    ),
    "response.create": _event({}, response=a.or_null(_RESPONSE)),
    "response.cancel": _event({}, response_id=a.or_null(a.text)),
}
