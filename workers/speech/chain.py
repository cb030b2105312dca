"""Several engines as one: the first that can answers, in the host's order or the caller's choice.

Called by `workers.speech_jobs`; `workers.wiring` builds it from the settings. An engine is made
when it is first needed, so a local fallback costs its memory only once it must answer.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from threading import Lock
from time import monotonic
from typing import Any, Generic, TypeVar

from django.core.exceptions import ImproperlyConfigured

from convonet import voices
from voice.audio import AudioFormat
from workers.breaker import Breaker
from workers.errors import SpeechError
from workers.ports import PLAIN, DigitTranscriber, Manner, Synthesizer, Transcriber, Transcription
from workers.registry import Registry
from workers.speech.failures import ServiceError

# Not every exception: a task's time limit is one, too.
FAILURES = (SpeechError, ValueError, MemoryError, RuntimeError, OSError)
_UNMADE = (ImportError, ImproperlyConfigured)
# The next question would meet the same, so none is asked for a while. Others may be chance.
_REST_SECONDS = {
    "speech_auth": 120.0,
    "speech_missing": 120.0,
    "speech_rate": 5.0,
    "speech_timeout": 10.0,
    "speech_unreached": 10.0,
}
# The service is well, the question was not.
_ABOUT_QUESTION = frozenset(("speech_refused", "speech_format"))

# The caller interrupted: the engine did nothing wrong. As in `voice.uses`.
STOPPED = "cancelled"

Engine = TypeVar("Engine")
Clock = Callable[[], float]
Services = Registry[str, Any]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One engine asked for one thing. Times are ms since it was asked."""

    provider: str
    model: str
    error: str = ""
    """A code; empty when it answered."""
    first_ms: int | None = None
    took_ms: int = 0
    audio_bytes: int = 0
    """Made, in the call's format."""
    fallback: bool = False
    chosen: bool = False
    """Asked first because its voice was wished for."""


class Link(Generic[Engine]):
    """One engine of a chain, by its provider's name. Any thread may use it."""

    def __init__(
        self,
        name: str,
        make: Callable[[], Engine],
        breaker: Breaker | None = None,
        *,
        services: Services | None = None,
        key: str = "",
    ) -> None:
        """`services` keeps it open with others, under `key`, and closes it when it is not used."""
        self.name = name
        self.breaker = breaker or Breaker()
        self.model = ""
        """The provider's own name of what it asks; empty until the engine was made."""
        self._make = make
        self._services = services if services is not None else Registry(most=1)
        self._key = key or name
        self._kept = ExitStack()
        self._engine: Engine | None = None
        self._lock = Lock()

    @contextmanager
    def lease(self) -> Iterator[Engine]:
        """Raises SpeechError when it cannot be made on this server."""
        try:
            with self._services.lease(self._key, self._made) as engine:
                yield engine
        finally:
            self._services.close_idle()

    def keep(self) -> Engine:
        """As `lease`, until the process ends: whoever asks next does not wait for it."""
        with self._lock:
            if self._engine is None:
                self._engine = self._kept.enter_context(self.lease())
            return self._engine

    def _made(self) -> Engine:
        try:
            engine = self._make()
        except _UNMADE as error:
            raise SpeechError("That engine is not set up.", code="speech_missing") from error
        self.model = str(getattr(engine, "model", ""))
        return engine

    def answered(self) -> None:
        with self._lock:
            self.breaker.succeeded()

    def failed(self, error: BaseException, now: float) -> str:
        """Let the breaker know; the code of the failure."""
        code = code_of(error)
        if code not in _ABOUT_QUESTION:
            asked_for = error.retry_after if isinstance(error, ServiceError) else 0.0
            with self._lock:
                self.breaker.failed(now, rest_seconds=asked_for or _REST_SECONDS.get(code, 0.0))
        return code


class HearingChain:
    """A `Transcriber` of several."""

    def __init__(self, links: Sequence[Link[Transcriber]], clock: Clock = monotonic) -> None:
        self._links = list(links)
        self._clock = clock

    def warm_up(self) -> None:
        """The first alone; see the module."""
        self._links[0].keep().warm_up()

    def transcribe(
        self,
        audio: bytes,
        audio_format: AudioFormat,
        attempts: list[Attempt] | None = None,
        *,
        digits: bool = False,
    ) -> Transcription:
        """Raises the last engine's failure; `attempts` are added as they are made.

        `digits` were asked for, so some are to be expected.
        """
        told = attempts if attempts is not None else []
        failure: BaseException | None = None
        for link in _asked(self._links, self._clock()):
            fallback = failure is not None or link is not self._links[0]
            run = _Run(link, self._clock, fallback=fallback)
            try:
                with link.lease() as engine:
                    heard = _heard_by(engine, audio, audio_format, digits=digits)
            except FAILURES as error:
                told.append(run.failed(error))
                failure = error
            else:
                told.append(run.answered())
                return heard
        raise _not_answered(failure)


