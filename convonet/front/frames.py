"""Finds the frames of a WebSocket's client in what arrives, and reads the plain ones. Pure.

Nearly all are whole messages: text or binary, final, masked, below 64 KiB. Any other is handed on
as it is, whole, to the server's own parser, which so stands at a frame's beginning all the time.
Source: RFC 6455, section 5.2.
"""

from __future__ import annotations

from dataclasses import dataclass

try:
    from websockets.speedups import apply_mask
except ImportError:
    # A platform without a wheel in C.
    from websockets.utils import apply_mask

# Larger ones are the parser's, to be refused.
MOST_BYTES = 65_536
TEXT, BINARY = 0x81, 0x82
_MASKED, _LENGTH = 0x80, 0x7F
_TWO_BYTES, _EIGHT_BYTES = 126, 127


@dataclass(frozen=True, slots=True)
class Other:
    """One frame, or all there is, for the server's parser."""

    data: bytes


class Frames:
    """Of one connection, from the end of its handshake on: `feed` it, then ask until None."""

    def __init__(self) -> None:
        self._data: bytes | bytearray = b""
        self._at = 0
        self._gave_up = False
        self.plain = True
        """False while the parser is inside a message: it must have every frame then."""

    def feed(self, data: bytes) -> None:
        if self._at >= len(self._data):
            self._data, self._at = data, 0
            return
        if not isinstance(self._data, bytearray):
            self._data = bytearray(self._data)
        # In place: a frame that comes byte by byte is not copied for each.
        del self._data[: self._at]
        self._at = 0
        self._data += data

    def next(self) -> str | bytes | Other | None:
        """A message, a frame of another kind, or None: more is needed."""
        data, at = self._data, self._at
        size = len(data)
        if size - at < 2:
            return self._rest() if self._gave_up and at < size else None
        second = data[at + 1]
        length, start = second & _LENGTH, at + 2
        small = length < _TWO_BYTES
        if not small:
            start += 2 if length == _TWO_BYTES else 8
            if size < start:
                return None
            small = length == _TWO_BYTES
            length = int.from_bytes(data[at + 2 : start], "big")
            # Such a length has a shorter form, which the parser shall insist on.
            small = small and length >= _TWO_BYTES
        if length > MOST_BYTES or self._gave_up:
            return self._rest()
        body = start + 4 if second & _MASKED else start
        end = body + length
        if size < end:
            return None
        self._at = end
        if small and self.plain and second & _MASKED:
            message = _message(data, data[at], start, body, end)
            if message is not None:
                return message
        return Other(bytes(data[at:end]))

    def _rest(self) -> Other:
        """No frame for us, so that where the next one begins is not known either."""
        self._gave_up = True
        rest = bytes(self._data[self._at :])
        self._data, self._at = b"", 0
        return Other(rest)


def _message(
    data: bytes | bytearray, first: int, start: int, body: int, end: int
) -> str | bytes | None:
    if first == TEXT:
        payload = apply_mask(memoryview(data)[body:end], data[start:body])
        try:
            return payload.decode()
        except UnicodeDecodeError:
            return None
    if first == BINARY:
        return apply_mask(memoryview(data)[body:end], data[start:body])
    return None
