"""The bridge of a call: the socket to the model beside the caller's, and what passes between.

Tasks, owned here and ended with the call: the storing of reply audio, and while there is a socket
its reader and its sender. Bounds: those of `line`, `outgoing` and `storing`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import WebSocketException

from voice.audio import AudioFormat
from voice.realtime import deeds, protocol, requests
from voice.realtime.conversation import RealtimeConversation
from voice.realtime.line import RealtimeLine, Unreached, code_of, detail_of, hopeless
from voice.realtime.outgoing import Outgoing
from voice.realtime.storing import ReplyStore, Storing

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Tally:
    """What the log tells when the call ends."""

    sockets: int = 0
    failures: int = 0
    dropped_ms: int = 0
    """Of the caller's audio, which the model did not take in time."""


class Bridge:
    """`flush` sends the conversation's commands their way."""

    def __init__(
        self,
        *,
        conversation: RealtimeConversation,
        line: RealtimeLine,
        store: ReplyStore,
        audio_format: AudioFormat,
        flush: Callable[[], None],
        clock: Callable[[], float],
        log_fields: Mapping[str, object],
    ) -> None:
        self._conversation, self._line, self._format = conversation, line, audio_format
        self._flush, self._clock, self._fields = flush, clock, log_fields
        self._mulaw = audio_format.encoding == "mulaw"
        self._outgoing = Outgoing(audio_format)
        self._storing = Storing(store, self._stored, self._gone, log_fields)
        self._join: deeds.Join | None = None
        self._wanted, self._stirred = asyncio.Event(), asyncio.Event()
        self._leaving = asyncio.Event()
        self.tally = Tally()

    # What the call says -------------------------------------------------------------------------
    def hear(self, audio: bytes) -> None:
        """The caller's audio, as it came."""
        self._conversation.came(len(audio))
        if self._outgoing.hear(audio):
            logger.warning("model takes audio too slowly", extra=self._fields)
        self._stirred.set()

    def carry(self, what: deeds.ToLine) -> None:
        match what:
            case deeds.StoreAudio():
                self._storing.add(what)
            case deeds.Forget(turn_id=turn_id):
                self._storing.forget(turn_id)
            case deeds.Join():
                self._join = what
                self._leaving.clear()
                self._wanted.set()
            case deeds.Leave():
                self._wanted.clear()
                self._leaving.set()
            case deeds.Silence(ms=ms):
                size = self._format.bytes_of(ms)
                self._outgoing.hear(size * b"\xff" if self._mulaw else bytes(size))
            case deeds.Listen(wanted=wanted):
                self._outgoing.listen(wanted)
            case _:
                self._request(what)
        self._stirred.set()

    def _request(self, what: requests.Request) -> None:
        if self._outgoing.full:
            self._leaving.set()
            return
        self._outgoing.request(requests.encode(what, self._line.options, self._format))

    # The socket ---------------------------------------------------------------------------------
    async def run(self) -> None:
        """Until cancelled: a socket whenever the conversation wants one."""
        storing = asyncio.create_task(self._storing.run())
        try:
            self._conversation.wake(self._clock())
            self._flush()
            while True:
                await self._wanted.wait()
                self._wanted.clear()
                await self._hold()
        finally:
            storing.cancel()
            await asyncio.wait({storing})
            self._log()

    async def _hold(self) -> None:
        """One socket, from its opening to its end."""
        try:
            error = await self._converse()
        except (OSError, WebSocketException, protocol.Garbled, Unreached) as mishap:
            error = mishap
        except Exception as mishap:
            # A fault of ours ends no call: workers hold it from here on.
            logger.exception("bridge faulty", extra=self._fields)
            self._lost("model", "fault", over=True)
            error = None
            del mishap
        if error is not None:
            self._failed(error)
        self._outgoing.reset()

    async def _converse(self) -> Exception | None:
        """None when it was left on purpose, else why it ended."""
        join, self._join = self._join, None
        if join is None or self._leaving.is_set():
            return None
        socket = await self._line.socket(self._clock())
        self.tally.sockets += 1
        self._outgoing.reset()
        self._request(join.session)
        for message in join.history:
            self._request(message)
        try:
            return await self._exchange(socket)
        finally:
            await _close(socket)

    async def _exchange(self, socket: ClientConnection) -> Exception | None:
        reading = asyncio.create_task(self._read(socket))
        sending = asyncio.create_task(self._send(socket))
        leaving = asyncio.create_task(self._leaving.wait())
        tasks = {reading, sending, leaving}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        if leaving in done:
            return None
        for task in (reading, sending):
            if task in done and isinstance(error := task.exception(), Exception):
                raise error
        return ConnectionResetError("closed")

    async def _read(self, socket: ClientConnection) -> None:
        async for message in socket:
            event = protocol.decode(message)
            if event is None:
                continue
            if isinstance(event, protocol.SessionUpdated):
                self._line.worked()
            elif isinstance(event, protocol.Error):
                logger.warning("model refuses", extra={**self._fields, "code": event.code})
            self._conversation.upstream(event, self._clock())
            self._flush()
            await self._storing.room()

    async def _send(self, socket: ClientConnection) -> None:
        while True:
            message = self._outgoing.next()
            if message is None:
                self._stirred.clear()
                await self._stirred.wait()
            elif isinstance(message, str):
                await socket.send(message)
            else:
                self._conversation.sent(message)
                await socket.send(requests.append(message))

    # What becomes of it -------------------------------------------------------------------------
    def _stored(self, turn_id: str, seq: int, size_bytes: int) -> None:
        self._conversation.stored(turn_id, seq, size_bytes, self._clock())
        self._flush()

    def _gone(self, turn_id: str, seq: int) -> None:
        logger.error("reply audio gone", extra={**self._fields, "turn_id": turn_id})
        self._conversation.gone(turn_id, seq, self._clock())
        self._flush()

    def _failed(self, error: Exception) -> None:
        if not isinstance(error, Unreached):
            self._line.failed(self._clock(), hopeless=hopeless(error))
        self._lost(code_of(error), detail_of(error), over=hopeless(error))

    def _lost(self, code: str, detail: str, *, over: bool) -> None:
        self.tally.failures += 1
        fields = {**self._fields, "code": code, "detail": detail}
        logger.warning("model lost", extra=fields)
        self._conversation.lost(code, self._clock(), hopeless=over)
        self._flush()

    def _log(self) -> None:
        self.tally.dropped_ms = self._format.ms_of(self._outgoing.dropped_bytes)
        told = {**asdict(self.tally), **asdict(self._storing.tally)}
        logger.info("bridge ended", extra={**self._fields, **told})


async def _close(socket: ClientConnection) -> None:
    with contextlib.suppress(OSError, WebSocketException):
        await socket.close()
