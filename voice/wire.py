"""A caller's wire format, as the call machine sees it: the browser's, or a telephone's.

One object per call, which may remember what its protocol needs; no I/O.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from voice.audio import AudioFormat
from voice.controls import Control


class Wire(Protocol):
    @property
    def format(self) -> AudioFormat:
        """Of the audio in both directions."""

    def hear(self, message: str | bytes) -> bytes | None:
        """The audio of a message in the common wording; None: it is for `decode`.

        Asked first, once for each message. Raises as `decode` does.
        """

    def decode(self, message: str | bytes) -> Control | None:
        """One message; None for what may be ignored. Raises `Refused` for what ends the call."""

    def message(self, message: dict[str, Any]) -> str | bytes | None:
        """A message of docs/protocol.md; None: this far end has no use for it."""

    def audio(self, turn_id: str, number: int, at_ms: int, audio: bytes) -> Sequence[str | bytes]:
        """Reply audio of a turn (`number` goes up with each reply) that begins `at_ms` into it."""
