"""Playout: which bytes of a reply leave next, and how much of it the caller has heard.

Pure. The reply's audio lies in Redis, one key per sentence; `voice.call` pulls the ranges named
here. At most `ahead_ms` are out and not yet heard, whatever the length of the reply.
"""

from __future__ import annotations

from dataclasses import dataclass

from voice.audio import AudioFormat
from voice.options import PlayoutOptions

# Odd lengths make a client's milliseconds and ours differ by one per message at the most.
ROUNDING_MS = 40


@dataclass(slots=True)
class Sentence:
    seq: int
    text: str
    size_bytes: int = 0
    final: bool = False
    from_ms: int | None = None
    """Where it starts in the reply's audio; None until its first byte is due."""


@dataclass(frozen=True, slots=True)
class Fetch:
    """Bytes `start` to `end` (exclusive) of sentence `seq`, which begin `at_ms` into the reply.

    What follows them is there up to `until`, and may be read with them.
    """

    seq: int
    start: int
    end: int
    at_ms: int
    until: int = 0
    sentence: Sentence | None = None
    """Set when these are the sentence's first bytes."""
    filler: bytes = b""
    """Set instead of all these: audio that is no part of the reply."""


class ReplyPlayout:
    def __init__(self, audio_format: AudioFormat, options: PlayoutOptions) -> None:
        self._format = audio_format
        self._options = options
        self._message_bytes = audio_format.bytes_of(options.message_ms)
        self._read_bytes = audio_format.bytes_of(options.read_ms)
        self._sentences: dict[int, Sentence] = {}
        self._expected: int | None = None
        self._seq = 0
        self._offset = 0
        self._sent_bytes = 0
        self._filler = b""
        self.replying = False
        """Audio of the reply itself has left."""
        self.heard_ms = 0

    @property
    def sent_ms(self) -> int:
        return self._format.ms_of(self._sent_bytes)

    @property
    def sentences(self) -> int:
        return len(self._sentences)

    def sentence_ready(self, seq: int, text: str) -> None:
        self._sentences.setdefault(seq, Sentence(seq, text)).text = text

    def audio_ready(self, seq: int, size_bytes: int, *, final: bool) -> None:
        """A repeat after a lost worker may announce less than is known: keep the larger."""
        sentence = self._sentences.setdefault(seq, Sentence(seq, ""))
        sentence.size_bytes = max(sentence.size_bytes, size_bytes)
        sentence.final = sentence.final or final

    def finished(self, sentences: int | None = None) -> None:
        """The reply has that many sentences; by default those announced so far."""
        self._expected = len(self._sentences) if sentences is None else sentences

    def fill(self, audio: bytes) -> None:
        """Say this while there is no reply yet; too late, and it is dropped."""
        if not self.replying:
            self._filler = audio

    def stop_filling(self) -> None:
        """Nobody hears what was sent of the filler: the reply starts where the ear is."""
        self._filler = b""
        self._sent_bytes = self._format.bytes_of(self.heard_ms)

    def acknowledge(self, heard_ms: int) -> None:
        """The caller heard up to here; a claim to have heard the unsent is cut."""
        self.heard_ms = max(self.heard_ms, min(heard_ms, self.sent_ms))

    def next_fetch(self) -> Fetch | None:
        """The next message's bytes; None while nothing is ready or enough is on its way."""
        room_ms = self._options.ahead_ms - (self.sent_ms - self.heard_ms)
        if room_ms < self._options.message_ms:
            return None
        message_bytes = self._message_bytes
        if self._filler:
            return Fetch(-1, 0, 0, self.sent_ms, filler=self._filler[:message_bytes])
        self._skip_ended()
        sentence = self._sentences.get(self._seq)
        if sentence is None or self._offset >= sentence.size_bytes:
            return None
        end = min(sentence.size_bytes, self._offset + message_bytes)
        first = sentence.from_ms is None
        if first:
            sentence.from_ms = self.sent_ms
        until = min(sentence.size_bytes, self._offset + self._read_bytes)
        begins = sentence if first else None
        return Fetch(self._seq, self._offset, end, self.sent_ms, max(end, until), begins)

    def sent(self, fetch: Fetch) -> None:
        if fetch.filler:
            self._filler = self._filler[len(fetch.filler) :]
            self._sent_bytes += len(fetch.filler)
            return
        self.replying = True
        self._offset = fetch.end
        self._sent_bytes += fetch.end - fetch.start

    def lost(self, fetch: Fetch) -> None:
        """The sentence's audio is gone (its key expired): go on with the next."""
        sentence = self._sentences[fetch.seq]
        sentence.size_bytes, sentence.final = self._offset, True

    @property
    def all_sent(self) -> bool:
        self._skip_ended()
        return self._expected is not None and self._seq >= self._expected

    @property
    def all_heard(self) -> bool:
        # A client's clock and ours round differently: within one message counts as heard.
        return self.all_sent and self.heard_ms + self._options.message_ms >= self.sent_ms

    @property
    def waiting_to_be_heard(self) -> bool:
        return self.heard_ms + ROUNDING_MS < self.sent_ms

    def ms_of(self, size_bytes: int) -> int:
        return self._format.ms_of(size_bytes)

    def heard_ms_of(self, seq: int) -> int:
        """How much of this sentence was heard."""
        sentence = self._sentences.get(seq)
        if sentence is None or sentence.from_ms is None:
            return 0
        return max(0, min(self.heard_ms - sentence.from_ms, self.ms_of(sentence.size_bytes)))

    def heard_text(self) -> str:
        """The words heard so far: whole sentences, and of the current one its share in time."""
        heard = [
            self._heard_of(sentence)
            for _, sentence in sorted(self._sentences.items())
            if sentence.from_ms is not None and sentence.from_ms < self.heard_ms
        ]
        return " ".join(part for part in heard if part)

    def _heard_of(self, sentence: Sentence) -> str:
        length_ms = self._format.ms_of(sentence.size_bytes)
        heard_ms = self.heard_ms - (sentence.from_ms or 0)
        if sentence.final and heard_ms >= length_ms:
            return sentence.text
        words = sentence.text.split()
        return " ".join(words[: len(words) * heard_ms // max(length_ms, 1)])

    def _skip_ended(self) -> None:
        while (s := self._sentences.get(self._seq)) and s.final and self._offset >= s.size_bytes:
            self._seq += 1
            self._offset = 0
