"""Errors of every SDK and transport come to the few codes that callers' sentences are made of."""

from __future__ import annotations

import json

import httpx
import httpx2
import pytest
from langchain_core import exceptions as langchain

from workers.language.failures import code_of, retry_after
from workers.outcome import apology

REQUEST = httpx.Request("POST", "http://provider")


class StatusError(Exception):
    """As the SDKs make them: a status and what the body said."""

    def __init__(self, status: int, body: object = None, text: str = "") -> None:
        super().__init__(text)
        self.status_code = status
        self.body = body
        self.response = httpx.Response(status, headers={"retry-after": "7"})


class APIResponseValidationError(StatusError):
    """Named as in two of the SDKs."""


def invalid_json() -> Exception:
    try:
        json.loads("{")
    except ValueError as error:
        return error
    raise AssertionError


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (langchain.ModelAuthenticationError(), "model_auth"),
        (langchain.ModelPermissionDeniedError(), "model_auth"),
        (langchain.ModelRateLimitError(), "model_rate"),
        (langchain.ModelAPIError(), "model_server"),
        (langchain.ModelTimeoutError(), "model_timeout"),
        (langchain.ModelConnectionError(), "model_unreached"),
        (langchain.ModelInvalidRequestError(), "model_refused"),
        (langchain.ModelNotFoundError(), "model_missing"),
        (langchain.ContextOverflowError(), "model_refused"),
        (langchain.ModelInvalidRequestError("400 reason: API_KEY_INVALID"), "model_auth"),
        (StatusError(401), "model_auth"),
        (StatusError(402), "model_auth"),
        (StatusError(403), "model_auth"),
        (StatusError(404), "model_missing"),
        (StatusError(408), "model_timeout"),
        (StatusError(413), "model_refused"),
        (StatusError(429), "model_rate"),
        (StatusError(500), "model_server"),
        (StatusError(529), "model_server"),
        (StatusError(200, {"error": {"type": "overloaded_error"}}), "model_server"),
        (StatusError(200, {"error": {"type": "rate_limit_error"}}), "model_rate"),
        (StatusError(200, {"type": "authentication_error"}), "model_auth"),
        (StatusError(200, {"code": "insufficient_quota"}), "model_rate"),
        (APIResponseValidationError(200), "model_garbage"),
        (httpx.ReadTimeout("slow", request=REQUEST), "model_timeout"),
        (httpx.ConnectTimeout("slow", request=REQUEST), "model_unreached"),
        (httpx.ConnectError("refused", request=REQUEST), "model_unreached"),
        (httpx2.ReadTimeout("slow"), "model_timeout"),
        (httpx2.RemoteProtocolError("closed"), "model_unreached"),
        (httpx2.DecodingError("not gzip"), "model_garbage"),
        (TimeoutError(), "model_timeout"),
        (ConnectionRefusedError(), "model_unreached"),
        (invalid_json(), "model_garbage"),
        (KeyError("choices"), "model_garbage"),
        (TypeError("null value for choices"), "model_garbage"),
        (RuntimeError(), "model"),
        (caused(langchain.ModelTimeoutError(), httpx2.ConnectTimeout("no")), "model_unreached"),
        (caused(RuntimeError(), httpx2.ReadTimeout("slow")), "model_timeout"),
    ],
)
def test_each_error_has_its_code(error: Exception, code: str) -> None:
    assert code_of(error) == code


@pytest.mark.parametrize(
    "error", [httpx.ReadError("reset", request=REQUEST), httpx2.RemoteProtocolError("closed")]
)
def test_a_connection_lost_in_an_answer_leaves_half_of_it(error: Exception) -> None:
    assert code_of(error) == "model_unreached"
    assert code_of(error, begun=True) == "model_half"


def test_a_timeout_in_an_answer_stays_a_timeout() -> None:
    assert code_of(httpx.ReadTimeout("slow", request=REQUEST), begun=True) == "model_timeout"


def test_an_error_that_was_caused_by_itself_ends() -> None:
    error = RuntimeError()
    error.__cause__ = error
    assert code_of(error) == "model"


def test_the_wait_a_provider_asks_for_is_read() -> None:
    assert retry_after(StatusError(429)) == 7.0
    assert retry_after(RuntimeError()) == 0.0


def test_a_date_to_wait_for_is_no_number_of_seconds() -> None:
    error = StatusError(429)
    error.response = httpx.Response(429, headers={"retry-after": "Sun, 22 Nov 2026 07:00:00 GMT"})
    assert retry_after(error) == 0.0


def test_every_code_has_a_sentence_of_its_own() -> None:
    codes = ["auth", "rate", "server", "timeout", "unreached", "half", "garbage", "refused"]
    said = {apology(f"model_{code}", []) for code in codes} | {apology("model", [])}
    assert len(said) == len(codes) + 1
    assert all("language service" in sentence for sentence in said)
