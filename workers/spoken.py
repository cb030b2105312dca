"""One sentence on its way to a call: taken from Redis, its audio put there, the call told.

A task may be run twice, even at once. Each run has a token, and only the last one to begin may add
audio or tell of it, so that no two voices mix in one sentence.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

from voice import keys
from voice.audio import AudioFormat
from voice.events import SentenceAudio, encode
from voice.streams import FIELD
from workers.ports import Manner

# nil: interrupted. An empty list: the sentence is gone.
_BEGIN = """
if redis.call('EXISTS', KEYS[1]) == 1 then return false end
local found = redis.call('HMGET', KEYS[2], 'call', 'format', ARGV[1],
  'language:' .. ARGV[1], 'voice', 'why')
if not (found[1] and found[2] and found[3]) then return {} end
redis.call('HSET', KEYS[2], 'run:' .. ARGV[1], ARGV[2])
redis.call('DEL', KEYS[3])
return found
"""
_TELL = """
if redis.call('HGET', KEYS[2], 'run:' .. ARGV[1]) ~= ARGV[2] then return 0 end
if redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('DEL', KEYS[3])
  return 0
end
if #ARGV[3] > 0 then
  redis.call('APPEND', KEYS[3], ARGV[3])
  redis.call('EXPIRE', KEYS[3], ARGV[4])
end
redis.call('XADD', KEYS[4], 'MAXLEN', '~', ARGV[5], '*', ARGV[7], ARGV[8])
redis.call('EXPIRE', KEYS[4], ARGV[6])
return 1
"""


class Gone(Exception):
    """The sentence's text is no longer there."""


@dataclass(slots=True)
class Sentence:
    """One run's hold on a sentence."""

    redis: Any
    turn_id: str
    seq: int
    call_id: str
    format: AudioFormat
    text: str
    manner: Manner
    why: str = ""
    """Who chose the voice, as in `voice.models.ProviderUse.Why`; empty when nobody did."""
    size_bytes: int = 0
    _run: str = field(default_factory=lambda: uuid.uuid4().hex)

    @classmethod
    def take(cls, redis: Any, turn_id: str, seq: int) -> Sentence | None:
        """From now on ours alone; None when the caller interrupted. Raises Gone, ValueError."""
        run = uuid.uuid4().hex
        names = [keys.cancelled(turn_id), keys.reply_text(turn_id), keys.reply_audio(turn_id, seq)]
        found = redis.eval(_BEGIN, 3, *names, seq, run)
        if found is None:
            return None
        if not found:
            raise Gone
        call_id, made_as, text, language, voice, why = ((part or b"").decode() for part in found)
        manner = Manner(language, voice)
        audio_format = AudioFormat.parse(made_as)
        return cls(redis, turn_id, seq, call_id, audio_format, text, manner, why, _run=run)

    def add(self, chunk: bytes) -> bool:
        """Append audio and tell the call; False when the sentence is no longer to be said by us."""
        self.size_bytes += len(chunk)
        return self._tell(chunk, SentenceAudio(self.turn_id, self.seq, self.size_bytes, False))

    def end(self, error: str = "") -> None:
        """`error`: the code of why it could not be said, or not to its end."""
        size, failed = self.size_bytes, bool(error)
        self._tell(b"", SentenceAudio(self.turn_id, self.seq, size, True, failed, error))

    def _tell(self, chunk: bytes, event: SentenceAudio) -> bool:
        turn_id = self.turn_id
        names = [
            keys.cancelled(turn_id),
            keys.reply_text(turn_id),
            keys.reply_audio(turn_id, self.seq),
            keys.call_stream(self.call_id),
        ]
        bounds = [keys.AUDIO_SECONDS, keys.STREAM_LENGTH, keys.STREAM_SECONDS, FIELD]
        values = [self.seq, self._run, chunk, *bounds, encode(event)]
        return bool(self.redis.eval(_TELL, len(names), *names, *values))
