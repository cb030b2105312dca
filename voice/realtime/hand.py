"""Carries out what the conversation wants stored or queued for the model on the line."""

from __future__ import annotations

from typing import Protocol

from voice.audio import AudioFormat
from voice.events import Event
from voice.realtime import deeds
from voice.turns import LiveTurn


class Store(Protocol):
    async def put_utterance(self, utterance_id: str, audio: bytes, fmt: AudioFormat) -> None: ...
    async def put_tool_request(
        self, turn_id: str, call_id: str, ordinal: int, name: str, arguments: str
    ) -> None: ...
    async def tell_call(self, call_id: str, *told: Event) -> None: ...


class Queue(Protocol):
    async def send(self, task: str, *ids: str | int) -> None: ...


class Records(Protocol):
    async def set_words(self, turn: LiveTurn) -> None: ...
    async def set_reply(self, turn: LiveTurn, model: str) -> None: ...
    async def charge_response(
        self, call_id: str, charge: deeds.ChargeResponse, model: str
    ) -> None: ...
    async def charge_words(self, call_id: str, charge: deeds.ChargeWords, model: str) -> None: ...


class Hand:
    """One call's; `do` is called in the order of the call's errands."""

    def __init__(
        self,
        call_id: str,
        audio_format: AudioFormat,
        *,
        store: Store,
        queue: Queue,
        records: Records,
        model: str,
        transcribe_model: str,
    ) -> None:
        self._call_id, self._format = call_id, audio_format
        self._store, self._queue, self._records = store, queue, records
        self._model, self._transcribe_model = model, transcribe_model

    async def do(self, deed: deeds.Deed) -> None:
        match deed:
            case deeds.Brief():
                await self._queue.send("brief", self._call_id)
            case deeds.Keep(utterance_id=utterance_id, audio=audio):
                await self._store.put_utterance(utterance_id, audio, self._format)
            case deeds.HearAgain(utterance_id=utterance_id):
                await self._queue.send("transcribe", utterance_id, self._call_id)
            case deeds.RunTool(turn_id=turn_id, call_id=call_id):
                await self._store.put_tool_request(
                    turn_id, call_id, deed.ordinal, deed.name, deed.arguments
                )
                await self._queue.send("run_tool", turn_id, call_id)
            case deeds.WriteWords(turn=turn):
                await self._records.set_words(turn)
            case deeds.WriteReply(turn=turn, told=told):
                await self._records.set_reply(turn, self._model)
                if told:
                    await self._store.tell_call(self._call_id, *told)
            case deeds.ChargeResponse():
                await self._records.charge_response(self._call_id, deed, self._model)
            case deeds.ChargeWords():
                await self._records.charge_words(self._call_id, deed, self._transcribe_model)
