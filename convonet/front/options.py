"""What both servers are told, in the same units."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

# For what goes on when the server ends: the supervisor's patience with it, and a little less.
END_SECONDS = 7
Application = Callable[[Any, Any, Any], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    host: str = "127.0.0.1"
    port: int = 8000
    descriptor: int | None = None
    """A socket that somebody else listens on, instead of host and port."""
    message_bytes: int = 65_536
    """Of a WebSocket's message or frame: Twilio's and the page's are below 16 KiB."""
    ping_seconds: int = 20
    """How long a WebSocket may say nothing before it is asked, and how long it may take then."""
    backlog: int = 128


@dataclass(frozen=True, slots=True)
class Served:
    """An ASGI application, and what to do once its event loop runs."""

    application: Application
    begin: Callable[[], None] = lambda: None


def product() -> Served:
    """Loaded when it is asked for: what it loads takes the event loop that it finds."""
    from convonet import asgi

    return Served(asgi.application, asgi.begin)
