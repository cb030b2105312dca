"""What every adapter reads from the environment, and the bounds all their clients share."""

from __future__ import annotations

import json
import os
import ssl
from collections.abc import Sequence
from functools import cache
from typing import Any

import httpx2
from django.conf import settings

# A host that does not take a connection by then is not worth the caller's time.
CONNECT_SECONDS = 3.0
# Callers pause between turns: a connection kept open saves the next answer a TLS handshake.
KEEP_ALIVE_SECONDS = 120.0
# Of each client: a burst of turns opens more, and they end with their answers.
KEPT_CONNECTIONS = 4
# Two spoken sentences and several tool calls are far below; a model that runs away is cut here.
MOST_TOKENS = 2048


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def base(name: str) -> str | None:
    """An address without its last slash; None leaves the SDK's own."""
    return text(name).rstrip("/") or None


@cache
def trusted() -> ssl.SSLContext:
    """Whose certificates are believed: 0.7 MB, read once, by the parent when it rehearses."""
    return httpx2.create_ssl_context()


def seconds() -> float:
    """How long one answer may take."""
    return float(settings.MODEL_DEADLINE_SECONDS)


def events(pieces: Sequence[dict[str, Any]]) -> str:
    """Server-sent events as providers write them, for a model that is asked without a network."""
    return "".join(
        f"event: {piece['type']}\ndata: {json.dumps(piece)}\n\n"
        if "type" in piece
        else f"data: {json.dumps(piece)}\n\n"
        for piece in pieces
    )
