"""Anthropic's Messages API: https://docs.anthropic.com/en/api/messages and /messages-streaming.

The key comes as `x-api-key` or, as newer SDKs send it, as a bearer token.
"""

from __future__ import annotations

import itertools
import json
import re
from typing import Any

from tests.standins.answering import Answer, Asked, Refused, texts
from tests.standins.http import Request
from tests.standins.script import Step

KEY = "sk-ant-stand-in"
_ID = re.compile(r"[a-zA-Z0-9_-]+")
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_ERRORS = {
    "key": (401, "authentication_error", "invalid x-api-key"),
    "rate": (429, "rate_limit_error", "This request would exceed your account's rate limit."),
    "server": (500, "api_error", "Internal server error"),
    "overloaded": (529, "overloaded_error", "Overloaded"),
    "model": (404, "not_found_error", "model: {model}"),
}
_numbers = itertools.count(1)


class Anthropic:
    name = "anthropic"
    broken = b'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_\n\n'

    def read(self, request: Request) -> Asked:
        headers = request.headers
        if KEY not in (
            headers.get("x-api-key"),
            headers.get("authorization", "")[len("Bearer ") :],
        ):
            raise _refused(*_ERRORS["key"])
        if not headers.get("anthropic-version"):
            raise _bad("anthropic-version: header is required")
        if request.path != "/v1/messages":
            raise _refused(404, "not_found_error", "Not found")
        body = _parsed(request.body)
        _check(body)
        words, answered = _heard(body["messages"])
        return Asked(words, answered, body["model"], bool(body.get("stream")))

    def answer(self, request: Request, asked: Asked, step: Step) -> Answer:
        tokens_in, tokens_out = step.tokens(len(request.body))
        number = next(_numbers)
        usage = {
            "input_tokens": tokens_in,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": 1,
            "service_tier": "standard",
        }
        message: dict[str, Any] = {
            "id": f"msg_{number:024}",
            "type": "message",
            "role": "assistant",
            "model": asked.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": usage,
        }
        blocks = _blocks(step, number)
        reason = _reason(step)
        total = usage | {"output_tokens": tokens_out}
        ended = {"stop_reason": reason, "stop_sequence": None}
        ending = _event("message_delta", delta=ended, usage=total) + _event("message_stop")
        return Answer(
            _event("message_start", message=message) + _event("ping"),
            [piece for index, block in enumerate(blocks) for piece in _pieces(index, block, step)],
            ending,
            message | {"content": blocks, "stop_reason": reason, "usage": total},
            {"request-id": f"req_{number:024}"},
        )

    def refusal(self, kind: str, step: Step, model: str) -> Refused:
        status, error, said = _ERRORS[kind]
        headers = {"retry-after": f"{step.retry_after:g}"} if step.retry_after else {}
        return _refused(status, error, said.format(model=model), headers)

    def error_event(self) -> bytes:
        return _event("error", error={"type": "overloaded_error", "message": "Overloaded"})


def _event(kind: str, **values: Any) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (
        kind.encode(),
        json.dumps({"type": kind, **values}, separators=(",", ":")).encode(),
    )


def _blocks(step: Step, number: int) -> list[dict[str, Any]]:
    if step.fail in ("empty", "refusal"):
        return []
    said = [{"type": "text", "text": step.say}] if step.say else []
    return said + [
        {"type": "tool_use", "id": f"toolu_{number:018}{n:06}", "name": name, "input": arguments}
        for n, (name, arguments) in enumerate(step.tools)
    ]


def _pieces(index: int, block: dict[str, Any], step: Step) -> list[bytes]:
    if block["type"] == "text":
        start = block | {"text": ""}
        deltas = [{"type": "text_delta", "text": piece} for piece in step.pieces]
    else:
        start = block | {"input": {}}
        cut = ["", *in_parts(json.dumps(block["input"]))]
        deltas = [{"type": "input_json_delta", "partial_json": part} for part in cut]
    pieces = [_event("content_block_delta", index=index, delta=delta) for delta in deltas]
    pieces[0] = _event("content_block_start", index=index, content_block=start) + pieces[0]
    pieces[-1] += _event("content_block_stop", index=index)
    return pieces


