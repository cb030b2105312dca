"""The hand of a call: in order, what the conversation wants stored, written or queued."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from convonet import counters
from convonet.stopwatch import mark
from voice import keys
from voice.errors import WorkerMissing
from voice.setup import CallSetup, Surroundings
from voice.small import Jobs
from voice.turns import (
    Announce,
    AskAfter,
    Begin,
    Cancel,
    Charge,
    Command,
    Drop,
    Extra,
    Finish,
    LiveTurn,
    Recognise,
    Run,
)

# A turn makes about five errands and at most four turns wait: more means a lost broker.
ERRANDS = 64


class Errands:
    def __init__(
        self,
        call_id: str,
        setup: CallSetup,
        around: Surroundings,
        *,
        begun: Callable[[Begin], None],
        failed: Callable[[Command, Exception], None],
        extra: Callable[[Any], Awaitable[None]] | None = None,
    ) -> None:
        """`extra` does what is for a model on the line."""
        self._call_id, self._user_id, self._format = call_id, setup.user_id, setup.wire.format
        self._store, self._queue, self._records = around.store, around.queue, around.records
        self._hub, self._stream = around.hub, keys.call_stream(call_id)
        self._begun, self._failed, self._extra = begun, failed, extra
        self._waiting: Jobs[Command] = Jobs(ERRANDS)
        self._next: Command | None = None
        self._asked = ""

    def known(self, user_id: int) -> None:
        """The caller is this person."""
        self._user_id = user_id

    def add(self, command: Command) -> None:
        if isinstance(command, Begin):
            mark("ended", command.turn.id)
        try:
            self._waiting.put_nowait(command)
        except asyncio.QueueFull as error:
            counters.add("errands_overflows")
            self._failed(command, error)

    async def run(self) -> None:
        while True:
            command, self._next = self._next or await self._waiting.get(), None
            try:
                await self._do(command)
            except Exception as error:
                # One place turns a failed errand into what the caller is told.
                self._failed(command, error)
            finally:
                self._waiting.task_done()

    async def finished(self) -> None:
        await self._waiting.join()

    async def _do(self, command: Command) -> None:
        match command:
            case Recognise(utterance_id=utterance_id, audio=audio, aside=aside):
                put = self._store.put_aside if aside else self._store.put_utterance
                await put(utterance_id, audio, self._format)
                await self._queue.send("transcribe", utterance_id, self._call_id)
            case Charge(verdict=verdict, model=model):
                await self._records.charge(self._call_id, verdict, model)
            case Begin(turn=turn):
                asked = self._is_to_run_next(turn)
                await self._records.begin_turn(self._call_id, turn, asked=asked)
                self._asked = turn.id if asked else ""
                mark("row", turn.id)
                self._begun(command)
            case Run(turn=turn):
                if self._asked != turn.id:
                    await self._records.set_transcript(turn)
                self._asked = ""
                mark("asked", turn.id)
                await self._queue.send("run_turn", turn.id)
                mark("queued", turn.id)
            case Drop(turn=turn):
                await self._records.drop_turn(turn.id)
            case Cancel(turn=turn):
                await self._store.cancel(turn.id)
            case Finish(turn=turn):
                await self._finish(command)
            case Announce(turn=turn, text=text):
                await self._store.put_sentence(turn.id, self._call_id, self._format, text)
                await self._queue.send("speak", turn.id, 0)
            case AskAfter(turn=turn, role=role):
                await self._ask_after(turn, role)
            case Extra(what=what) if self._extra is not None:
                await self._extra(what)

    def _is_to_run_next(self, turn: LiveTurn) -> bool:
        """A turn whose words are known when it begins is written once, with all there is."""
        if self._next is None and not self._waiting.empty():
            self._next = self._waiting.get_nowait()
        return isinstance(self._next, Run) and self._next.turn is turn

    async def _finish(self, command: Finish) -> None:
        turn = command.turn
        if turn.reminder_id is not None:
            await self._records.reminder_told(self._user_id, turn.reminder_id)
        if not turn.announcement:
            await self._records.finish_turn(turn, command.outcome, command.heard)
            if command.settled:
                # Whoever takes the call over begins behind the last turn that was heard.
                await self._hub.trim(self._stream, command.settled)
        await self._store.drop_reply(turn.id, turn.playout.sentences)

    async def _ask_after(self, turn: LiveTurn, role: str) -> None:
        if not await self._store.alive(role):
            raise WorkerMissing(role)
