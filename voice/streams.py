"""Events from workers to calls and pages: one Redis stream each, bounded and with a lifetime.

A stream and not a channel layer, because a reader that comes back after a restart goes on where
it was, a slow one loses nothing silently, and one blocking read serves every call of a process.
"""

from __future__ import annotations

from typing import Any

from voice import keys
from voice.events import Event, encode

FIELD = b"e"


def publish(redis: Any, stream: str, *events: Event, seconds: int = keys.STREAM_SECONDS) -> None:
    """Append events to a stream in one round trip (synchronous client; for workers and views).

    The stream lives for `seconds` after its last event.
    """
    pipe = redis.pipeline(transaction=False)
    for event in events:
        pipe.xadd(stream, {FIELD: encode(event)}, maxlen=keys.STREAM_LENGTH, approximate=True)
    pipe.expire(stream, seconds)
    pipe.execute()
