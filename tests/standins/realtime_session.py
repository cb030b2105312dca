"""One socket of the Realtime stand-in: its session, conversation and the caller's audio.

https://platform.openai.com/docs/guides/realtime-conversations says what follows what.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from copy import deepcopy
from typing import Any

from tests.standins.realtime_audio import ServerVad, bytes_per_ms
from tests.standins.realtime_checks import check_event, decoded
from tests.standins.realtime_conversation import Conversation
from tests.standins.realtime_kinds import Refused
from tests.standins.realtime_response import Response
from tests.standins.realtime_script import Audit, Desk, Item, Visit
from tests.standins.realtime_wire import new_id, wire_item

Send = Callable[[str], Awaitable[None]]

LEAST_COMMIT_MS = 100
_DETECTION = {
    "type": "server_vad",
    "threshold": 0.5,
    "prefix_padding_ms": 300,
    "silence_duration_ms": 500,
    "idle_timeout_ms": None,
    "create_response": True,
    "interrupt_response": True,
}
_FORMAT = {"type": "audio/pcm", "rate": 24_000}
_NEW: dict[str, Any] = {
    "type": "realtime",
    "object": "realtime.session",
    "output_modalities": ["audio"],
    "instructions": "Your knowledge cutoff is 2023-10. You are a helpful, witty, and friendly AI.",
    "tools": [],
    "tool_choice": "auto",
    "max_output_tokens": "inf",
    "tracing": None,
    "truncation": "auto",
    "prompt": None,
    "include": None,
    "audio": {
        "input": {
            "format": _FORMAT,
            "transcription": None,
            "noise_reduction": None,
            "turn_detection": _DETECTION,
        },
        "output": {"format": _FORMAT, "voice": "alloy", "speed": 1.0},
    },
}


class Session:
    """`handle` takes the client's messages one by one; `cut` closes the socket without a word."""

    def __init__(self, desk: Desk, visit: Visit, send: Send, cut: Callable[[], None]) -> None:
        self.desk, self.visit, self.cut = desk, visit, cut
        self._send = send
        self.session = deepcopy(_NEW) | {"id": new_id("sess"), "model": visit.model}
        self.conversation = Conversation(visit.items)
        self.response: Response | None = None
        self.visit.session = self.session
        self._appended = Audit()
        self._vad: ServerVad | None = None
        self._hearing_item = ""
        self._committed_bytes = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._listen_anew()

    async def begin(self) -> None:
        await self.tell("session.created", session=self.session)

    async def end(self) -> None:
        tasks = [*self._tasks, *([self.response.task] if self.response else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def tell(self, kind: str, **values: Any) -> None:
        await self._send(json.dumps({"type": kind, "event_id": new_id("event"), **values}))

    async def handle(self, message: str | bytes) -> None:
        try:
            event: Any = json.loads(message)
        except ValueError:
            event = None
        try:
            check_event(event)
            seen = self.visit.events
            seen[event["type"]] = seen.get(event["type"], 0) + 1
            await self._take(event)
        except Refused as refusal:
            self.visit.errors.append(refusal.code)
            error = {
                "type": "invalid_request_error",
                "code": refusal.code,
                "message": refusal.message,
                "param": refusal.param,
                "event_id": event.get("event_id") if isinstance(event, dict) else None,
            }
            await self.tell("error", error=error)

    async def expire(self) -> None:
        message = "Your session hit the maximum duration of 60 minutes."
        error = {
            "type": "invalid_request_error",
            "code": "session_expired",
            "message": message,
            "param": None,
            "event_id": None,
        }
        await self.tell("error", error=error)

    # Settings of the session ------------------------------------------------------------------
    @property
    def input_kind(self) -> str:
        return str(self.session["audio"]["input"]["format"]["type"])

    @property
    def output_kind(self) -> str:
        return str(self.session["audio"]["output"]["format"]["type"])

    async def _update(self, wanted: dict[str, Any]) -> None:
        voice = wanted.get("audio", {}).get("output", {}).get("voice")
        spoken = any(said.audio_bytes for said in self.visit.responses)
        if voice and spoken and voice != self.session["audio"]["output"]["voice"]:
            message = "Cannot update a conversation's voice if assistant audio is present."
            raise Refused("cannot_update_voice", message)
        self.visit.updates.append(wanted)
        audio = wanted.get("audio", {})
        self.session |= {name: value for name, value in wanted.items() if name != "audio"}
        for side in ("input", "output"):
            self.session["audio"][side] |= audio.get(side, {})
        detection = audio.get("input", {}).get("turn_detection")
        if detection:
            self.session["audio"]["input"]["turn_detection"] = _DETECTION | detection
        if {"turn_detection", "format"} & set(audio.get("input", {})):
            self._listen_anew()
        await self.tell("session.updated", session=self.session)

    # The caller's audio -----------------------------------------------------------------------
    def _listen_anew(self) -> None:
        detection = self.session["audio"]["input"]["turn_detection"]
        self._vad = ServerVad(self.input_kind, detection) if detection else None
        if self._vad:
            self._vad.begin_at(self._appended.size // bytes_per_ms(self.input_kind))

    async def _append(self, audio: bytes) -> None:
        if self.input_kind == "audio/pcm" and len(audio) % 2:
            raise Refused("invalid_value", "Audio must be whole 16-bit samples.", "audio")
        self._appended.add(audio)
        self.visit.appended_bytes = self._appended.size
        self.visit.appended_sha256 = self._appended.sha256
        for change, ms in self._vad.feed(audio) if self._vad else ():
            await (self._started(ms) if change == "started" else self._stopped(ms))

    async def _started(self, ms: int) -> None:
        self._hearing_item = new_id("item")
        self.visit.speech.append([ms, ms])
        await self.tell(
            "input_audio_buffer.speech_started", audio_start_ms=ms, item_id=self._hearing_item
        )
        if self._turn_detection["interrupt_response"]:
            await self._cancel("turn_detected")

    async def _stopped(self, ms: int) -> None:
        self.visit.speech[-1][1] = ms
        await self.tell(
            "input_audio_buffer.speech_stopped", audio_end_ms=ms, item_id=self._hearing_item
        )
        await self._commit(self._hearing_item)
        if self._turn_detection["create_response"]:
            await self.respond({})

    @property
    def _turn_detection(self) -> dict[str, Any]:
        return dict(self.session["audio"]["input"]["turn_detection"])

    async def _commit(self, item_id: str) -> None:
        size = self._appended.size - self._committed_bytes
        length_ms = size // bytes_per_ms(self.input_kind)
        if length_ms < LEAST_COMMIT_MS:
            message = (
                "Error committing input audio buffer: buffer too small. Expected at least 100ms"
                f" of audio, but buffer only has {length_ms:.2f}ms of audio."
            )
            raise Refused("input_audio_buffer_commit_empty", message)
        self._committed_bytes = self._appended.size
        words = self.desk.next_transcript()
        item = Item(item_id, "message", "user", words or "", spoken=True)
        before = self.conversation.append(item)
        await self.tell("input_audio_buffer.committed", item_id=item_id, previous_item_id=before)
        await self._added(item, before)
        if self.session["audio"]["input"]["transcription"]:
            self._later(self._transcribe(item_id, words, length_ms))

    async def _transcribe(self, item_id: str, words: str | None, length_ms: int) -> None:
        await asyncio.sleep(self.desk.transcript_wait)
        kind = "conversation.item.input_audio_transcription"
        where = {"item_id": item_id, "content_index": 0}
        if words is None:
            error = {
                "type": "server_error",
                "code": "transcription_failed",
                "message": "The transcription failed.",
                "param": None,
            }
            await self.tell(f"{kind}.failed", **where, error=error)
            return
        usage = {"type": "duration", "seconds": length_ms / 1000}
        await self.tell(f"{kind}.completed", **where, transcript=words, usage=usage)

    # The conversation -------------------------------------------------------------------------
    async def _added(self, item: Item, before: str | None) -> None:
        shown = wire_item(item, "completed")
        for kind in ("conversation.item.added", "conversation.item.done"):
            await self.tell(kind, previous_item_id=before, item=shown)

    async def _create_item(self, wanted: dict[str, Any], after: str | None) -> None:
        item, before = self.conversation.create(wanted, after)
        await self._added(item, before)

    async def _truncate(self, item_id: str, audio_end_ms: int) -> None:
        self.conversation.truncate(item_id, audio_end_ms)
        where = {"item_id": item_id, "content_index": 0}
        await self.tell("conversation.item.truncated", **where, audio_end_ms=audio_end_ms)

    # Responses --------------------------------------------------------------------------------
    async def respond(self, wanted: dict[str, Any]) -> None:
        if self.response is not None and not self.response.over:
            message = (
                "Conversation already has an active response in progress:"
                f" {self.response.said.id}. Wait until the response is finished before"
                " creating a new one."
            )
            raise Refused("conversation_already_has_active_response", message)
        words, answered = self.conversation.last_words()
        reply = self.desk.reply(words, wanted.get("instructions", ""), answered)
        self.response = Response(self, reply, wanted.get("metadata"))

    async def _cancel(self, reason: str, response_id: str | None = None) -> bool:
        response = self.response
        if response is None or response.over:
            return False
        if response_id not in (None, response.said.id):
            return False
        await response.cancel(reason)
        return True

    def _later(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _take(self, event: dict[str, Any]) -> None:
        match event["type"]:
            case "session.update":
                await self._update(event["session"])
            case "input_audio_buffer.append":
                await self._append(decoded(event["audio"]))
            case "input_audio_buffer.commit":
                await self._commit(new_id("item"))
            case "input_audio_buffer.clear":
                self._committed_bytes = self._appended.size
                self._listen_anew()
                await self.tell("input_audio_buffer.cleared")
            case "conversation.item.create":
                await self._create_item(event["item"], event.get("previous_item_id"))
            case "conversation.item.truncate":
                await self._truncate(event["item_id"], event["audio_end_ms"])
            case "response.create":
                await self.respond(event.get("response") or {})
            case "response.cancel":
                if not await self._cancel("client_cancelled", event.get("response_id")):
                    message = "Cancellation failed: no active response found"
                    raise Refused("response_cancel_not_active", message)
