"""Many streams in one blocking read, without packing each of their names for each read.

A web process with a hundred calls reads some two hundred streams, and asks anew for all of them
whenever one has news. Protocol: https://redis.io/docs/latest/develop/reference/protocol-spec/
"""

from __future__ import annotations

import asyncio
from typing import Any

Entries = list[tuple[bytes, dict[bytes, bytes]]]


def bulk(word: str) -> bytes:
    """A word of a command as it goes over the wire."""
    data = word.encode()
    return b"$%d\r\n%b\r\n" % (len(data), data)


class StreamReading:
    """The streams that are read, and after which entry of each."""

    def __init__(self, *, count: int, block_ms: int) -> None:
        words = ("XREAD", "COUNT", str(count), "BLOCK", str(block_ms), "STREAMS")
        self._words = len(words)
        self._begin = b"".join(map(bulk, words))
        self._names: dict[str, bytes] = {}
        self._after: dict[str, bytes] = {}
        self._positions: dict[str, str] = {}

    def __contains__(self, stream: object) -> bool:
        return stream in self._positions

    def position(self, stream: str) -> str:
        return self._positions[stream]

    def positions(self) -> dict[str, str]:
        return dict(self._positions)

    def read_after(self, stream: str, entry_id: str) -> None:
        """From the entry after this one on, of this stream as well."""
        if stream not in self._names:
            self._names[stream] = bulk(stream)
        self._positions[stream], self._after[stream] = entry_id, bulk(entry_id)

    def forget(self, stream: str) -> None:
        for known in (self._names, self._after, self._positions):
            known.pop(stream, None)

    def command(self) -> bytes:
        words = b"*%d\r\n" % (self._words + 2 * len(self._names))
        # Both know the streams in the order in which they came.
        return b"".join((words, self._begin, *self._names.values(), *self._after.values()))

    async def news(self, redis: Any) -> list[tuple[bytes, Entries]]:
        """What is new, by stream, or nothing after a while; raises RedisError or OSError."""
        pool = redis.connection_pool
        connection = await pool.get_connection()
        try:
            await connection.send_packed_command([self.command()])
            answer = await redis.parse_response(connection, "XREAD")
        except BaseException:
            # What is still to come over it answers nobody.
            await asyncio.shield(connection.disconnect(nowait=True))
            raise
        finally:
            await asyncio.shield(pool.release(connection))
        if isinstance(answer, dict):
            # Of a client that was told to speak version 3 of the protocol.
            return [(name, lists[0]) for name, lists in answer.items()]
        return [(name, entries) for name, entries in answer or ()]
