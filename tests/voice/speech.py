"""What a caller says, for tests that need its length and no words."""

from __future__ import annotations

from voice.audio import BROWSER


class Speech:
    """An utterance that grows."""

    def __init__(self) -> None:
        self.audio = b""

    def grow(self, seconds: float) -> None:
        self.audio += b"\1" * BROWSER.bytes_of(round(seconds * 1000))

    @property
    def said_bytes(self) -> int:
        return len(self.audio)

    def said(self, start: int, most: int) -> bytes:
        return self.audio[start : start + most]
