"""What went wrong with a language model, as one of a few codes.

Classes are told by LangChain's own errors, by HTTP status and by name, so that no SDK is imported
to recognise the errors of one that was never loaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from langchain_core import exceptions as langchain

AUTH = "model_auth"
RATE = "model_rate"
SERVER = "model_server"
TIMEOUT = "model_timeout"
UNREACHED = "model_unreached"
HALF = "model_half"
GARBAGE = "model_garbage"
REFUSED = "model_refused"
MISSING = "model_missing"
UNKNOWN = "model"

# Another try of the same provider may well succeed.
TRANSIENT = frozenset({RATE, SERVER, UNREACHED, HALF, GARBAGE})
# What the next question would meet again, and wait for or be refused by.
LASTING = frozenset({AUTH, RATE, TIMEOUT, UNREACHED, MISSING})
# About one question and not about the provider.
ABOUT_QUESTION = frozenset({REFUSED})

_LANGCHAIN: tuple[tuple[type[BaseException], str], ...] = (
    (langchain.ModelAuthenticationError, AUTH),
    (langchain.ModelPermissionDeniedError, AUTH),
    (langchain.ModelRateLimitError, RATE),
    (langchain.ModelTimeoutError, TIMEOUT),
    (langchain.ModelConnectionError, UNREACHED),
    (langchain.ModelAPIError, SERVER),
    (langchain.ModelInvalidRequestError, REFUSED),
    (langchain.ModelNotFoundError, MISSING),
    (langchain.ContextOverflowError, REFUSED),
)
_STATUS = {401: AUTH, 402: AUTH, 403: AUTH, 404: MISSING, 408: TIMEOUT, 429: RATE}
# Said in the middle of a stream, whose HTTP status was 200.
_SAID = {
    "authentication_error": AUTH,
    "permission_error": AUTH,
    "invalid_api_key": AUTH,
    "rate_limit_error": RATE,
    "rate_limit_exceeded": RATE,
    "insufficient_quota": RATE,
    "timeout_error": TIMEOUT,
    "invalid_request_error": REFUSED,
}
_CONNECTING = frozenset({"ConnectError", "ConnectTimeout", "PoolTimeout"})
_NAMES = {
    "APITimeoutError": TIMEOUT,
    "TimeoutException": TIMEOUT,
    "APIResponseValidationError": GARBAGE,
    "DecodingError": GARBAGE,
    "TransportError": UNREACHED,
    "APIConnectionError": UNREACHED,
}
_BUILTIN: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], str], ...] = (
    (TimeoutError, TIMEOUT),
    (OSError, UNREACHED),
    # What an SDK stumbles over when the answer is not what it was written for.
    ((ValueError, LookupError, TypeError, AttributeError), GARBAGE),
)


class BadAnswer(Exception):
    """The answer came, but is not one: `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def code_of(error: BaseException, *, begun: bool = False) -> str:
    """`begun`: a part of the answer had come, so a lost connection left half of it."""
    if isinstance(error, BadAnswer):
        return error.code
    code = next((code for code in map(_code, _chain(error)) if code), UNKNOWN)
    return HALF if begun and code == UNREACHED else code


def retry_after(error: BaseException) -> float:
    """Seconds the provider asks to be left alone; 0 when it does not say."""
    for cause in _chain(error):
        headers: Any = getattr(getattr(cause, "response", None), "headers", None)
        with suppress(AttributeError, TypeError, ValueError):
            return max(0.0, float(headers.get("retry-after")))
    return 0.0


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what it was raised from, a connection that was never made first."""
    errors: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in errors:
        errors.append(cause)
        cause = cause.__cause__
    yield from (e for e in errors if type(e).__name__ in _CONNECTING)
    yield from errors


def _code(error: BaseException) -> str:
    if type(error).__name__ in _CONNECTING:
        return UNREACHED
    if "API_KEY_INVALID" in str(error):  # Google's word for it, under status 400
        return AUTH
    for kind, code in _LANGCHAIN:
        if isinstance(error, kind):
            return code
    return _status(error) or _said(error) or _named(error) or _builtin(error)


def _status(error: BaseException) -> str:
    status = getattr(error, "status_code", None) or getattr(error, "code", None)
    if not isinstance(status, int) or status < 400:
        return ""
    return _STATUS.get(status) or (SERVER if status >= 500 else REFUSED)


def _said(error: BaseException) -> str:
    """By the error object that a provider sent instead of the next piece."""
    body: Any = getattr(error, "body", None)
    said = body.get("error", body) if isinstance(body, dict) else None
    if not isinstance(said, dict):
        return ""
    kinds = (said.get("type"), said.get("code"))
    return next((_SAID[kind] for kind in kinds if kind in _SAID), SERVER)


def _named(error: BaseException) -> str:
    names = (kind.__name__ for kind in type(error).__mro__)
    return next((_NAMES[name] for name in names if name in _NAMES), "")


def _builtin(error: BaseException) -> str:
    return next((code for kind, code in _BUILTIN if isinstance(error, kind)), "")
