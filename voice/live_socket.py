"""Hears one call live: a socket from when the caller first speaks until the call ends.

Whatever goes wrong here, the words in question go to a worker. Bounds: one socket, its write
buffer, and no audio of our own.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from voice.audio import AudioFormat
from voice.ears import Interim, Said, Verdict
from voice.live import CLOSE_STREAM, KEEP_ALIVE, Garbled, LiveHearing, iso
from voice.live_line import CLOSE_SECONDS, Line
from voice.turns import Recognise

logger = logging.getLogger(__name__)

# Deepgram closes a socket on which nothing is said for 10 s.
KEEP_ALIVE_SECONDS = 4.0
# The key, the account or what is asked for is wrong, and will be so a second later.
_REFUSALS = {
    400: "speech_refused",
    401: "speech_auth",
    402: "speech_auth",
    403: "speech_auth",
    404: "speech_refused",
    429: "speech_rate",
}
_HOPELESS = frozenset(_REFUSALS) - {429}


@dataclass(slots=True)
class Tally:
    """What the log tells when the call ends."""

    sockets: int = 0
    answered: int = 0
    fallbacks: int = 0
    sent_ms: int = 0
    unheard_ms: int = 0
    """Sent in vain: a worker heard it again."""


class LiveEar:
    """`interim` and `verdict` are called on the loop and must not block."""

    def __init__(
        self,
        line: Line,
        audio_format: AudioFormat,
        interim: Callable[[str], None],
        verdict: Callable[[Verdict], None],
        log_fields: dict[str, object],
    ) -> None:
        self._line, self._format = line, audio_format
        self._interim, self._verdict = interim, verdict
        self._fields = log_fields
        self._clock = time.monotonic
        self._hearing = LiveHearing(audio_format, iso(line.options.language))
        self.model = line.options.model
        self._wanted, self._stirred = asyncio.Event(), asyncio.Event()
        self._socket: ClientConnection | None = None
        self._fault = ""
        self.tally = Tally()

    # What the call says -----------------------------------------------------------------------
    def started(self, said: Said) -> None:
        if self._wanted.is_set() or self._line.open(self._clock()):
            self._wanted.set()
            self._hearing.started(said)

    def listen(self) -> None:
        if self._hearing.ready:
            self._stirred.set()

    def resumed(self) -> None:
        self._hearing.resumed()

    def over(self) -> None:
        self._hearing.over()
        self._stirred.set()

    def recognise(self, command: Recognise) -> bool:
        """A verdict comes within the line's `answer_seconds`, unless the caller speaks on."""
        if not self._hearing.recognise(command, self._clock()):
            self.tally.fallbacks += 1
            return False
        self._stirred.set()
        seconds = self._line.options.answer_seconds
        asyncio.get_running_loop().call_later(seconds, self._expire, command.utterance_id)
        return True

    # The socket -------------------------------------------------------------------------------
    async def run(self) -> None:
        """Until cancelled: a socket whenever the caller speaks and there is none."""
        try:
            while True:
                await self._wanted.wait()
                await self._converse()
        finally:
            if self.tally.sockets or self.tally.fallbacks:
                logger.info("live hearing ended", extra={**self._fields, **asdict(self.tally)})

    async def _converse(self) -> None:
        """One socket, until it breaks."""
        socket = None
        try:
            with self._mishaps():
                socket = self._socket = await self._line.socket(self._format)
                self.tally.sockets += 1
                await self._exchange(socket)
                self._broke("speech_half", "closed")
        finally:
            self._socket = None
            if socket is not None:
                await _leave(socket)

    async def _exchange(self, socket: ClientConnection) -> None:
        self._hearing.connected()
        sending = asyncio.create_task(self._send(socket))
        try:
            async for message in socket:
                self._received(message)
        finally:
            sending.cancel()
            await asyncio.wait({sending})
        with contextlib.suppress(asyncio.CancelledError):
            sending.result()

    async def _send(self, socket: ClientConnection) -> None:
        while True:
            frame = self._hearing.next_frame(self._clock())
            if frame is not None:
                await socket.send(frame)
            elif not await self._stirring():
                await socket.send(KEEP_ALIVE)

    async def _stirring(self) -> bool:
        """There may be something to send; False after a while without."""
        self._stirred.clear()
        try:
            async with asyncio.timeout(KEEP_ALIVE_SECONDS):
                return await self._stirred.wait()
        except TimeoutError:
            return False

    def _received(self, message: str | bytes) -> None:
        for found in self._hearing.received(message, self._clock()):
            if isinstance(found, Interim):
                self._interim(found.text)
            else:
                self._line.worked()
                self._pass_on(found)

    def _pass_on(self, verdict: Verdict) -> None:
        self.tally.sent_ms += verdict.audio_ms
        if verdict.error:
            self.tally.fallbacks += 1
            self.tally.unheard_ms += verdict.audio_ms
        else:
            self.tally.answered += 1
        self._verdict(verdict)

    # What goes wrong --------------------------------------------------------------------------
    def _expire(self, utterance_id: str) -> None:
        error = "speech_timeout" if self._socket is not None else "speech_unreached"
        verdict = self._hearing.expired(utterance_id, error, self._clock())
        if verdict is None:
            return
        self._pass_on(verdict)
        if self._socket is not None:
            self._fault = error
            self._socket.transport.abort()

    @contextlib.contextmanager
    def _mishaps(self) -> Iterator[None]:
        self._fault = ""
        try:
            yield
        except (OSError, WebSocketException, Garbled) as error:
            self._broke(_code(error), _detail(error), hopeless=_hopeless(error))
        except Exception:
            # A fault of ours does not end the call: from here on workers hear it.
            logger.exception("live hearing faulty", extra=self._fields)
            self._broke("speech", "fault", hopeless=True)

    def _broke(self, code: str, detail: str, *, hopeless: bool = False) -> None:
        """There is no socket any more. One that goes while nobody speaks is no failure."""
        self._wanted.clear()
        code, idle = self._fault or code, self._socket is not None and not self._hearing.busy
        if idle and not self._fault:
            return
        self._line.failed(self._clock(), hopeless=hopeless)
        for verdict in self._hearing.broke(code, self._clock()):
            self._pass_on(verdict)
        fields = {**self._fields, "code": code, "detail": detail}
        logger.warning("live hearing failed", extra=fields)


async def _leave(socket: ClientConnection) -> None:
    """Ask Deepgram to end, but do not wait for long."""
    with contextlib.suppress(ConnectionClosed, TimeoutError):
        async with asyncio.timeout(CLOSE_SECONDS):
            await socket.send(CLOSE_STREAM)
    await socket.close()


def _code(error: Exception) -> str:
    """As workers call the failures of a provider."""
    match error:
        case InvalidStatus():
            return _REFUSALS.get(error.response.status_code, "speech_server")
        case ConnectionClosed():
            return "speech_half"
        case Garbled():
            return str(error)
        case TimeoutError():
            return "speech_timeout"
        case _:
            return "speech_unreached"


def _detail(error: Exception) -> str:
    """For the operator; never what the other side wrote."""
    match error:
        case InvalidStatus():
            return f"http {error.response.status_code}"
        case ConnectionClosed():
            return f"closed {error.rcvd.code if error.rcvd else 1006}"
        case _:
            return type(error.__cause__ or error).__name__


def _hopeless(error: Exception) -> bool:
    return isinstance(error, InvalidStatus) and error.response.status_code in _HOPELESS
