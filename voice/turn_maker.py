"""New turns of a call, new numbers for them, and the empty playout each reply starts with."""

from __future__ import annotations

from collections.abc import Callable

from voice.audio import AudioFormat
from voice.options import PlayoutOptions
from voice.playout import ReplyPlayout
from voice.turns import LiveTurn, Source
from voice.unfinished import Unfinished


class TurnMaker:
    """Numbers count up over the call; the client ignores audio of any but the latest."""

    def __init__(
        self, audio_format: AudioFormat, options: PlayoutOptions, ids: Callable[[], str]
    ) -> None:
        self._format, self._options = audio_format, options
        self._numbers = 0
        self.new_id = ids

    def count_from(self, last: int) -> None:
        """The call has had so many numbers before."""
        self._numbers = max(self._numbers, last)

    def make(self, source: Source) -> LiveTurn:
        number = self._next_number()
        return LiveTurn(playout=self.playout(), number=number, source=source, id=self.new_id())

    def again(self, one: Unfinished) -> LiveTurn:
        """A turn of the call's socket before this one."""
        turn = LiveTurn(
            playout=self.playout(), number=self._next_number(), source=one.source, id=one.turn_id
        )
        turn.utterance_id, turn.language = one.utterance_id, one.language
        turn.transcript = one.transcript
        return turn

    def renumber(self, turn: LiveTurn) -> None:
        turn.number = self._next_number()

    def playout(self) -> ReplyPlayout:
        return ReplyPlayout(self._format, self._options)

    def _next_number(self) -> int:
        self._numbers += 1
        return self._numbers
