"""OpenAI's Chat Completions, as OpenAI, llama.cpp's server and Ollama speak it.

https://platform.openai.com/docs/api-reference/chat/create and /chat-streaming; where the others
differ: https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md and
https://github.com/ollama/ollama/blob/main/openai/openai.go
"""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from time import time
from typing import Any

from tests.standins.answering import Answer, Asked, Refused, texts
from tests.standins.http import Request
from tests.standins.openai_checks import bad, check
from tests.standins.script import Step

KEY = "sk-stand-in"
_WRONG_KEY = (
    "Incorrect API key provided: {key}. You can find your API key at"
    " https://platform.openai.com/account/api-keys."
)
_RATE = "Rate limit reached for {model} on requests per min (RPM): Limit 3, Used 3."
_NO_MODEL = "The model `{model}` does not exist or you do not have access to it."
# Kind: HTTP status, what is said, `type`, `code`.
_ERRORS: dict[str, dict[str, tuple[int, str, str, Any]]] = {
    "openai": {
        "key": (401, _WRONG_KEY, "invalid_request_error", "invalid_api_key"),
        "rate": (429, _RATE, "requests", "rate_limit_exceeded"),
        "server": (500, "The server had an error processing your request.", "server_error", None),
        "overloaded": (503, "That model is currently overloaded.", "server_error", None),
        "model": (404, _NO_MODEL, "invalid_request_error", "model_not_found"),
    },
    "llama": {
        "key": (401, "Invalid API Key", "authentication_error", 401),
        "rate": (429, "Too many requests", "rate_limit_error", 429),
        "server": (500, "Compute error.", "server_error", 500),
        "overloaded": (503, "Loading model", "unavailable_error", 503),
        "model": (404, "File Not Found", "not_found_error", 404),
    },
    "ollama": {
        "key": (401, "unauthorized", "api_error", None),
        "rate": (429, "server busy, please try again", "api_error", None),
        "server": (500, "llama runner process no longer running: 2", "api_error", None),
        "overloaded": (503, "server busy, please try again.", "api_error", None),
        "model": (404, 'model "{model}" not found, try pulling it first', "api_error", None),
    },
}
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class OpenAI:
    name: str = "openai"
    style: str = "openai"
    """`llama` and `ollama` are the others."""
    key: str = KEY
    """Empty takes any."""
    broken = b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","choices":[{"ind\n\n'

    def read(self, request: Request) -> Asked:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if self.key and (scheme != "Bearer" or key != self.key):
            raise self.refusal("key", Step(), "", key)
        if request.path != "/v1/chat/completions":
            said = f"Invalid URL ({request.method} {request.path})"
            raise bad(said, status=404)
        body = _parsed(request.body)
        check(body, strict=self.style == "openai")
        words, answered = _heard(body["messages"])
        return Asked(words, answered, body.get("model", ""), bool(body.get("stream")))

    def answer(self, request: Request, asked: Asked, step: Step) -> Answer:
        number = next(_numbers)
        base = {
            "id": f"chatcmpl-{number:024}",
            "object": "chat.completion.chunk",
            "created": int(time()),
            "model": asked.model,
            "system_fingerprint": f"fp_{self.style}",
        }
        usage = _usage(*step.tokens(len(request.body)))
        wants_usage = b'"include_usage":true' in request.body.replace(b" ", b"")
        if wants_usage and self.style == "openai":
            base["usage"] = None
        message, reason = _message(step, number), _reason(step)
        ending = self._chunk(base, {}, reason)
        if wants_usage:
            ending += _event(base | {"choices": [], "usage": usage} | self._timings())
        return Answer(
            b"" if self.style == "ollama" else self._chunk(base, self._first(message)),
            [self._chunk(base, delta) for delta in self._deltas(message, step)],
            ending + b"data: [DONE]\n\n",
            base
            | {"object": "chat.completion", "usage": usage}
            | {"choices": [{"index": 0, "message": message, "finish_reason": reason}]},
            {"x-request-id": f"req_{number:024}"} if self.style == "openai" else {},
        )

    def refusal(self, kind: str, step: Step, model: str, key: str = "") -> Refused:
        status, said, error, code = _ERRORS[self.style][kind]
        value: dict[str, Any] = {"message": said.format(model=model, key=key[:8] + "***")}
        value |= {"type": error, "code": code}
        if self.style != "llama":
            value["param"] = None
        headers = {"retry-after": f"{step.retry_after:g}"} if step.retry_after else {}
        return Refused(status, {"error": value}, headers)

    def error_event(self) -> bytes:
        return _event(self.refusal("server", Step(), "").body)

    def _chunk(self, base: dict[str, Any], delta: dict[str, Any], reason: Any = None) -> bytes:
        if self.style == "ollama":
            delta = {"role": "assistant", "content": "", **delta}
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        if self.style == "openai":
            choice["logprobs"] = None
        return _event(base | {"choices": [choice]})

    def _first(self, message: dict[str, Any]) -> dict[str, Any]:
        if self.style == "llama" or message.get("tool_calls"):
            return {"role": "assistant", "content": None}
        return {"role": "assistant", "content": "", "refusal": None}

    def _deltas(self, message: dict[str, Any], step: Step) -> list[dict[str, Any]]:
        said = [{"content": piece} for piece in step.pieces] if message["content"] else []
        calls = [
            {"tool_calls": [part]}
            for n, call in enumerate(message.get("tool_calls", ()))
            for part in self._call_parts(n, call)
        ]
        return [*said, *calls]

    def _call_parts(self, index: int, call: dict[str, Any]) -> list[dict[str, Any]]:
        """OpenAI and llama.cpp stream the arguments, Ollama gives each call at once."""
        if self.style == "ollama":
            return [{"index": index, **call}]
        function = call["function"]
        first = {"index": index, **call, "function": function | {"arguments": ""}}
        parts = _in_parts(function["arguments"])
        return [first, *({"index": index, "function": {"arguments": part}} for part in parts)]

    def _timings(self) -> dict[str, Any]:
        return {"timings": {"prompt_ms": 1.0, "predicted_ms": 1.0}} if self.style == "llama" else {}


