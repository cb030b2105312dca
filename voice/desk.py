"""What the attendant of a call may do in it: `voice.attendant.Desk`, over the conversation."""

from __future__ import annotations

from collections.abc import Callable

from voice.answering import Announcement
from voice.conversation import Conversation
from voice.turns import HangUp


class CallDesk:
    """`flush` sends the conversation's commands their way, `known` joins what is the person's."""

    def __init__(
        self,
        call_id: str,
        conversation: Conversation,
        *,
        clock: Callable[[], float],
        flush: Callable[[], None],
        known: Callable[[int], None],
        hang_up: Callable[[HangUp], None],
    ) -> None:
        self.call_id = call_id
        self._conversation, self._clock = conversation, clock
        self._flush, self._known = flush, known
        self.hang_up = hang_up

    def say(self, text: str, *, then: HangUp | None = None, reminder: int | None = None) -> None:
        self._conversation.announce(Announcement(text, reminder, then), self._clock())
        self._flush()

    def be_quiet(self) -> None:
        self._conversation.be_quiet(self._clock())
        self._flush()

    def take_words(self, wanted: bool) -> None:
        self._conversation.take_words(wanted)

    def identified(self, user_id: int) -> None:
        self._known(user_id)
