"""Whether a request was really made by Twilio: its signature, over the address it knows us by.

Source: https://www.twilio.com/docs/usage/security#validating-requests
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, QueryDict
from twilio.request_validator import RequestValidator

HEADER = "X-Twilio-Signature"
FORM = "application/x-www-form-urlencoded"


def public_url(path: str, *, scheme: str = "") -> str:
    """`path` (with its query) as the world reaches it; `scheme` other than PUBLIC_URL's: `ws`."""
    whole = settings.PUBLIC_URL.rstrip("/") + path
    return whole.replace("http", scheme, 1) if scheme else whole


def is_from_twilio(request: HttpRequest) -> bool:
    """By PUBLIC_URL and what was asked for, never by what a proxy or a caller says of the host."""
    if request.content_type != FORM:
        return False
    query = request.META.get("QUERY_STRING", "")
    return is_signed(request.path, query, request.POST, request.headers.get(HEADER, ""))


def is_stream_from_twilio(scope: dict[str, Any]) -> bool:
    """Twilio signs the handshake of a stream too, over the `<Stream>`'s URL."""
    header = dict(scope["headers"]).get(HEADER.lower().encode(), b"")
    signature = header.decode("ascii", "replace")
    if not signature or not settings.TWILIO_AUTH_TOKEN:
        return False
    url = public_url(scope["path"], scheme="ws")
    return bool(RequestValidator(settings.TWILIO_AUTH_TOKEN).validate(url, {}, signature))


def is_signed(path: str, query: str, form: QueryDict, signature: str) -> bool:
    if not signature or not settings.TWILIO_AUTH_TOKEN:
        return False
    url = public_url(f"{path}?{query}" if query else path)
    return bool(RequestValidator(settings.TWILIO_AUTH_TOKEN).validate(url, form, signature))
