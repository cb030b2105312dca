"""What a live recogniser is sent while the caller speaks, and what its answers mean.

Pure: Deepgram's streaming protocol without the socket, which is `voice.live_socket`'s. Audio is
taken from the call's own buffer when it can leave, so that nothing waits here. Protocol:
https://developers.deepgram.com/reference/speech-to-text/listen-streaming
"""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from voice.audio import AudioFormat
from voice.ears import Interim, Said, Verdict
from voice.turns import Recognise

KEEP_ALIVE = '{"type":"KeepAlive"}'
FINALIZE = '{"type":"Finalize"}'
CLOSE_STREAM = '{"type":"CloseStream"}'

# Deepgram wants between 20 and 250 ms of audio in a message.
LEAST_MS = 100
MOST_MS = 240
# A final result that ends so shortly before a pause has all the words: the pause is longer. What
# answers a `Finalize` may be further off, and still belongs to no earlier one.
TAIL_MS = 100
FLUSHED_TAIL_MS = 240
_TIMES = ("start", "duration")
_GARBAGE = (LookupError, ValueError, TypeError, AttributeError, ArithmeticError, RecursionError)

Frame = bytes | memoryview | str


class Garbled(Exception):
    """`speech_garbage`: no message of the protocol; `speech_server`: one that tells a failure."""


@dataclass(slots=True)
class Utterance:
    """One utterance on its way; positions are bytes of the connection's audio."""

    said: Said
    base: int = 0
    """Where it begins."""
    sent: int = 0
    """How much of it has left."""
    cut: int = 0
    """How much of it had left when the last `Finalize` did."""
    told: int = 0
    """How much of it the last verdict was about."""
    finals: list[str] = field(default_factory=list)
    interim: str = ""
    lost: bool = False
    """Words that were there once are not in the final result."""
    covered: int = 0
    """Up to where results are final."""
    languages: Counter[str] = field(default_factory=Counter)
    asked: Recognise | None = None
    asked_at: float = 0.0
    finalized: bool = False
    """The `Finalize` of the present question has left."""
    paused: bool = False
    over: bool = False
    first_sent_at: float | None = None
    first_ms: int | None = None

    @property
    def text(self) -> str:
        return " ".join(self.finals)

    @property
    def settled(self) -> bool:
        """Nothing is to be sent or waited for any more."""
        return self.over and self.asked is None and self.sent == self.cut