def in_parts(arguments: str, size: int = 12) -> list[str]:
    return [arguments[at : at + size] for at in range(0, len(arguments), size)]


def _reason(step: Step) -> str:
    if step.fail == "refusal":
        return "refusal"
    return "tool_use" if step.tools and not step.fail else "end_turn"


# What it refuses ------------------------------------------------------------------------------
def _refused(status: int, kind: str, said: str, headers: dict[str, str] | None = None) -> Refused:
    error = {"type": kind, "message": said}
    body = {"type": "error", "error": error, "request_id": f"req_{next(_numbers):024}"}
    return Refused(status, body, headers)


def _bad(said: str) -> Refused:
    return _refused(400, "invalid_request_error", said)


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        value: dict[str, Any] = json.loads(body)
    except ValueError:
        raise _bad("The request body is not valid JSON.") from None
    return value


def _check(body: dict[str, Any]) -> None:
    for name in ("model", "max_tokens", "messages"):
        if name not in body:
            raise _bad(f"{name}: Field required")
    if not body["messages"]:
        raise _bad("messages: at least one message is required")
    if not 0 <= body.get("temperature", 1) <= 1:
        raise _bad("temperature: range: 0..1")
    for n, tool in enumerate(body.get("tools", ())):
        if not _NAME.fullmatch(tool.get("name", "")):
            raise _bad(f"tools.{n}.custom.name: String should match pattern '{_NAME.pattern}'")
        if tool.get("input_schema", {}).get("type") != "object":
            raise _bad(f"tools.{n}.custom.input_schema.type: Field required")
    due: list[str] = []
    for n, message in enumerate(body["messages"]):
        due = _check_message(n, message, due, bool(body.get("tools")))
    if due:
        raise _unanswered(len(body["messages"]) - 1, due)


def _check_message(n: int, message: dict[str, Any], due: list[str], has_tools: bool) -> list[str]:
    """`due`: calls of the message before that must be answered in this one; returns its own."""
    role, content = message.get("role"), message.get("content")
    if role not in ("user", "assistant"):
        raise _bad(f"messages.{n}.role: Input should be 'user' or 'assistant'")
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    if not blocks:
        raise _bad(f"messages.{n}: all messages must have non-empty content")
    if any(block["type"] == "text" and not block["text"].strip() for block in blocks):
        raise _bad("messages: text content blocks must be non-empty")
    results = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
    calls = [block["id"] for block in blocks if block["type"] == "tool_use"]
    if (results or calls) and not has_tools:
        raise _bad("Requests which include `tool_use` blocks must define tools")
    _check_pairs(n, results, calls, due, role)
    return calls


def _check_pairs(n: int, results: list[str], calls: list[str], due: list[str], role: str) -> None:
    if missing := [call for call in due if call not in results]:
        raise _unanswered(n - 1, missing)
    if strange := [call for call in results if call not in due]:
        raise _bad(
            f"messages.{n}.content.0: unexpected `tool_use_id` found in `tool_result` blocks:"
            f" {', '.join(strange)}. Each `tool_result` block must have a corresponding `tool_use`"
            " block in the previous message."
        )
    if len(set(calls)) < len(calls) or len(set(results)) < len(results):
        raise _bad(f"messages.{n}.content: `tool_use` ids must be unique")
    if any(not _ID.fullmatch(call) for call in calls):
        raise _bad(f"messages.{n}.content.0.tool_use.id: String should match '^{_ID.pattern}$'")
    if calls and role != "assistant":
        raise _bad(f"messages.{n}: `tool_use` blocks can only be in `assistant` messages")


def _unanswered(n: int, ids: list[str]) -> Refused:
    return _bad(
        f"messages.{n}: `tool_use` ids were found without `tool_result` blocks immediately after:"
        f" {', '.join(ids)}. Each `tool_use` block must have a corresponding `tool_result` block"
        " in the next message."
    )


def _heard(messages: list[dict[str, Any]]) -> tuple[str, int]:
    answered = 0
    for message in reversed(messages):
        if message["role"] == "assistant":
            answered += 1
        elif words := texts(message["content"]):
            return words, answered
    return "", answered
