"""The spoken side of a turn: sentences into Redis and onto the speech queue, as each one ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from convonet.stopwatch import mark
from voice import keys
from voice.envelope import sealed
from voice.events import Event, ReplyDelta, SentenceReady
from workers.lease import Lease
from workers.sentences import SentenceSplitter

# Speech that nobody took within this time would answer a caller who is gone.
SPEAK_EXPIRES_SECONDS = 120


class Reply:
    """Publishes the agent's words and queues them for synthesis; at most `most_characters`.

    Every method raises LeaseLost once another worker has the turn.
    """

    def __init__(
        self,
        lease: Lease,
        turn_id: str,
        call_id: str,
        audio_format: str,
        most_characters: int,
        manner: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        """`manner`: the caller's `language`, the `voice` and `why` that one, as far as known.

        Asked for once, with the first sentence.
        """
        self._lease = lease
        self._turn_id = turn_id
        self._call_id = call_id
        self._format = audio_format
        self._left = most_characters
        self._manner = cache(manner)
        self._english = False
        self._splitter = SentenceSplitter()
        self._ended = False
        self.text = ""
        self.sentences = 0

    def prepare(self) -> None:
        """Learn in which manner to speak while the agent still thinks."""
        self._manner()

    def publish(self, *events: Event) -> None:
        self._lease.tell(*events)

    def add(self, words: str, *, english: bool = False) -> None:
        """Words beyond the bound are dropped: a voice reply of minutes helps nobody.

        Others than `english` ones are in the caller's language.
        """
        words = words[: self._left]
        if not words:
            return
        if self._ended and self.text and not self.text[-1].isspace() and not words[0].isspace():
            words = " " + words
        self._ended, self._english = False, english
        self._left -= len(words)
        self.text += words
        self._speak(self._splitter.push(words), ReplyDelta(self._turn_id, words))

    def drop_unspoken(self) -> None:
        """Forget the words that no sentence was made of yet: what follows says it anew."""
        dropped = self._splitter.drop()
        if not dropped.strip():
            return
        self.text = self.text[: len(self.text) - len(dropped)]
        self._left += len(dropped)
        self._ended = True
        self.publish(ReplyDelta(self._turn_id, self.text, restart=True))

    def end_message(self) -> None:
        self._ended = True
        self._speak(self._splitter.flush())

    def say(self, sentence: str) -> None:
        """A sentence of ours, outside the bound: the caller must hear it."""
        self._left = max(self._left, len(sentence) + 1)
        self.end_message()
        self.add(sentence, english=True)
        self.end_message()

    def resume(self, redis: Any, text: str) -> None:
        """Go on behind what an earlier run of the turn queued for synthesis."""
        self.text = text
        spoken = redis.hkeys(keys.reply_text(self._turn_id))
        self.sentences = sum(field.isdigit() for field in spoken)
        self._ended = True

    def _speak(self, sentences: list[str], *told: Event) -> None:
        """Tell the call `told` and what is ready, and queue that to be spoken, in one step."""
        numbered = list(enumerate(sentences, self.sentences))
        if not told and not numbered:
            return
        fields = {str(seq): text for seq, text in numbered}
        if fields:
            fields |= {"call": self._call_id, "format": self._format}
            for seq, _ in numbered:
                fields |= self._manner_fields(seq)
        ready = [SentenceReady(self._turn_id, seq, text) for seq, text in numbered]
        tasks = [
            sealed("speak", self._turn_id, seq, expires_seconds=SPEAK_EXPIRES_SECONDS)
            for seq, _ in numbered
        ]
        self._lease.tell(*told, *ready, sentences=fields, speech=tasks)
        self.sentences += len(numbered)
        if numbered:
            mark("speech queued", self._turn_id)

    def _manner_fields(self, seq: int) -> dict[str, str]:
        manner = dict(self._manner())
        language = manner.pop("language", "")
        manner[f"language:{seq}"] = "en" if self._english and language else language
        return {name: value for name, value in manner.items() if value}