class LiveHearing:
    """The utterances of one call; `connected` and `broke` bracket each connection.

    Times are seconds on one monotonic clock.
    """

    def __init__(self, audio_format: AudioFormat, language: str = "") -> None:
        """`language` holds where the recogniser tells none."""
        self._format, self._language = audio_format, language
        self._least = audio_format.bytes_of(LEAST_MS)
        self._most = audio_format.bytes_of(MOST_MS)
        self._streamed = 0
        self._flushes = 0
        self._utterances: deque[Utterance] = deque()
        self._current: Utterance | None = None

    @property
    def busy(self) -> bool:
        """An utterance is being spoken or waited for."""
        return bool(self._utterances)

    @property
    def ready(self) -> bool:
        """Enough of the caller's speech is there to be sent."""
        current = self._current
        if current is None or current.paused:
            return False
        return current.said.said_bytes - current.sent >= self._least

    # Speech ---------------------------------------------------------------------------------
    def started(self, said: Said) -> None:
        self.over()
        self._current = Utterance(said)
        self._utterances.append(self._current)

    def resumed(self) -> None:
        """The caller goes on: what was asked at the pause is void."""
        if self._current is not None:
            self._current.paused, self._current.asked = False, None

    def over(self) -> None:
        """It ended, and what is asked about it has been asked."""
        if self._current is not None:
            self._current.over = True
            self._current = None
            self._forget_settled()

    def recognise(self, command: Recognise, now: float) -> bool:
        """May the words of the utterance being spoken be expected from here?"""
        current = self._current
        if current is None:
            return False
        current.asked, current.asked_at = command, now
        current.paused, current.finalized = True, False
        return True

    # Out ------------------------------------------------------------------------------------
    def connected(self) -> None:
        self._streamed = self._flushes = 0

    def next_frame(self, now: float) -> Frame | None:
        """What leaves next, in order; None: nothing yet."""
        for utterance in self._utterances:
            frame = self._frame_of(utterance, now)
            if frame is not None:
                self._forget_settled()
                return frame
        return None

    def _frame_of(self, utterance: Utterance, now: float) -> Frame | None:
        audio = self._audio_of(utterance)
        if audio:
            if utterance.first_sent_at is None:
                utterance.base, utterance.first_sent_at = self._streamed, now
            utterance.sent += len(audio)
            self._streamed += len(audio)
            return audio
        if utterance.asked is not None:
            due = not utterance.finalized
        else:
            # What nobody asks about must not run into what comes next.
            due = utterance.over and utterance.sent > utterance.cut
        return self._finalize(utterance) if due else None

    def _audio_of(self, utterance: Utterance) -> bytes | memoryview:
        if utterance.asked is not None:
            return memoryview(utterance.asked.audio)[utterance.sent :][: self._most]
        if utterance is self._current and self.ready:
            return utterance.said.said(utterance.sent, self._most)
        return b""

    def _finalize(self, utterance: Utterance) -> str:
        utterance.finalized, utterance.cut = True, utterance.sent
        self._flushes += 1
        return FINALIZE

    # In -------------------------------------------------------------------------------------
    def received(self, message: str | bytes, now: float) -> list[Interim | Verdict]:
        """What a message means for the call; raises `Garbled`."""
        try:
            said = json.loads(message)
            match said["type"]:
                case "Results":
                    return self._results(said, now)
                case "Error":
                    raise Garbled("speech_server")
                case _:
                    return []
        except _GARBAGE as error:
            raise Garbled("speech_garbage") from error

    def _results(self, said: dict[str, Any], now: float) -> list[Interim | Verdict]:
        start, length = (said[name] * self._format.bytes_per_second for name in _TIMES)
        end, flushed = round(start + length), bool(said.get("from_finalize"))
        heard = said["channel"]["alternatives"][0]
        text = str(heard["transcript"]).strip()
        utterance = self._flushed(flushed) or self._spoken_at(end - length / 2)
        if utterance is not None:
            _note(utterance, text, final=said["is_final"], now=now)
            if said["is_final"]:
                utterance.covered = max(utterance.covered, end)
                _note_languages(utterance, text, heard.get("languages") or ())
        answers = self._answers(end, flushed=flushed, now=now)
        if answers or not text or utterance is None or utterance is not self._current:
            return answers
        return [Interim(f"{utterance.text} {utterance.interim}".strip())]

    def _flushed(self, flushed: bool) -> Utterance | None:
        """Whose words end here for certain, whatever the times say: only one `Finalize` is open."""
        asked = self._asked()
        return asked[-1] if asked and flushed and self._flushes == 1 else None

    def _asked(self) -> list[Utterance]:
        """Whose `Finalize` has left, and whose answer is waited for."""
        return [one for one in self._utterances if one.asked is not None and one.finalized]

    def _spoken_at(self, position: float) -> Utterance | None:
        """Whose audio that is; None for an utterance that is forgotten."""
        for utterance in reversed(self._utterances):
            if utterance.first_sent_at is not None and utterance.base < position:
                return utterance
        return None

    def _answers(self, end: int, *, flushed: bool, now: float) -> list[Interim | Verdict]:
        """Verdicts on what is final by now. Not every `Finalize` is answered as such."""
        everything = flushed and self._flushes == 1
        if flushed:
            self._flushes = max(0, self._flushes - 1)
        tail = self._format.bytes_of(FLUSHED_TAIL_MS if flushed else TAIL_MS)
        return [
            self._verdict(one, now)
            for one in self._asked()
            if everything or max(one.covered, end * flushed) >= one.base + one.cut - tail
        ]

    # Verdicts -------------------------------------------------------------------------------
    def expired(self, utterance_id: str, error: str, now: float) -> Verdict | None:
        """Its words were waited for long enough; None when nobody waits for them any more."""
        for utterance in self._utterances:
            if utterance.asked is not None and utterance.asked.utterance_id == utterance_id:
                return self._verdict(utterance, now, error)
        return None

    def broke(self, error: str, now: float) -> list[Verdict]:
        """The connection is gone, or there will be none: every utterance goes to a worker."""
        asked = [utterance for utterance in self._utterances if utterance.asked is not None]
        verdicts = [self._verdict(utterance, now, error) for utterance in asked]
        self._utterances.clear()
        self._current = None
        return verdicts

    def _verdict(self, utterance: Utterance, now: float, error: str = "") -> Verdict:
        command, utterance.asked = utterance.asked, None
        assert command is not None
        if utterance.lost:
            error = error or "speech_half"
        audio_ms = self._format.ms_of(utterance.sent - utterance.told)
        utterance.told = utterance.sent
        self._forget_settled()
        return Verdict(
            command=command,
            text="" if error else utterance.text,
            language=_most_spoken(utterance.languages) or self._language,
            error=error,
            took_ms=round((now - utterance.asked_at) * 1000),
            audio_ms=audio_ms,
            first_ms=utterance.first_ms,
        )

    def _forget_settled(self) -> None:
        self._utterances = deque(one for one in self._utterances if not one.settled)


def _note(utterance: Utterance, text: str, *, final: bool, now: float) -> None:
    if text and utterance.first_ms is None and utterance.first_sent_at is not None:
        utterance.first_ms = round((now - utterance.first_sent_at) * 1000)
    if not final:
        utterance.interim = text
        return
    if text:
        utterance.finals.append(text)
    elif utterance.interim:
        utterance.lost = True
    utterance.interim = ""


def _note_languages(utterance: Utterance, text: str, languages: Sequence[str]) -> None:
    """The first is the one that most of the words are in."""
    if text and languages:
        utterance.languages[iso(str(languages[0]))] += len(text.split())


def iso(tag: str) -> str:
    """The ISO 639-1 code of a BCP 47 tag; empty for anything else (`multi`)."""
    code = tag.partition("-")[0].lower()
    return code if len(code) == 2 and code.isascii() and code.isalpha() else ""


def _most_spoken(languages: Counter[str]) -> str:
    return languages.most_common(1)[0][0] if languages else ""
