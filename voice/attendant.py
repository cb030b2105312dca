"""Who looks after a call beside its conversation: greets, asks who is calling, minds the keys.

On the telephone that is `phone`; a browser's call needs none, for its page has logged in.
"""

from __future__ import annotations

from typing import Protocol

from voice.turns import HangUp


class Desk(Protocol):
    """What an attendant can do in the call it looks after; nothing here waits."""

    @property
    def call_id(self) -> str: ...

    def say(self, text: str, *, then: HangUp | None = None, reminder: int | None = None) -> None:
        """Say it when nothing else is being said; `then` hang up, once it was heard.

        It tells the caller of that `reminder`.
        """

    def be_quiet(self) -> None:
        """Stop what is being said, and forget what was to be said after it."""

    def take_words(self, wanted: bool) -> None:
        """While wanted, what is said goes to `Attendant.words` and is no turn by itself."""

    def identified(self, user_id: int) -> None:
        """The caller is this person, as the call's row says already: what is theirs is told now."""

    def hang_up(self, end: HangUp) -> None:
        """Now, whatever is being said."""


class Attendant(Protocol):
    """Called on the loop, and must not block it; what takes time runs in tasks of its own."""

    def begun(self) -> None:
        """The call is up: the first words are the attendant's."""

    def key(self, digit: str) -> None: ...

    def words(self, text: str) -> bool:
        """What was said while words were taken, empty for none; False makes a turn of it."""

    def tick(self, now: float) -> None:
        """Twice a second; `now` is the call's monotonic clock, in seconds."""

    async def run(self) -> None:
        """Until cancelled, as one of the call's tasks; does what waits."""


class NoAttendant:
    def begun(self) -> None: ...
    def key(self, digit: str) -> None: ...
    def tick(self, now: float) -> None: ...
    async def run(self) -> None: ...

    def words(self, text: str) -> bool:
        return False


class Attend(Protocol):
    """Makes the attendant of one call."""

    def __call__(self, desk: Desk) -> Attendant: ...
