"""One call: joins listener, conversation and playout with the socket, Redis, rows and queue.

Three tasks per call, owned here and ended with it: the reader (the socket's own coroutine), the
mouth (everything that leaves, in order) and the hand (everything that must be stored or queued,
in order). Bounds: one utterance in, `OUTBOX` messages and 2 s of audio out, `ERRANDS` to do.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from voice import browser_stream as wire
from voice import events, keys
from voice.audio import BROWSER, AudioFormat
from voice.conversation import Conversation
from voice.endpointing import Endpoint
from voice.errands import Errands
from voice.errors import BrokerLost, CallError, Refused
from voice.fillers import Fillers
from voice.limits import AudioAllowance, MessageAllowance
from voice.listening import Heard, Listener
from voice.options import CallOptions
from voice.ports import Events, Queue, Records, Store
from voice.turns import Command, Fill, HangUp, LiveTurn, Tell, new_id

logger = logging.getLogger(__name__)

# A reply is a few dozen messages; a client this far behind is not reading.
OUTBOX = 1000
# What was said is handed on even when the caller is gone, within Daphne's own closing time.
LEAVING_SECONDS = 8.0

SendMessage = Callable[[str | bytes], Awaitable[None]]


class CallSession:
    """From `start` to the end of the socket, for one authenticated person."""

    def __init__(
        self,
        *,
        user_id: int,
        channel: str,
        start: wire.Start,
        send: SendMessage,
        store: Store,
        queue: Queue,
        hub: Events,
        records: Records,
        fillers: Fillers,
        options: CallOptions,
        audio_format: AudioFormat = BROWSER,
    ) -> None:
        self.id = new_id()
        self._user_id, self._channel, self._start = user_id, channel, start
        self._send, self._store, self._hub, self._records = send, store, hub, records
        self._format, self._options = audio_format, options
        self._fillers, self._filled = fillers, 0
        self._listener = Listener(audio_format, options.endpoint)
        self._conversation = Conversation(audio_format, options)
        self._errands = Errands(
            self.id, user_id, audio_format, store, queue, records, self._errand_failed
        )
        self._outbox: deque[str] = deque()
        self._wake, self._stirred = asyncio.Event(), asyncio.Event()
        self._clock = time.monotonic
        self._began = self._clock()
        self._audio = AudioAllowance(audio_format, options.flood_seconds)
        self._messages = MessageAllowance(options.messages_per_second)
        self._muted = False
        self._end: HangUp | None = None
        self._ended = asyncio.Event()

    # Life -----------------------------------------------------------------------------------
    async def run(self, receive: Callable[[], Awaitable[str | bytes | None]]) -> HangUp:
        """Carry the call until either side ends it; answers how it ended."""
        call, person = keys.call_stream(self.id), keys.person_stream(self._user_id)
        await self._records.open_call(
            self.id, self._user_id, self._channel, self._start.time_zone, str(self._format)
        )
        logger.info("call began", extra=self._fields())
        try:
            with self._hub.listening(tick=self._tick, broker=self._broker_changed):
                await self._hub.subscribe(call, self._on_event, from_start=True)
                await self._hub.subscribe(person, self._on_event, from_start=False)
                await self._carry(receive)
        finally:
            self._hub.unsubscribe(call, self._on_event)
            self._hub.unsubscribe(person, self._on_event)
            end = self._end or HangUp(1000, "left", "")
            await self._records.close_call(
                self.id, end.reason, self._audio.received_ms, self._audio.dropped
            )
            took = round(self._clock() - self._began, 1)
            logger.info("call ended", extra=self._fields(reason=end.reason, seconds=took))
        return end

    async def _carry(self, receive: Callable[[], Awaitable[str | bytes | None]]) -> None:
        self._tell({"type": "ready", "call": self.id, "audio": str(self._format)})
        async with asyncio.TaskGroup() as tasks:
            mouth = tasks.create_task(self._mouth())
            hand = tasks.create_task(self._errands.run())
            reader = tasks.create_task(self._read(receive))
            await self._tell_missed_reminders()
            ended = tasks.create_task(self._ended.wait())
            await asyncio.wait({reader, ended}, return_when=asyncio.FIRST_COMPLETED)
            reader.cancel()
            ended.cancel()
            await self._leave()
            mouth.cancel()
            hand.cancel()

    async def _leave(self) -> None:
        """Hand on what was said before the caller went; forget what was half said."""
        last = self._listener.finish_if_paused()
        if last is not None:
            self._heard(last)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LEAVING_SECONDS):
                while self._conversation.undecided:
                    self._stirred.clear()
                    await self._stirred.wait()
                self._conversation.leave(self._clock())
                self._flush()
                await self._errands.finished()
                return
        logger.error("call left undecided", extra=self._fields())

    # Reader ---------------------------------------------------------------------------------
    async def _read(self, receive: Callable[[], Awaitable[str | bytes | None]]) -> None:
        try:
            while (message := await receive()) is not None:
                if isinstance(message, bytes):
                    self._on_audio(message)
                else:
                    self._on_control(message)
        except Refused as refusal:
            self._hang_up(HangUp(refusal.code, "refused", refusal.sentence))

    def _on_audio(self, pcm: bytes) -> None:
        wire.check_audio(pcm)
        if self._muted or not self._audio.take(len(pcm), self._clock()):
            return
        changed = False
        for heard in self._listener.feed(pcm):
            self._heard(heard)
            changed = True
        if changed:
            self._flush()

    def _heard(self, heard: Heard) -> None:
        conversation, now = self._conversation, self._clock()
        match heard.endpoint:
            case Endpoint.STARTED:
                conversation.speech_started(now)
            case Endpoint.PAUSED:
                conversation.speech_paused(heard.audio)
            case Endpoint.RESUMED:
                conversation.speech_resumed()
            case Endpoint.ENDED:
                conversation.speech_ended(heard.audio, heard.silence_ms, now)
            case Endpoint.DISCARDED:
                conversation.speech_discarded(now)

    def _on_control(self, text: str) -> None:
        now = self._clock()
        self._messages.take(now)
        match wire.decode(text):
            case wire.Typed(text=words):
                self._typed(words, now)
            case wire.Interrupt():
                self._conversation.interrupt(now)
            case wire.Played(turn_id=turn_id, ms=ms):
                self._conversation.played(turn_id, ms, now)
            case wire.Mute(muted=muted):
                self._mute(muted)
            case wire.Stop():
                self._hang_up(HangUp(1000, "hung up", ""))
            case wire.Start():
                raise Refused(4400, "This call has already begun.")
        self._flush()

    def _typed(self, words: str, now: float) -> None:
        most = self._options.text_characters
        if len(words) > most:
            self._notice(f"That is too long for me. Please keep it under {most} characters.")
        elif words:
            self._conversation.typed(words, now)

    def _mute(self, muted: bool) -> None:
        self._muted = muted
        last = self._listener.finish() if muted else None
        if last is not None:
            self._heard(last)

    # Events ---------------------------------------------------------------------------------
    def _on_event(self, event: events.Event) -> None:
        now = self._clock()
        if isinstance(event, events.ReminderDue):
            self._tell(
                {
                    "type": "reminder",
                    "id": event.reminder_id,
                    "text": event.text,
                    "speech": event.speech,
                }
            )
            self._conversation.announce(event.reminder_id, event.speech, now)
        elif not isinstance(event, events.TodosChanged):
            self._conversation.handle(event, now)
        self._flush()

    def _broker_changed(self, connected: bool) -> None:
        self._conversation.broker_changed(connected)
        self._flush()

    def _tick(self, _now: float) -> None:
        now = self._clock()
        if now - self._began > self._options.most_seconds:
            minutes = round(self._options.most_seconds / 60)
            text = f"This call has lasted {minutes} minutes, so I end it here. Please call again."
            self._hang_up(HangUp(4430, "call too long", text))
        self._conversation.tick(now)
        self._flush()

    async def _tell_missed_reminders(self) -> None:
        for reminder_id, text in await self._records.missed_reminders(self._user_id):
            self._conversation.announce(
                reminder_id, f"You missed a reminder: {text}", self._clock()
            )
        self._flush()

    # Outside --------------------------------------------------------------------------------
    def _flush(self) -> None:
        """Send each command of the conversation its way."""
        for command in self._conversation.take():
            self._route(command)
        self._wake.set()
        self._stirred.set()

    def _route(self, command: Command) -> None:
        match command:
            case Tell(message=message):
                self._tell(message)
            case HangUp():
                self._hang_up(command)
            case Fill(turn=turn):
                self._fill(turn)
            case _:
                self._errands.add(command)

    def _fill(self, turn: LiveTurn) -> None:
        filler = self._fillers.pick(self._filled)
        if filler is None:
            self._conversation.not_filled(turn)
            return
        self._filled += 1
        text, audio = filler
        turn.playout.fill(audio)
        self._tell({"type": "filler", "turn": turn.id, "number": turn.number, "text": text})

    def _tell(self, message: dict[str, Any]) -> None:
        if len(self._outbox) >= OUTBOX:
            self._hang_up(HangUp(4408, "not reading", "Your device stopped reading."))
            return
        self._outbox.append(wire.encode(message))
        self._wake.set()

    def _notice(self, text: str, level: str = "warning") -> None:
        self._tell({"type": "notice", "text": text, "level": level})

    def _hang_up(self, end: HangUp) -> None:
        if self._end is None:
            self._end = end
            self._ended.set()

    async def _mouth(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self._send_outbox()
            try:
                while await self._send_audio():
                    await self._send_outbox()
            except BrokerLost:
                # The audio stays where it is; the next tick tries again.
                logger.warning("reply audio not read", extra=self._fields())

    async def _send_outbox(self) -> None:
        while self._outbox:
            await self._send(self._outbox.popleft())

    async def _send_audio(self) -> bool:
        """Send one message of reply audio, if one may leave."""
        fetch = self._conversation.next_fetch()
        turn = self._conversation.current
        if fetch is None or turn is None:
            return False
        pcm = fetch.filler or await self._store.read_reply(
            turn.id, fetch.seq, fetch.start, fetch.end
        )
        if self._conversation.current is not turn or self._conversation.next_fetch() is None:
            return True
        if not fetch.filler and len(pcm) < fetch.end - fetch.start:
            turn.playout.lost(fetch)
            logger.error("reply audio gone", extra=self._fields(turn_id=turn.id))
            return True
        self._conversation.sending(fetch, self._clock())
        self._flush()
        await self._send_outbox()
        await self._send(wire.audio_message(turn.number, fetch.at_ms, pcm))
        return True

    def _errand_failed(self, command: Command, error: Exception) -> None:
        if not isinstance(error, CallError):
            logger.error("errand failed", exc_info=error, extra=self._fields())
        self._conversation.failed(command, error, self._clock())
        self._flush()

    def _fields(self, **more: object) -> dict[str, object]:
        return {"call_id": self.id, "user_id": self._user_id, **more}
