"""The sockets' own part of a call: what is sent to a far end that is going."""

from __future__ import annotations

from typing import Any

import pytest

from voice.sockets import close, send_message


class Gone:
    """As uvicorn's `send` once the far end has begun to close."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    async def __call__(self, event: dict[str, Any]) -> None:
        self.asked.append(event)
        raise OSError


@pytest.mark.parametrize("message", ["text", b"audio"])
async def test_what_meets_a_closing_handshake_is_dropped(message: str | bytes) -> None:
    gone = Gone()
    await send_message(gone, message)
    kind = "text" if isinstance(message, str) else "bytes"
    assert gone.asked == [{"type": "websocket.send", kind: message}]


async def test_goodbye_to_a_far_end_that_is_gone_is_no_fault() -> None:
    gone = Gone()
    await close(gone, 4429, "too much")
    assert gone.asked == [{"type": "websocket.close", "code": 4429, "reason": "too much"}]
