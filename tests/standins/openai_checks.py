"""What Chat Completions refuses: fields, and tool calls that have no results."""

from __future__ import annotations

import re
from typing import Any

from tests.standins.answering import Refused

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_ROLES = ("system", "developer", "user", "assistant", "tool")
# Models that think take the newer name of the bound, and no temperature while they do.
_THINKS = re.compile(r"(o\d|gpt-[5-9])")
_LONGEST_ID = 40


def bad(said: str, param: str | None = None, code: str | None = None, status: int = 400) -> Refused:
    error = {"message": said, "type": "invalid_request_error", "param": param, "code": code}
    return Refused(status, {"error": error})


def check(body: dict[str, Any], *, strict: bool) -> None:
    """`strict`: what only OpenAI itself is particular about as well."""
    if "messages" not in body or (strict and "model" not in body):
        name = "model" if "messages" in body else "messages"
        raise bad(f"Missing required parameter: '{name}'.", name, "missing_required_parameter")
    if not isinstance(body["messages"], list):
        raise bad("Expected 'messages' to be an array")
    if strict:
        _check_strictly(body)
    for n, tool in enumerate(body.get("tools", ())):
        _check_tool(n, tool)
    _check_order(body["messages"], strict=strict)


def _check_strictly(body: dict[str, Any]) -> None:
    if not body["messages"]:
        raise bad(
            "Invalid 'messages': empty array. Expected an array with minimum length 1.",
            "messages",
            "empty_array",
        )
    if "stream_options" in body and not body.get("stream"):
        raise bad("The 'stream_options' parameter is only allowed when 'stream' is enabled.")
    if not _THINKS.match(body["model"]):
        return
    if "max_tokens" in body:
        said = "Unsupported parameter: 'max_tokens' is not supported with this model."
        raise bad(f"{said} Use 'max_completion_tokens' instead.", "max_tokens")
    if body.get("temperature", 1) != 1 and body.get("reasoning_effort") != "none":
        said = "Unsupported value: 'temperature' does not support this value with this model."
        raise bad(said, "temperature", "unsupported_value")


def _check_tool(n: int, tool: dict[str, Any]) -> None:
    if tool.get("type") != "function":
        raise bad(f"Invalid value for 'tools[{n}].type'.", f"tools[{n}].type", "invalid_value")
    name = tool.get("function", {}).get("name", "")
    if not _NAME.fullmatch(name):
        where = f"tools[{n}].function.name"
        raise bad(f"Invalid '{where}': string does not match pattern.", where, "invalid_value")
    if tool["function"].get("parameters", {"type": "object"}).get("type") != "object":
        said = f"Invalid schema for function '{name}': schema must be of type 'object'."
        raise bad(said, f"tools[{n}].function.parameters", "invalid_function_parameters")


def _check_order(messages: list[dict[str, Any]], *, strict: bool) -> None:
    due: list[str] = []
    for n, message in enumerate(messages):
        role = message.get("role")
        if role not in _ROLES:
            raise bad(f"Invalid value: '{role}'.", f"messages[{n}].role", "invalid_value")
        if role == "tool":
            due = _answered(n, message, due)
            continue
        if due:
            raise _unanswered(due)
        due = [call["id"] for call in message.get("tool_calls") or ()]
        _check_message(n, message, strict=strict)
    if due:
        raise _unanswered(due)


def _answered(n: int, message: dict[str, Any], due: list[str]) -> list[str]:
    if message.get("tool_call_id") not in due:
        said = "messages with role 'tool' must be a response to a preceeding message with"
        raise bad(f"Invalid parameter: {said} 'tool_calls'.", f"messages.[{n}].role")
    return [call for call in due if call != message["tool_call_id"]]


def _check_message(n: int, message: dict[str, Any], *, strict: bool) -> None:
    calls = message.get("tool_calls") or []
    if message.get("content") is None and not calls:
        where = f"messages.[{n}].content"
        raise bad("Invalid value for 'content': expected a string, got null.", where)
    for k, call in enumerate(calls):
        where = f"messages[{n}].tool_calls[{k}]"
        if not isinstance(call["function"].get("arguments"), str):
            raise bad(f"Invalid type for '{where}.function.arguments'.", where, "invalid_type")
        if strict and len(call["id"]) > _LONGEST_ID:
            said = f"Expected a string with maximum length {_LONGEST_ID}."
            raise bad(
                f"Invalid '{where}.id': string too long. {said}", where, "string_above_max_length"
            )


def _unanswered(ids: list[str]) -> Refused:
    return bad(
        "An assistant message with 'tool_calls' must be followed by tool messages responding to"
        " each 'tool_call_id'. The following tool_call_ids did not have response messages:"
        f" {', '.join(ids)}",
        "messages",
    )
