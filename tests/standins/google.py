"""Gemini's generateContent: https://ai.google.dev/api/generate-content, errors included.

Signatures: https://ai.google.dev/gemini-api/docs/thought-signatures
"""

from __future__ import annotations

import base64
import itertools
import json
import re
from typing import Any

from tests.standins.answering import Answer, Asked, Refused, texts
from tests.standins.google_checks import bad, check, refused
from tests.standins.http import Request
from tests.standins.script import Step

KEY = "AIza-stand-in"
_PATH = re.compile(r"/v1(?:beta|alpha)?/models/([^:/]+):(generateContent|streamGenerateContent)")
_ERRORS = {
    "rate": (429, "RESOURCE_EXHAUSTED", "You exceeded your current quota."),
    "server": (500, "INTERNAL", "An internal error has occurred. Please retry."),
    "overloaded": (503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
    "model": (404, "NOT_FOUND", "models/{model} is not found for API version v1beta."),
}
_numbers = itertools.count(1)


class Google:
    name = "google"
    broken = b'data: {"candidates": [{"content": {"parts": [{"te\r\n\r\n'

    def read(self, request: Request) -> Asked:
        key = request.headers.get("x-goog-api-key") or request.query.get("key", "")
        if not key:
            said = "Method doesn't allow unregistered callers. Please use API Key."
            raise refused(403, "PERMISSION_DENIED", said)
        if key != KEY:
            raise self.refusal("key", Step(), "")
        path = _PATH.fullmatch(request.path)
        if path is None:
            raise refused(404, "NOT_FOUND", "Requested entity was not found.")
        body = _parsed(request.body)
        model, method = path.groups()
        check(body, model)
        words, answered = _heard(body["contents"])
        if method == "streamGenerateContent" and request.query.get("alt") != "sse":
            raise AssertionError("only events are implemented: alt=sse")
        return Asked(words, answered, model, method == "streamGenerateContent")

    def answer(self, request: Request, asked: Asked, step: Step) -> Answer:
        number = next(_numbers)
        tokens_in, tokens_out = step.tokens(len(request.body))
        base = {"modelVersion": asked.model, "responseId": f"response{number:016}"}
        parts = _parts(step, asked.model, number)
        usage = {
            "promptTokenCount": tokens_in,
            "candidatesTokenCount": tokens_out,
            "totalTokenCount": tokens_in + tokens_out,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": tokens_in}],
        }
        early = usage | {"candidatesTokenCount": 1, "totalTokenCount": tokens_in + 1}
        last = _candidate([{"text": ""}], _reason(step)) | {"usageMetadata": usage} | base
        return Answer(
            b"",
            [_event(_candidate([part]) | {"usageMetadata": early} | base) for part in parts],
            _event(last),
            _candidate(parts, _reason(step)) | {"usageMetadata": usage} | base,
        )

    def refusal(self, kind: str, step: Step, model: str) -> Refused:
        if kind == "key":
            info = {"reason": "API_KEY_INVALID", "domain": "googleapis.com"}
            return bad(
                "API key not valid. Please pass a valid API key.",
                [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", **info}],
            )
        status, name, said = _ERRORS[kind]
        details = []
        if step.retry_after:
            retry = {"retryDelay": f"{step.retry_after:g}s"}
            details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", **retry}]
        return refused(status, name, said.format(model=model), details)

    def error_event(self) -> bytes:
        return _event(self.refusal("overloaded", Step(), "").body)


def _event(value: Any) -> bytes:
    return b"data: %b\r\n\r\n" % json.dumps(value).encode()


def _candidate(parts: list[dict[str, Any]], reason: str = "") -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"parts": parts, "role": "model"}, "index": 0}
    if reason:
        candidate["finishReason"] = reason
    return {"candidates": [candidate]}


def _parts(step: Step, model: str, number: int) -> list[dict[str, Any]]:
    """Arguments come whole; models that think sign the first call of an answer."""
    if step.fail in ("empty", "refusal"):
        return []
    calls: list[dict[str, Any]] = []
    for n, (name, arguments) in enumerate(step.tools):
        call: dict[str, Any] = {"functionCall": {"name": name, "args": arguments}}
        if model.startswith("gemini-3"):
            call["functionCall"]["id"] = f"{number:06}{n:02}"
            if not n:
                call["thoughtSignature"] = base64.b64encode(b"signed by the stand-in").decode()
        calls.append(call)
    return [*({"text": piece} for piece in step.pieces), *calls]


def _reason(step: Step) -> str:
    return "SAFETY" if step.fail == "refusal" else "STOP"


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        value: dict[str, Any] = json.loads(body)
    except ValueError:
        raise bad("Invalid JSON payload received.") from None
    return value


def _heard(contents: list[dict[str, Any]]) -> tuple[str, int]:
    answered = 0
    for content in reversed(contents):
        if content.get("role") == "model":
            answered += 1
        elif words := texts(content["parts"]):
            return words, answered
    return "", answered