def _event(value: Any) -> bytes:
    return b"data: %b\n\n" % json.dumps(value, separators=(",", ":")).encode()


def _in_parts(arguments: str, size: int = 12) -> list[str]:
    return [arguments[at : at + size] for at in range(0, len(arguments), size)]


def _message(step: Step, number: int) -> dict[str, Any]:
    if step.fail in ("empty", "refusal"):
        return {"role": "assistant", "content": ""}
    message: dict[str, Any] = {"role": "assistant", "content": step.say or None}
    if step.tools:
        message["tool_calls"] = [
            {
                "id": f"call_{number:018}{n:06}",
                "type": "function",
                "function": {"name": name, "arguments": json.dumps(arguments)},
            }
            for n, (name, arguments) in enumerate(step.tools)
        ]
    return message


def _reason(step: Step) -> str:
    if step.fail == "refusal":
        return "content_filter"
    return "tool_calls" if step.tools and not step.fail else "stop"


def _usage(tokens_in: int, tokens_out: int) -> dict[str, Any]:
    return {
        "prompt_tokens": tokens_in,
        "completion_tokens": tokens_out,
        "total_tokens": tokens_in + tokens_out,
        "prompt_tokens_details": {"cached_tokens": 0},
    }


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        value: dict[str, Any] = json.loads(body)
    except ValueError:
        raise bad("We could not parse the JSON body of your request.") from None
    return value


def _heard(messages: list[dict[str, Any]]) -> tuple[str, int]:
    answered = 0
    for message in reversed(messages):
        if message["role"] == "assistant":
            answered += 1
        elif message["role"] == "user":
            return texts(message["content"]), answered
    return "", answered
