"""One call: joins the conversation with the socket, Redis, rows and queue.

Tasks per call, owned here and ended with it: the reader (`voice.reader`, all that arrives), the
mouth (`voice.mouth`, all that leaves, in order), the hand (`voice.errands`, all that must be
stored or queued, in order), and the ear where a live recogniser is configured (`voice.ears`).
Each states its bounds.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from dataclasses import replace

from voice import browser_stream as wire
from voice import events, keys
from voice.audio import BROWSER, AudioFormat
from voice.conversation import Conversation
from voice.ears import Deaf, Ear, Hear, Verdict
from voice.errands import Errands
from voice.errors import CallError
from voice.fillers import Fillers
from voice.mouth import Mouth, SendMessage
from voice.options import CallOptions
from voice.ports import Events, Queue, Records, Store
from voice.reader import Reader, Receive
from voice.turns import Begin, Charge, Command, Fill, HangUp, Recognise, Tell, new_id

logger = logging.getLogger(__name__)

# What was said is handed on even when the caller is gone, within Daphne's own closing time.
LEAVING_SECONDS = 8.0


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
        hear: Hear | None = None,
        audio_format: AudioFormat = BROWSER,
    ) -> None:
        self.id = new_id()
        self._user_id, self._channel, self._start = user_id, channel, start
        self._hub, self._records = hub, records
        self._format, self._options = audio_format, options
        self._clock = time.monotonic
        self._began = self._clock()
        self._end: HangUp | None = None
        self._ended, self._stirred = asyncio.Event(), asyncio.Event()
        self._conversation = Conversation(audio_format, options)
        self._mouth = Mouth(
            conversation=self._conversation,
            send=send,
            store=store,
            fillers=fillers,
            flush=self._flush,
            hang_up=self._hang_up,
            log_fields=self._fields(),
        )
        self._ear = self._ear_by(hear)
        self._reader = Reader(
            conversation=self._conversation,
            audio_format=audio_format,
            options=options,
            ear=self._ear,
            flush=self._flush,
            notice=self._mouth.notice,
            hang_up=self._hang_up,
        )
        self._errands = Errands(
            self.id, user_id, audio_format, store, queue, records, self._begun, self._errand_failed
        )

    def _ear_by(self, hear: Hear | None) -> Ear:
        if hear is None:
            return Deaf()
        return hear(self._format, self._on_interim, self._on_verdict, self._fields())

    # Life -----------------------------------------------------------------------------------
    async def run(self, receive: Receive) -> HangUp:
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
            audio = self._reader.audio
            await self._records.close_call(self.id, end.reason, audio.received_ms, audio.dropped)
            took = round(self._clock() - self._began, 1)
            logger.info("call ended", extra=self._fields(reason=end.reason, seconds=took))
        return end

    async def _carry(self, receive: Receive) -> None:
        self._mouth.tell({"type": "ready", "call": self.id, "audio": str(self._format)})
        async with asyncio.TaskGroup() as tasks:
            mouth = tasks.create_task(self._mouth.run())
            hand = tasks.create_task(self._errands.run())
            ear = tasks.create_task(self._ear.run())
            reader = tasks.create_task(self._reader.run(receive))
            await self._tell_missed_reminders()
            ended = tasks.create_task(self._ended.wait())
            await asyncio.wait({reader, ended}, return_when=asyncio.FIRST_COMPLETED)
            reader.cancel()
            ended.cancel()
            await self._leave()
            mouth.cancel()
            hand.cancel()
            ear.cancel()

    async def _leave(self) -> None:
        """Hand on what was said before the caller went; forget what was half said."""
        self._reader.finish()
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

    # Events ---------------------------------------------------------------------------------
    def _on_event(self, event: events.Event) -> None:
        now = self._clock()
        if isinstance(event, events.ReminderDue):
            self._mouth.tell(
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

    def _on_interim(self, text: str) -> None:
        self._conversation.speech_understood(text)
        self._flush()

    def _on_verdict(self, verdict: Verdict) -> None:
        """Words, or the question back."""
        asked = verdict.command
        if verdict.error:
            self._errands.add(replace(asked, by_worker=True))
        else:
            event = events.Transcribed(
                asked.utterance_id, verdict.text, verdict.took_ms, language=verdict.language
            )
            self._conversation.handle(event, self._clock())
            self._flush()
        self._errands.add(Charge(verdict, self._ear.model))

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
        self._mouth.wake()
        self._stirred.set()

    def _route(self, command: Command) -> None:
        match command:
            case Tell(message=message):
                self._mouth.tell(message)
            case HangUp():
                self._hang_up(command)
            case Fill(turn=turn):
                self._mouth.fill(turn)
            case Recognise(by_worker=False) if self._ear.recognise(command):
                pass
            case Recognise(by_worker=False):
                self._errands.add(replace(command, by_worker=True))
            case _:
                self._errands.add(command)

    def _hang_up(self, end: HangUp) -> None:
        if self._end is None:
            self._end = end
            self._ended.set()

    def _begun(self, begin: Begin) -> None:
        self._conversation.begun(begin)
        self._flush()

    def _errand_failed(self, command: Command, error: Exception) -> None:
        if not isinstance(error, CallError):
            logger.error("errand failed", exc_info=error, extra=self._fields())
        self._conversation.failed(command, error, self._clock())
        self._flush()

    def _fields(self, **more: object) -> dict[str, object]:
        return {"call_id": self.id, "user_id": self._user_id, **more}
