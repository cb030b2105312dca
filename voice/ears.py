"""Hearing while the caller speaks: what a call gives to a live recogniser, and gets from it.

Below: `voice.live_socket`, where one is configured; else nobody, and workers hear it all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from voice.audio import AudioFormat
from voice.turns import Recognise


class Said(Protocol):
    """The utterance being spoken, as far as it is known (`voice.listening.Listener`)."""

    @property
    def said_bytes(self) -> int: ...
    def said(self, start: int, most: int) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Interim:
    """The words so far of the caller who is speaking."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of one `Recognise`: its words, or `error`, a code, when it must go to a worker.

    `took_ms` counts from the question; `audio_ms` is what was sent for it since the last one, and
    `first_ms` how long after the first audio the first words came.
    """

    command: Recognise
    text: str = ""
    language: str = ""
    error: str = ""
    took_ms: int = 0
    audio_ms: int = 0
    first_ms: int | None = None


class Ear(Protocol):
    model: str

    def started(self, said: Said) -> None:
        """The caller speaks; `said` tells what, until `over`."""

    def listen(self) -> None:
        """More of it is there."""

    def resumed(self) -> None:
        """The caller goes on after a pause: what was asked then is void."""

    def over(self) -> None:
        """It ended, and what is to be asked about it has been asked."""

    def recognise(self, command: Recognise) -> bool:
        """May a verdict be expected? If not, the question goes to a worker."""

    async def run(self) -> None:
        """Until cancelled, or at once when there is nothing to do."""


class Deaf:
    """No live recogniser: every utterance goes to a worker."""

    model = ""

    def started(self, said: Said) -> None: ...
    def listen(self) -> None: ...
    def resumed(self) -> None: ...
    def over(self) -> None: ...
    async def run(self) -> None: ...

    def recognise(self, command: Recognise) -> bool:
        return False


class Hear(Protocol):
    """Makes the ear of one call, which tells what it hears on the loop."""

    def __call__(
        self,
        audio_format: AudioFormat,
        interim: Callable[[str], None],
        verdict: Callable[[Verdict], None],
        log_fields: dict[str, object],
    ) -> Ear: ...
