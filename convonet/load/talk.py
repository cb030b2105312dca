"""When a caller says the next thing, and how long the answer took. Pure.

People do not talk over an answer: who still waits for one or hears it lets the moment pass, which
is counted as `held`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from convonet.load.hearing import Hearing, Reply

# Who got no answer by then asks again.
PATIENCE_SECONDS = 30.0
# Between an answer and what is said next.
BREATH_SECONDS = 0.3


@dataclass(slots=True)
class Told:
    """Of one caller since the last look."""

    said: int = 0
    held: int = 0
    unanswered: int = 0
    spoken: list[float] = field(default_factory=list)
    """When the last sound of each thing said was made."""
    answers: list[tuple[float, Reply]] = field(default_factory=list)
    """That moment, and what was heard then; its first sound may be a word to wait."""


class Talk:
    """Times are seconds of the caller's clock; `offset` sets the callers out of step."""

    def __init__(self, every: float, offset: float) -> None:
        self._every, self._offset = every, offset
        self._due: float | None = None
        self._held = False
        self._ended: float | None = None
        self.told = Told()

    def begin(self, now: float) -> None:
        self._due = now + self._offset

    def stop(self) -> None:
        """Say nothing more; an answer may still come."""
        self._due = None

    @property
    def waiting(self) -> bool:
        return self._ended is not None

    def spoken(self, ended: float) -> None:
        """The last sound of what `tick` wanted said is, or will be, at `ended`."""
        self._ended = ended
        self.told.spoken.append(ended)

    def tick(self, now: float, hearing: Hearing) -> bool:
        """Whether to say something now."""
        self._look_for_answer(now, hearing)
        if self._due is None or now < self._due:
            return False
        if self.waiting or hearing.quiet_since(now) < BREATH_SECONDS:
            if not self._held:
                self._held = True
                self.told.held += 1
            return False
        # By the clock, not from now on: but a moment that has passed is not made up for.
        while self._due <= now:
            self._due += self._every
        self._held = False
        self.told.said += 1
        return True

    def _look_for_answer(self, now: float, hearing: Hearing) -> None:
        if self._ended is None:
            return
        reply = hearing.reply
        if reply is not None and reply.first_at > self._ended:
            self.told.answers.append((self._ended, reply))
            self._ended = None
        elif now - self._ended > PATIENCE_SECONDS:
            self.told.unanswered += 1
            self._ended = None

    def take(self) -> Told:
        told, self.told = self.told, Told()
        return told
