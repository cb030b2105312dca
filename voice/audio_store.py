"""Callers' utterances and reply audio in Redis: written once, read by range, always with an end.

Every call has a deadline; a Redis that does not answer is `BrokerLost`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from redis.exceptions import RedisError

from voice import keys, sealing
from voice.audio import AudioFormat
from voice.errors import BrokerLost
from voice.events import Event, encode
from voice.streams import FIELD

# Loopback answers in under a millisecond; a restarting broker is back within this.
DEADLINE_SECONDS = 3.0
# At most these many sentences' keys are deleted with a reply; its own lifetime ends the rest.
_SENTENCES = 40
# Written twice, it is there once: an answer may be lost on its way. 0: what came before is gone.
_APPEND = """
local at, size = tonumber(ARGV[1]), redis.call('STRLEN', KEYS[1])
if at == 0 then
  redis.call('SET', KEYS[1], ARGV[2])
elseif size == at then
  redis.call('APPEND', KEYS[1], ARGV[2])
elseif size < at + #ARGV[2] then
  return 0
end
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
"""


@asynccontextmanager
async def answering() -> AsyncIterator[None]:
    """Within: Redis answers in time, or the caller of this gets `BrokerLost`."""
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            yield
    except (RedisError, OSError, TimeoutError) as error:
        raise BrokerLost(type(error).__name__) from error


class AudioStore:
    def __init__(self, redis: Any) -> None:
        self._redis = redis

    async def put_utterance(self, utterance_id: str, audio: bytes, fmt: AudioFormat) -> None:
        await self._put(utterance_id, {"format": str(fmt), "audio": audio}, keys.AUDIO_SECONDS)

    async def put_aside(self, utterance_id: str, audio: bytes, fmt: AudioFormat) -> None:
        """Its words go to the call's stream of asides; both are sealed."""
        hidden = sealing.sealed(audio, utterance_id)
        fields = {"format": str(fmt), "audio": hidden, "aside": 1}
        await self._put(utterance_id, fields, keys.ASIDE_SECONDS)

    async def _put(self, utterance_id: str, fields: dict[str, Any], seconds: int) -> None:
        key = keys.utterance(utterance_id)
        async with answering():
            pipe = self._redis.pipeline(transaction=False)
            pipe.hset(key, mapping=fields)
            pipe.expire(key, seconds)
            await pipe.execute()

    async def read_reply(self, turn_id: str, seq: int, start: int, end: int) -> bytes:
        async with answering():
            data = await self._redis.getrange(keys.reply_audio(turn_id, seq), start, end - 1)
            return bytes(data)

    async def append_reply(self, turn_id: str, seq: int, offset: int, audio: bytes) -> bool:
        """Add to a reply's sentence at its end, `offset`; False: the part before is lost."""
        key = keys.reply_audio(turn_id, seq)
        async with answering():
            return bool(await self._redis.eval(_APPEND, 1, key, offset, audio, keys.AUDIO_SECONDS))

    async def put_tool_request(
        self, turn_id: str, call_id: str, ordinal: int, name: str, arguments: str
    ) -> None:
        """What a model on the line wishes, for the worker that is asked to do it."""
        key = keys.tool_request(turn_id, call_id)
        async with answering():
            pipe = self._redis.pipeline(transaction=False)
            fields = {"ordinal": ordinal, "name": name, "arguments": arguments}
            pipe.hset(key, mapping=fields)
            pipe.expire(key, keys.AUDIO_SECONDS)
            await pipe.execute()

    async def tell_call(self, call_id: str, *told: Event) -> None:
        """What a worker would have told the call, had it answered."""
        stream = keys.call_stream(call_id)
        async with answering():
            pipe = self._redis.pipeline(transaction=False)
            for event in told:
                pipe.xadd(stream, {FIELD: encode(event)}, maxlen=keys.STREAM_LENGTH)
            pipe.expire(stream, keys.STREAM_SECONDS)
            await pipe.execute()

    async def put_sentence(self, turn_id: str, call_id: str, fmt: AudioFormat, text: str) -> None:
        """The only sentence of an announcement."""
        key = keys.reply_text(turn_id)
        async with answering():
            pipe = self._redis.pipeline(transaction=False)
            pipe.hset(key, mapping={"call": call_id, "format": str(fmt), "0": text})
            pipe.expire(key, keys.AUDIO_SECONDS)
            await pipe.execute()

    async def cancel(self, turn_id: str) -> None:
        async with answering():
            await self._redis.set(keys.cancelled(turn_id), 1, ex=keys.AUDIO_SECONDS)

    async def drop_reply(self, turn_id: str, sentences: int) -> None:
        names = [keys.reply_audio(turn_id, seq) for seq in range(min(sentences, _SENTENCES))]
        async with answering():
            await self._redis.delete(keys.reply_text(turn_id), *names)

    async def alive(self, role: str) -> bool:
        async with answering():
            return bool(await self._redis.exists(keys.heartbeat(role)))
