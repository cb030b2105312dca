"""One call: joins the conversation with the socket, Redis, rows and queue.

Tasks per call, owned here and ended with it: the reader (`voice.reader`, all that arrives), the
mouth (`voice.mouth`, all that leaves, in order), the hand (`voice.errands`, all that must be
stored or queued, in order), the ear where a live recogniser is configured (`voice.ears`), and the
attendant where one has to ask who is calling (`voice.attendant`).
Each states its bounds.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from dataclasses import replace

from voice import events, keys, sealing
from voice.answering import Announcement
from voice.attendant import Attend, Attendant, NoAttendant
from voice.desk import CallDesk
from voice.ears import Deaf, Ear, Hear, Verdict
from voice.errands import Errands
from voice.errors import CallError
from voice.mouth import Mouth, SendMessage
from voice.reader import Reader, Receive
from voice.setup import CallSetup, Surroundings
from voice.small import Flag
from voice.talk import Talk
from voice.turns import (
    Aside,
    Begin,
    Charge,
    Command,
    Fill,
    Finish,
    ForModel,
    HangUp,
    Recognise,
    Tell,
)
from voice.unfinished import Unfinished

logger = logging.getLogger(__name__)

# What was said is handed on even when the caller is gone, within Daphne's own closing time.
LEAVING_SECONDS = 8.0


class CallSession:
    """From its beginning to the end of its socket, for one person or guest."""

    def __init__(self, setup: CallSetup, around: Surroundings, send: SendMessage) -> None:
        self.id = setup.id
        self._setup, self._around = setup, around
        self._user_id = setup.user_id
        self._hub, self._records = around.hub, around.records
        self._options, self._clock = around.options, around.clock
        self._began = self._clock()
        self._end: HangUp | None = None
        self._ended, self._stirred = Flag(), Flag()
        self._person = ""
        self._unfinished: Sequence[Unfinished] = ()
        self._talk = Talk(setup, around, self._flush, self._fields())
        self._conversation = self._talk.conversation
        if not setup.screen:
            self._conversation.say_notices()
        self._mouth = Mouth(
            conversation=self._conversation,
            wire=setup.wire,
            send=send,
            store=around.store,
            fillers=around.fillers,
            flush=self._flush,
            hang_up=self._hang_up,
            log_fields=self._fields(),
        )
        self._ear = self._ear_by(around.hear)
        self._attendant = self._attendant_by(setup.attend)
        self._reader = Reader(
            conversation=self._conversation,
            wire=setup.wire,
            options=around.options,
            ear=self._ear,
            flush=self._flush,
            notice=self._mouth.notice,
            key=self._attendant.key,
            hang_up=self._hang_up,
            tap=self._talk.tap,
            clock=self._clock,
        )
        self._errands = Errands(
            self.id,
            setup,
            around,
            begun=self._begun,
            failed=self._errand_failed,
            extra=self._talk.extra,
        )

    def _ear_by(self, hear: Hear | None) -> Ear:
        if hear is None:
            return Deaf()
        return hear(self._setup.wire.format, self._on_interim, self._on_verdict, self._fields())

    def _attendant_by(self, attend: Attend | None) -> Attendant:
        if attend is None:
            return NoAttendant()
        desk = CallDesk(
            self.id,
            self._conversation,
            clock=self._clock,
            flush=self._flush,
            known=self._known,
            hang_up=self._hang_up,
        )
        return attend(desk)

    # Life -----------------------------------------------------------------------------------
    async def run(self, receive: Receive) -> HangUp:
        """Carry the call until either side ends it; answers how it ended."""
        await self._open()
        logger.info("call began", extra=self._fields())
        try:
            with self._hub.listening(tick=self._tick, broker=self._broker_changed):
                if self._setup.attend is not None:
                    aside = keys.aside_stream(self.id)
                    await self._hub.subscribe(aside, self._on_aside, from_start=True, once=True)
                await self._carry(receive)
        finally:
            self._hub.unsubscribe(keys.call_stream(self.id), self._on_event)
            self._hub.unsubscribe(keys.aside_stream(self.id), self._on_aside)
            if self._person:
                self._hub.unsubscribe(self._person, self._on_event)
            end = self._end or HangUp(1000, "left", "")
            await self._close(end)
            took = round(self._clock() - self._began, 1)
            logger.info("call ended", extra=self._fields(reason=end.reason, seconds=took))
        return end

    async def _open(self) -> None:
        setup = self._setup
        if setup.row_exists:
            taken = await self._records.take_call(self.id)
            self._conversation.count_from(taken.last_turn)
            self._unfinished = taken.unfinished
            return
        await self._records.open_call(
            self.id, self._user_id, setup.channel, setup.time_zone, str(setup.wire.format)
        )

    async def _close(self, end: HangUp) -> None:
        audio = self._reader.audio
        if self._broke:
            await self._records.let_go(self.id, audio.received_ms, audio.dropped)
        else:
            await self._records.close_call(self.id, end.reason, audio.received_ms, audio.dropped)
            if not self._conversation.undecided:
                # Else the sweeper looks in it for what the recogniser answers.
                await self._hub.delete(keys.call_stream(self.id))

    @property
    def _broke(self) -> bool:
        """Nobody ended the call, and it may go on."""
        return self._setup.resumable and self._end is None

    def let_go(self) -> None:
        """Another socket has come for this call: leave it to that one."""
        self._ended.set()

    async def _carry(self, receive: Receive) -> None:
        self._mouth.tell({"type": "ready", "call": self.id, "audio": str(self._setup.wire.format)})
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            parts = [
                tasks.create_task(self._mouth.run()),
                tasks.create_task(self._errands.run()),
                tasks.create_task(self._ear.run()),
                tasks.create_task(self._attendant.run()),
                tasks.create_task(self._talk.run()),
            ]
            if self._setup.identified:
                await self._join_person(self._user_id)
            self._attendant.begun()
            # After the attendant's first words comes what was not heard, by events told once more.
            self._conversation.resume(self._unfinished, self._clock())
            self._flush()
            await self._hub.subscribe(keys.call_stream(self.id), self._on_event, from_start=True)
            reader = tasks.create_task(self._reader.run(receive))
            ended = tasks.create_task(self._ended.wait())
            await asyncio.wait({reader, ended}, return_when=asyncio.FIRST_COMPLETED)
            reader.cancel()
            ended.cancel()
            if self._end is None or not self._end.at_once:
                await self._leave()
            for part in parts:
                part.cancel()

    async def _join_person(self, user_id: int) -> None:
        """From here on the call hears what is told to this person, and what was missed."""
        self._user_id, self._person = user_id, keys.person_stream(user_id)
        await self._hub.subscribe(self._person, self._on_event, from_start=False)
        await self._tell_missed_reminders()

    def _known(self, user_id: int) -> None:
        self._errands.known(user_id)
        self._conversation.caller_known()
        self._flush()
        self._tasks.create_task(self._join_person(user_id))

    async def _leave(self) -> None:
        """Hand on what was said before the caller went; forget what was half said."""
        self._conversation.leaving(self._clock())
        self._reader.finish()
        self._flush()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LEAVING_SECONDS):
                if self._broke:
                    self._conversation.break_off()
                else:
                    await self._decided()
                    self._conversation.leave(self._clock())
                self._flush()
                await self._errands.finished()
                return
        logger.error("call left undecided", extra=self._fields())

    async def _decided(self) -> None:
        while self._conversation.undecided:
            self._stirred.clear()
            await self._stirred.wait()

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
            self._conversation.announce(Announcement(event.speech, event.reminder_id), now)
        elif not isinstance(event, events.TodosChanged):
            self._conversation.handle(event, now)
        self._flush()

    def _on_aside(self, event: events.Event) -> None:
        if isinstance(event, events.Transcribed):
            text = sealing.opened_text(event.text, event.utterance_id)
            self._on_event(replace(event, text=text))

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
        self._reader.tick(now)
        self._attendant.tick(now)
        self._conversation.tick(now)
        self._flush()

    async def _tell_missed_reminders(self) -> None:
        for reminder_id, text in await self._records.missed_reminders(self._user_id):
            missed = Announcement(f"You missed a reminder: {text}", reminder_id)
            self._conversation.announce(missed, self._clock())
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
            case ForModel(what=what):
                self._talk.carry(what)
            case Aside(turn=turn):
                if not self._attendant.words(turn.transcript or "") and turn.transcript:
                    self._conversation.take_up(turn, self._clock())
                    self._flush()
            case Recognise(by_worker=False) if self._ear.recognise(command):
                pass
            case Recognise(by_worker=False):
                self._errands.add(replace(command, by_worker=True))
            case Finish(heard=heard) if heard and self._conversation.settled:
                position = self._hub.position(keys.call_stream(self.id))
                self._errands.add(replace(command, settled=position))
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
