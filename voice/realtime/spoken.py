"""The caller's audio as the model has it: kept while it may be needed, cut by the model's clock.

Pure. Bounds: `quiet_ms` while nobody speaks, one utterance (`most_ms`) while somebody does, and
`SLACK_MS` more.
"""

from __future__ import annotations

from voice.audio import AudioFormat

# Not with each message: moving the rest costs more than it frees.
SLACK_MS = 500


class Spoken:
    def __init__(self, audio_format: AudioFormat, *, quiet_ms: int, most_ms: int) -> None:
        self._format = audio_format
        self._most_bytes = audio_format.bytes_of(most_ms)
        self._quiet_bytes = audio_format.bytes_of(quiet_ms)
        self._slack_bytes = audio_format.bytes_of(SLACK_MS)
        self.reset()

    def reset(self) -> None:
        """A new socket: the model counts from nothing."""
        self._buffer = bytearray()
        self._dropped = 0
        self._from: int | None = None

    def forget(self) -> None:
        """What was said so far is not to be kept; the model counts on."""
        self._drop(len(self._buffer))
        self._from = None

    def add(self, audio: bytes) -> None:
        """What has been sent just now."""
        self._buffer += audio
        most = self._quiet_bytes if self._from is None else self._most_bytes
        if len(self._buffer) > most + self._slack_bytes:
            self._drop(len(self._buffer) - most)

    def started(self, start_ms: int) -> None:
        self._from = self._format.bytes_of(start_ms)

    def cut(self, end_ms: int | None = None) -> bytes:
        """What was said since `started`; the quiet begins again."""
        start = max(0, (self._from or self._dropped) - self._dropped)
        end = len(self._buffer)
        if end_ms is not None:
            end = max(start, self._format.bytes_of(end_ms) - self._dropped)
        audio = bytes(self._buffer[start : min(end, start + self._most_bytes)])
        self._from = None
        return audio

    def _drop(self, size: int) -> None:
        del self._buffer[:size]
        self._dropped += size
