"""What Gemini refuses: order of turns, calls without results or signature, unknown fields."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from tests.standins.answering import Refused

_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}")
# https://ai.google.dev/api/caching#Schema; plain JSON Schema belongs into parametersJsonSchema.
_SCHEMA = frozenset(
    [
        "type",
        "format",
        "title",
        "description",
        "nullable",
        "enum",
        "maxItems",
        "minItems",
        "properties",
        "required",
        "minProperties",
        "maxProperties",
        "minLength",
        "maxLength",
        "pattern",
        "example",
        "anyOf",
        "propertyOrdering",
        "default",
        "items",
        "minimum",
        "maximum",
    ]
)
# https://ai.google.dev/gemini-api/docs/thought-signatures#faqs
_UNSIGNED = "Function call is missing a thought_signature in functionCall parts."


def refused(
    code: int, status: str, said: str, details: list[dict[str, Any]] | None = None
) -> Refused:
    error: dict[str, Any] = {"code": code, "message": said, "status": status}
    if details:
        error["details"] = details
    return Refused(code, {"error": error})


def bad(said: str, details: list[dict[str, Any]] | None = None) -> Refused:
    return refused(400, "INVALID_ARGUMENT", said, details)


def check(body: dict[str, Any], model: str) -> None:
    contents = body.get("contents")
    if not contents:
        raise bad("* GenerateContentRequest.contents: contents is not specified\n")
    for tool in body.get("tools", ()):
        for declared in tool.get("functionDeclarations", ()):
            _check_declaration(declared)
    previous: dict[str, Any] | None = None
    for n, content in enumerate(contents):
        _check_content(n, content, previous)
        previous = content
    if previous is not None and _calls(previous):
        raise _uneven()
    if model.startswith("gemini-3"):
        _check_signatures(contents)


def _check_declaration(declared: dict[str, Any]) -> None:
    if not _NAME.fullmatch(declared.get("name", "")):
        raise bad("* GenerateContentRequest.tools[0].function_declarations[0].name: Invalid name.")
    if "parameters" in declared:
        _check_schema(declared["parameters"], "tools[0].function_declarations[0].parameters")


def _check_schema(schema: dict[str, Any], where: str) -> None:
    for name in schema:
        if name not in _SCHEMA:
            said = f"Invalid JSON payload received. Unknown name \"{name}\" at '{where}'"
            raise bad(f"{said}: Cannot find field.")
    for name, inner in schema.get("properties", {}).items():
        _check_schema(inner, f"{where}.properties[{name}].value")
    for inner in schema.get("anyOf", ()):
        _check_schema(inner, f"{where}.any_of[0]")
    if "items" in schema:
        _check_schema(schema["items"], f"{where}.items")


def _check_content(n: int, content: dict[str, Any], previous: dict[str, Any] | None) -> None:
    if content.get("role") not in ("user", "model", "function"):
        raise bad("Please use a valid role: user, model.")
    parts = content.get("parts")
    if not parts:
        raise bad(
            f"* GenerateContentRequest.contents[{n}].parts: contents.parts must not be empty.\n"
        )
    for part in parts:
        if not any(part.get(kind) for kind in ("text", "functionCall", "functionResponse")):
            raise bad(
                f"* GenerateContentRequest.contents[{n}].parts[0].data: required oneof field 'data'"
                " must have one initialized field"
            )
    answers = [part["functionResponse"]["name"] for part in parts if "functionResponse" in part]
    calls = _calls(previous) if previous else []
    if Counter(answers) != Counter(calls):
        raise _uneven()
    if _calls(content) and (previous is None or previous["role"] == "model"):
        raise bad(
            "Please ensure that function call turn comes immediately after a user turn or after a"
            " function response turn."
        )


def _calls(content: dict[str, Any]) -> list[str]:
    return [part["functionCall"]["name"] for part in content["parts"] if "functionCall" in part]


def _uneven() -> Refused:
    return bad(
        "Please ensure that the number of function response parts is equal to the number of"
        " function call parts of the function call turn."
    )


def _check_signatures(contents: list[dict[str, Any]]) -> None:
    """Of the first call of each answer since the person last said something."""
    for content in reversed(contents):
        parts = content["parts"]
        if content["role"] == "user" and any("text" in part for part in parts):
            return
        first = next((part for part in parts if "functionCall" in part), None)
        if first is not None and not first.get("thoughtSignature"):
            raise bad(_UNSIGNED)
