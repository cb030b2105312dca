"""A short spoken sample of a voice: ordered from a speech worker, kept for everybody for a while.

Kept by voice and not by person, so that listening again costs nothing at a provider that is paid
for each character.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from voice import keys

# A worker that has not spoken by then has lost it: the next request orders it again.
ORDER_SECONDS = 20
# How long it is remembered that an engine did not speak, for whoever waits for it.
FAILED_SECONDS = 10
# Not yet heard samples that one person may order within a minute.
MOST_A_MINUTE = 10
# Nothing that could be taken for a command, should an open microphone hear it.
SENTENCES = {
    "": "Hello. This is how I sound when I answer you.",
    "de": "Hallo. So klinge ich, wenn ich antworte.",
    "es": "Hola. Así sueno cuando respondo.",
    "fr": "Bonjour. Voici ma voix quand je réponds.",
    "it": "Ciao. Ecco la mia voce quando rispondo.",
    "nl": "Hallo. Zo klink ik als ik antwoord geef.",
    "ja": "こんにちは。このような声でお答えします。",
}
ORDERED, FAILED = b"ordered", b"failed"


class Order(Protocol):
    def __call__(self, voice: str) -> None:
        """Queue the making of this voice's sample."""


class TooMany(Exception):
    """The person has listened to enough for this minute."""


class NotMade(Exception):
    """The engine did not speak; asking again tries again."""


@dataclass(frozen=True, slots=True)
class Samples:
    redis: Any
    order: Order

    def get(self, voice: str, user_id: int) -> bytes | None:
        """The voice's WAV; None while it is being made, which the first request for it begins.

        Raises TooMany, NotMade, redis.RedisError and whatever `order` raises.
        """
        key = keys.voice_sample(voice)
        wav, state = self.redis.hmget(key, "wav", "state")
        if wav:
            return bytes(wav)
        if state == FAILED:
            self.redis.delete(key)
            raise NotMade
        if state != ORDERED:
            self._order(voice, user_id)
        return None

    def _order(self, voice: str, user_id: int) -> None:
        if self._ordered_by(user_id) > MOST_A_MINUTE:
            raise TooMany
        key = keys.voice_sample(voice)
        pipe = self.redis.pipeline()
        pipe.hsetnx(key, "state", ORDERED)
        pipe.expire(key, ORDER_SECONDS)
        # Of two requests at once only one orders.
        if not pipe.execute()[0]:
            return
        try:
            self.order(voice)
        except Exception:
            self.redis.delete(key)
            raise

    def _ordered_by(self, user_id: int) -> int:
        key = keys.samples_of(user_id)
        pipe = self.redis.pipeline()
        pipe.set(key, 0, ex=60, nx=True)
        pipe.incr(key)
        return int(pipe.execute()[1])


def sentence(language: str) -> str:
    """What a voice of this language (ISO 639-1, or empty) says."""
    return SENTENCES.get(language, SENTENCES[""])
