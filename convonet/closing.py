"""Gives the other end of a WebSocket time to read why it was closed.

Autobahn waits one second for the answer to a close, by timers that go off up to a second early: a
busy server cut some connections while it said goodbye, and the code was lost with it.
"""

from __future__ import annotations

import sys
from typing import Any

CLOSING_SECONDS = 5


def be_patient() -> None:
    """For sockets served from now on; nothing under another server than Daphne."""
    server = sys.modules.get("daphne.server")
    if server is None:
        return
    factory: Any = server.WebSocketFactory

    def patient(*args: Any, **options: Any) -> Any:
        made = factory(*args, **options)
        made.setProtocolOptions(closeHandshakeTimeout=CLOSING_SECONDS)
        return made

    server.WebSocketFactory = patient  # type: ignore[attr-defined]
