"""What waits to be sent to the model: requests in order, then the caller's audio of late.

Pure. Bounds: `AUDIO_MS` of audio, the oldest dropped and counted; `REQUESTS` requests.
"""

from __future__ import annotations

from collections import deque

from convonet import counters
from voice.audio import AudioFormat

AUDIO_MS = 2000
# While the model does not listen, so much is kept: the voice gate misses soft first consonants.
LEAD_IN_MS = 400
# Audio in one message at most: at real time each message of the caller is one.
MESSAGE_MS = 500
# The talk so far is a few dozen items; beyond that the model does not read.
REQUESTS = 500


class Outgoing:
    def __init__(self, audio_format: AudioFormat) -> None:
        self._format = audio_format
        self._requests: deque[str] = deque()
        self._audio = bytearray()
        self._message_bytes = audio_format.bytes_of(MESSAGE_MS)
        self._dropping = False
        self.listening = False
        """The model hears the caller."""
        self.dropped_bytes = 0

    @property
    def full(self) -> bool:
        return len(self._requests) >= REQUESTS

    @property
    def waiting_bytes(self) -> int:
        return len(self._audio)

    def request(self, text: str) -> None:
        self._requests.append(text)

    def hear(self, audio: bytes) -> bool:
        """True for the first audio that is dropped since all was sent."""
        self._audio += audio
        over = len(self._audio) - self._format.bytes_of(AUDIO_MS if self.listening else LEAD_IN_MS)
        if over <= 0:
            return False
        # Whole samples.
        over += over % 2
        del self._audio[:over]
        if not self.listening:
            return False
        self.dropped_bytes += over
        first, self._dropping = not self._dropping, True
        if first:
            counters.add("model_audio_dropped")
        return first

    def listen(self, listening: bool) -> None:
        """When it ends, what waits is forgotten: it is not for the model."""
        self.listening = listening
        if not listening:
            self._audio.clear()

    def reset(self) -> None:
        self._requests.clear()
        self.listen(False)

    def next(self) -> str | bytes | None:
        """A request as it goes out, or audio; None when there is nothing to send."""
        if self._requests:
            return self._requests.popleft()
        if not (self.listening and self._audio):
            self._dropping = self._dropping and not self.listening
            return None
        audio = bytes(self._audio[: self._message_bytes])
        del self._audio[: self._message_bytes]
        if not self._audio:
            self._dropping = False
        return audio