def _heard_by(
    engine: Transcriber, audio: bytes, audio_format: AudioFormat, *, digits: bool
) -> Transcription:
    if digits and isinstance(engine, DigitTranscriber):
        return engine.transcribe_digits(audio, audio_format)
    return engine.transcribe(audio, audio_format)


class SpeakingChain:
    """A `Synthesizer` of several; its manner's voice is `provider/voice`, as people choose it."""

    def __init__(self, links: Sequence[Link[Synthesizer]], clock: Clock = monotonic) -> None:
        self._links = list(links)
        self._clock = clock

    def warm_up(self) -> None:
        """The first alone; see the module."""
        self._links[0].keep().warm_up()

    def synthesize(
        self,
        text: str,
        audio_format: AudioFormat,
        manner: Manner = PLAIN,
        attempts: list[Attempt] | None = None,
    ) -> Generator[bytes, None, None]:
        """Another engine goes on only where nothing was said: two voices in a sentence confuse.

        Raises the last engine's failure, or at once that of one that broke off.
        """
        told = attempts if attempts is not None else []
        failure: BaseException | None = None
        for wish in self._wishes(manner):
            if wish.again and code_of(failure) != "speech_refused":
                continue
            fallback = wish.fallback or failure is not None
            run = _Run(wish.link, self._clock, fallback=fallback, chosen=wish.chosen)
            try:
                with wish.link.lease() as engine:
                    for chunk in engine.synthesize(text, audio_format, wish.manner):
                        run.spoke(chunk)
                        yield chunk
            except FAILURES as error:
                told.append(run.failed(error))
                if run.audio_bytes:
                    raise
                failure = error
            except GeneratorExit:
                told.append(run.answered(STOPPED))
                raise
            else:
                told.append(run.answered())
                return
        raise _not_answered(failure)

    def _wishes(self, manner: Manner) -> Iterator[_Wish]:
        """Whom to ask for what, in order; the provider of the wished voice comes first."""
        provider, voice = voices.split(manner.voice)
        links = sorted(self._links, key=lambda link: link.name != provider)
        for link in _asked(links, self._clock()):
            fallback = link is not links[0]
            if link.name == provider:
                yield _Wish(link, Manner(manner.language, voice), fallback, chosen=True)
            yield _Wish(link, Manner(manner.language), fallback, again=link.name == provider)


@dataclass(frozen=True, slots=True)
class _Wish:
    link: Link[Synthesizer]
    manner: Manner
    fallback: bool
    chosen: bool = False
    again: bool = False
    """The same engine in its own voice, in case it refuses the wished one (a voice may vanish)."""


class _Run:
    """One attempt while it lasts."""

    def __init__(
        self, link: Link[Any], clock: Clock, *, fallback: bool, chosen: bool = False
    ) -> None:
        self._link, self._clock, self._began = link, clock, clock()
        self._first_ms: int | None = None
        self._fallback, self._chosen = fallback, chosen
        self.audio_bytes = 0

    def spoke(self, chunk: bytes) -> None:
        if self._first_ms is None:
            self._first_ms = self._ms()
        self.audio_bytes += len(chunk)

    def answered(self, code: str = "") -> Attempt:
        self._link.answered()
        return self._attempt(code)

    def failed(self, error: BaseException) -> Attempt:
        return self._attempt(self._link.failed(error, self._clock()))

    def _attempt(self, code: str) -> Attempt:
        return Attempt(
            self._link.name,
            self._link.model,
            code,
            self._first_ms,
            self._ms(),
            self.audio_bytes,
            self._fallback,
            self._chosen,
        )

    def _ms(self) -> int:
        return round((self._clock() - self._began) * 1000)


def code_of(error: BaseException | None) -> str:
    return error.code if isinstance(error, SpeechError) else type(error).__name__


def _asked(links: Sequence[Link[Engine]], now: float) -> list[Link[Engine]]:
    """Those that rest come last, for silence is worse than one more try."""
    return sorted(links, key=lambda link: not link.breaker.allows(now))


def _not_answered(failure: BaseException | None) -> BaseException:
    return failure or SpeechError("No engine is configured.", code="speech_missing")
