"""What both servers are told, in the same units."""

from __future__ import annotations

from dataclasses import dataclass


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
