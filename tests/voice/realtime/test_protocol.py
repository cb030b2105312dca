"""The Realtime API's events, held to OpenAI's own types and to the stand-in's stricter reading."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import pytest
from openai.types.realtime import RealtimeClientEvent, RealtimeServerEvent
from pydantic import TypeAdapter

from tests.standins.realtime_checks import check_event
from voice.audio import MODEL_RATE, PHONE, AudioFormat
from voice.realtime import protocol, requests
from voice.realtime.options import RealtimeOptions, from_environment
from voice.realtime.protocol import Garbled, decode

OPTIONS = RealtimeOptions(key="k")
ID = {"event_id": "e1"}
AUDIO = bytes(range(256))
RESPONSE: dict[str, Any] = {
    "id": "r1",
    "object": "realtime.response",
    "status": "completed",
    "status_details": {"type": "completed"},
    "output": [],
    "metadata": {"turn": "t1"},
    "usage": None,
}
OF_ITEM = {"response_id": "r1", "item_id": "i1", "output_index": 0, "content_index": 0}
CALL = {
    "id": "i2",
    "type": "function_call",
    "status": "completed",
    "call_id": "c1",
    "name": "add_todos",
    "arguments": '{"a":1}',
}
SAID: list[tuple[dict[str, Any], protocol.ServerEvent | None]] = [
    ({"type": "session.updated", "session": {"type": "realtime"}}, protocol.SessionUpdated()),
    (
        {"type": "input_audio_buffer.speech_started", "item_id": "i1", "audio_start_ms": 340},
        protocol.SpeechStarted("i1", 340),
    ),
    (
        {"type": "input_audio_buffer.speech_stopped", "item_id": "i1", "audio_end_ms": 1740},
        protocol.SpeechStopped("i1", 1740),
    ),
    (
        {"type": "input_audio_buffer.committed", "item_id": "i1", "previous_item_id": None},
        protocol.Committed("i1"),
    ),
    (
        {
            "type": "conversation.item.input_audio_transcription.completed",
            "item_id": "i1",
            "content_index": 0,
            "transcript": " Add milk. ",
            "usage": {"type": "duration", "seconds": 1.5},
        },
        protocol.Words("i1", "Add milk.", protocol.Usage(seconds=1.5)),
    ),
    (
        {
            "type": "conversation.item.input_audio_transcription.failed",
            "item_id": "i1",
            "content_index": 0,
            "error": {"code": "audio_unintelligible", "message": "no", "type": "server_error"},
        },
        protocol.NoWords("i1", "audio_unintelligible"),
    ),
    (
        {"type": "response.created", "response": RESPONSE | {"status": "in_progress"}},
        protocol.ResponseCreated("r1", "t1"),
    ),
    (
        {
            "type": "response.output_audio.delta",
            **OF_ITEM,
            "delta": base64.b64encode(AUDIO).decode(),
        },
        protocol.AudioDelta("r1", "i1", AUDIO),
    ),
    (
        {"type": "response.output_audio_transcript.delta", **OF_ITEM, "delta": "Added"},
        protocol.TextDelta("r1", "i1", "Added"),
    ),
    (
        {
            "type": "response.output_item.done",
            "response_id": "r1",
            "output_index": 1,
            "item": CALL,
        },
        protocol.ItemDone("r1", "i2", protocol.FunctionCall("c1", "add_todos", '{"a":1}')),
    ),
    (
        {
            "type": "response.output_item.done",
            "response_id": "r1",
            "output_index": 1,
            "item": CALL | {"status": "incomplete", "arguments": '{"a'},
        },
        protocol.ItemDone(
            "r1", "i2", protocol.FunctionCall("c1", "add_todos", '{"a', complete=False)
        ),
    ),
    (
        {
            "type": "response.done",
            "response": RESPONSE
            | {
                "output": [CALL],
                "usage": {
                    "total_tokens": 100,
                    "input_tokens": 60,
                    "output_tokens": 40,
                    "input_token_details": {"text_tokens": 35, "audio_tokens": 25},
                    "output_token_details": {"text_tokens": 10, "audio_tokens": 30},
                },
            },
        },
        protocol.ResponseDone(
            "r1",
            "completed",
            "",
            (protocol.FunctionCall("c1", "add_todos", '{"a":1}'),),
            protocol.Usage(35, 25, 10, 30),
        ),
    ),
    (
        {
            "type": "response.done",
            "response": RESPONSE
            | {
                "status": "failed",
                "status_details": {
                    "type": "failed",
                    "error": {"type": "server_error", "code": "rate_limit_exceeded"},
                },
            },
        },
        protocol.ResponseDone("r1", "failed", "rate_limit_exceeded"),
    ),
    (
        {
            "type": "response.done",
            "response": RESPONSE
            | {
                "status": "cancelled",
                "status_details": {"type": "cancelled", "reason": "client_cancelled"},
            },
        },
        protocol.ResponseDone("r1", "cancelled", "client_cancelled"),
    ),
    (
        {
            "type": "error",
            "error": {"type": "invalid_request_error", "code": "x", "message": "m", **ID},
        },
        protocol.Error("x", "e1"),
    ),
    ({"type": "input_audio_buffer.cleared"}, None),
]


@pytest.mark.parametrize(
    ("message", "event"), SAID, ids=lambda v: v.get("type", "") if isinstance(v, dict) else ""
)
def test_what_the_service_says_is_understood(
    message: dict[str, Any], event: protocol.ServerEvent | None
) -> None:
    whole = ID | message
    TypeAdapter(RealtimeServerEvent).validate_python(whole)
    assert decode(json.dumps(whole)) == event


def test_what_is_new_in_the_protocol_is_left_alone() -> None:
    assert decode('{"type":"response.dreamt","event_id":"e"}') is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no JSON",
        "[]",
        "{}",
        '{"type":7}',
        '{"type":"input_audio_buffer.speech_started"}',
        '{"type":"input_audio_buffer.speech_started","item_id":"i","audio_start_ms":-1}',
        '{"type":"response.output_audio.delta","response_id":"r","item_id":"i","delta":"?"}',
        '{"type":"response.output_item.done","response_id":"r","item":7}',
        '{"type":"response.done","response":{"id":"r","status":"completed","output":7}}',
    ],
)
def test_what_is_no_event_raises_one_error(text: str) -> None:
    with pytest.raises(Garbled):
        decode(text)


TOOL = {
    "type": "function",
    "name": "add_todos",
    "description": "d",
    "parameters": {"type": "object"},
}
ASKED: list[requests.Request] = [
    requests.SessionUpdate("Be brief.", (TOOL,)),
    requests.Message("user", "Add milk."),
    requests.Message("assistant", "Added."),
    requests.Message("system", "Ask again."),
    requests.FunctionOutput("c1", "Added."),
    requests.CreateResponse("t1", "ask-1"),
    requests.CreateResponse("t1", "ask-1", "Greet."),
    requests.CancelResponse("r1"),
    requests.Truncate("i1", 1200),
    requests.ClearAudio(),
]


def check(text: str) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(text)
    TypeAdapter(RealtimeClientEvent).validate_python(message)
    if message["type"] != "conversation.item.create" or "output" not in message["item"]:
        check_event(message)
    return message


@pytest.mark.parametrize("request_", ASKED, ids=lambda r: type(r).__name__)
@pytest.mark.parametrize("audio_format", [PHONE, MODEL_RATE], ids=str)
def test_what_is_asked_is_of_the_published_protocol(
    request_: requests.Request, audio_format: AudioFormat
) -> None:
    check(requests.encode(request_, OPTIONS, audio_format))


def test_the_session_is_as_the_options_say() -> None:
    options = replace(
        OPTIONS, vad_threshold=0.7, vad_prefix_ms=200, vad_silence_ms=900, reasoning="low",
        noise_reduction="near_field", voice="cedar",
    )  # fmt: skip
    session = check(requests.encode(ASKED[0], options, PHONE))["session"]
    heard, spoken = session["audio"]["input"], session["audio"]["output"]
    assert heard["format"] == spoken["format"] == {"type": "audio/pcmu"}
    assert heard["turn_detection"] == {
        "type": "server_vad",
        "threshold": 0.7,
        "prefix_padding_ms": 200,
        "silence_duration_ms": 900,
        "create_response": False,
        "interrupt_response": False,
    }
    assert heard["transcription"] == {"model": "gpt-transcribe"}
    assert heard["noise_reduction"] == {"type": "near_field"}
    assert (spoken["voice"], session["reasoning"]) == ("cedar", {"effort": "low"})


@pytest.mark.parametrize("size", [0, 1, 159, 160, 161])
def test_audio_is_sent_untouched(size: int) -> None:
    audio = bytes(n % 256 for n in range(size))
    assert base64.b64decode(check(requests.append(audio))["audio"]) == audio


def test_the_environment_names_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert from_environment() is None
    monkeypatch.setenv("OPENAI_API_KEY", "secret-key")
    monkeypatch.setenv("OPENAI_REALTIME_MODEL", "gpt-realtime-2.1-mini")
    monkeypatch.setenv("REALTIME_VAD_SILENCE_MS", "700")
    options = from_environment()
    assert options is not None
    assert options.address() == "wss://api.openai.com/v1/realtime?model=gpt-realtime-2.1-mini"
    assert options.vad_silence_ms == 700
    assert "secret-key" not in repr(options)
