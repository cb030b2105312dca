"""The sockets' own part of a call: what is sent to a far end that is going."""

from __future__ import annotations

from typing import Any

import pytest
from autobahn.exception import Disconnected

from voice.sockets import send_message


@pytest.mark.parametrize("message", ["text", b"audio"])
async def test_what_meets_a_closing_handshake_is_dropped(message: str | bytes) -> None:
    asked: list[dict[str, Any]] = []

    async def send(event: dict[str, Any]) -> None:
        asked.append(event)
        raise Disconnected("Attempt to send on a closed protocol")

    await send_message(send, message)
    kind = "text" if isinstance(message, str) else "bytes"
    assert asked == [{"type": "websocket.send", kind: message}]
