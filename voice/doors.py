"""Who may open a socket: origin, session and ticket, checked before any work is done."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

from django.conf import settings
from django.http.request import validate_host

from voice import records, tickets
from voice.errors import Refused

NOT_HERE = "This page may not open calls here."


def check_origin(scope: dict[str, Any]) -> bool:
    """False when there is none (a program, no page); raises `Refused(4403)` for a foreign one."""
    origin = _header(scope, b"origin")
    if not origin:
        return False
    parts = urlsplit(origin)
    trusted = origin in settings.CSRF_TRUSTED_ORIGINS
    if not trusted and not (parts.hostname and validate_host(_host(parts), settings.ALLOWED_HOSTS)):
        raise Refused(4403, NOT_HERE)
    return True


async def caller(scope: dict[str, Any], redis: Any) -> Any:
    """The user a call socket belongs to; raises `Refused`."""
    from_page = check_origin(scope)
    user_id = await tickets.redeem(redis, _query(scope).get("ticket", ""))
    if from_page and getattr(scope["user"], "pk", None) != user_id:
        raise Refused(4403, NOT_HERE)
    user = await records.active_user(user_id)
    if user is None:
        raise Refused(4403, "This account is not active.")
    return user


def page_user(scope: dict[str, Any]) -> Any:
    """The user of a page socket; raises `Refused`."""
    check_origin(scope)
    user = scope["user"]
    if not user.is_authenticated:
        raise Refused(4401, "Please log in again.")
    return user


def is_page(scope: dict[str, Any]) -> bool:
    return bool(_header(scope, b"origin"))


def _header(scope: dict[str, Any], name: bytes) -> str:
    for key, value in scope["headers"]:
        if key == name:
            return str(value, "latin-1")
    return ""


def _host(parts: Any) -> str:
    host = parts.hostname
    return f"[{host}]" if ":" in host else str(host)


def _query(scope: dict[str, Any]) -> dict[str, str]:
    return dict(parse_qsl(str(scope["query_string"], "latin-1")))
