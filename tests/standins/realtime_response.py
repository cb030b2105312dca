"""One response of the Realtime stand-in: words spoken in deltas of uneven length, function calls.

Audio comes faster than it is heard, as the service makes it. A response that is cancelled ends in
the published order, and then lets one more delta out.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from tests.standins.realtime_audio import bytes_per_ms, speech
from tests.standins.realtime_script import Audit, Item, Reply, Said
from tests.standins.realtime_wire import new_id, wire_item

if TYPE_CHECKING:
    from tests.standins.realtime_session import Session

# The service's deltas are neither alike nor whole frames.
DELTA_MS = (200, 35, 400, 120, 65, 300, 250)
ARGUMENT_CHARACTERS = 12
_FAILED = {
    "rate": ("rate_limit_exceeded", "Rate limit reached for the model. Please try again in 6s."),
    "server": ("server_error", "The server had an error while processing your request."),
}


class _Cancelled(Exception):
    """Between two events: what has begun to leave has left."""


class Response:
    """Runs as a task of its own from the moment it is made."""

    def __init__(
        self, session: Session, reply: Reply, metadata: dict[str, str] | None = None
    ) -> None:
        self._session, self._reply, self._metadata = session, reply, metadata
        self.said = Said(new_id("resp"))
        session.visit.responses.append(self.said)
        self.over = False
        self._output: list[dict[str, Any]] = []
        self._speaking: Item | None = None
        self._audit = Audit()
        self._transcript = ""
        self._stop = asyncio.Event()
        self.task = asyncio.get_running_loop().create_task(self._run())

    # Its life ---------------------------------------------------------------------------------
    async def _run(self) -> None:
        with suppress(_Cancelled):
            await self._answer()

    async def _answer(self) -> None:
        reply = self._reply
        await self._tell("response.created", response=self._wire("in_progress", None))
        limits = [{"name": "tokens", "limit": 40_000, "remaining": 39_000, "reset_seconds": 1.5}]
        await self._tell("rate_limits.updated", rate_limits=limits)
        await self._pause(reply.wait)
        if reply.fail == "silence":
            await self._pause(3600)
        if reply.fail in _FAILED:
            await self._end("failed", reply.fail)
            return
        if reply.say:
            await self._speak()
        if reply.fail == "short":
            await self._end("incomplete", "max_output_tokens")
            return
        for name, arguments in reply.tools:
            await self._call(name, arguments)
        await self._end("completed", "")

    async def cancel(self, reason: str) -> None:
        self._stop.set()
        await self.task
        if self.over:
            return
        speaking = self._speaking
        if speaking is not None:
            await self._spoken(speaking, "incomplete")
        await self._end("cancelled", reason)
        if speaking is not None and self._session.desk.late_delta:
            late = self._audio(self._audit.size, DELTA_MS[0])
            self.said.late_bytes = len(late)
            await self._delta(speaking, late)

    async def _pause(self, seconds: float) -> None:
        """At least so long as to let others run; raises _Cancelled."""
        await asyncio.sleep(0)
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, seconds)):
                await self._stop.wait()
        if self._stop.is_set():
            raise _Cancelled

    async def _end(self, status: str, reason: str) -> None:
        self.over = True
        self.said.status, self.said.reason = status, reason
        details: dict[str, Any] = {"type": status}
        if status == "failed":
            code, message = _FAILED[reason]
            details["error"] = {"type": code, "code": code, "message": message}
        elif status != "completed":
            details["reason"] = reason
        await self._tell("response.done", response=self._wire(status, details))

    def _wire(self, status: str, details: dict[str, Any] | None) -> dict[str, Any]:
        output = self._session.session["audio"]["output"]
        return {
            "object": "realtime.response",
            "id": self.said.id,
            "status": status,
            "status_details": details,
            "output": self._output,
            "conversation_id": self._session.conversation.id,
            "output_modalities": ["audio"],
            "max_output_tokens": "inf",
            "audio": {"output": {"format": output["format"], "voice": output["voice"]}},
            "metadata": self._metadata,
            "usage": None if details is None else self._usage(),
        }

    def _usage(self) -> dict[str, Any]:
        """As the service counts: audio by its length, text by its letters."""
        heard = self._session.visit.appended_bytes // bytes_per_ms(self._session.input_kind) // 100
        text_in = len(str(self._session.session["instructions"])) // 4
        made_ms = self._audit.size // bytes_per_ms(self._session.output_kind)
        text_out, audio_out = len(self._reply.say) // 4, made_ms // 50
        details = {"text_tokens": text_in, "audio_tokens": heard, "image_tokens": 0}
        cached = {"text_tokens": 0, "audio_tokens": 0, "image_tokens": 0}
        return {
            "total_tokens": text_in + heard + text_out + audio_out,
            "input_tokens": text_in + heard,
            "output_tokens": text_out + audio_out,
            "input_token_details": {
                **details,
                "cached_tokens": 0,
                "cached_tokens_details": cached,
            },
            "output_token_details": {"text_tokens": text_out, "audio_tokens": audio_out},
        }

    # Speaking ---------------------------------------------------------------------------------
    async def _speak(self) -> None:
        item = Item(new_id("item"), "message", "assistant", spoken=True)
        self.said.item_id = item.id
        await self._item_added(item)
        self._speaking = item
        part = {"type": "audio", "transcript": ""}
        await self._tell(
            "response.content_part.added", **self._of(item), content_index=0, part=part
        )
        await self._say_all(item)
        self._speaking = None
        await self._spoken(item, "incomplete" if self._reply.fail == "short" else "completed")

    async def _say_all(self, item: Item) -> None:
        loop = asyncio.get_running_loop()
        due, speed = loop.time(), self._reply.speed or self._session.desk.speed
        length_ms = self._reply.spoken_ms // (2 if self._reply.fail == "short" else 1)
        at_ms = 0
        for delta_ms in itertools.cycle(DELTA_MS):
            if at_ms >= length_ms:
                return
            cut = self._reply.cut_at_ms
            if cut is not None and at_ms >= cut:
                self._session.cut()
                await self._pause(3600)
            delta_ms = min(delta_ms, length_ms - at_ms)
            await self._say(item, delta_ms, at_ms + delta_ms)
            at_ms += delta_ms
            due += delta_ms / 1000 / speed
            await self._pause(due - loop.time())

    async def _say(self, item: Item, delta_ms: int, until_ms: int) -> None:
        """The words of this piece, then its audio."""
        whole = self._reply.say
        words = whole[: len(whole) * until_ms // self._reply.spoken_ms][len(self._transcript) :]
        if words:
            self._transcript += words
            item.text = self._transcript
            kind = "response.output_audio_transcript.delta"
            await self._tell(kind, **self._of(item), content_index=0, delta=words)
        audio = self._audio(self._audit.size, delta_ms)
        self._audit.add(audio)
        self.said.audio_bytes, self.said.sha256 = self._audit.size, self._audit.sha256
        item.audio_ms = self._audit.size // bytes_per_ms(self._session.output_kind)
        await self._delta(item, audio)

    def _audio(self, at: int, ms: int) -> bytes:
        kind = self._session.output_kind
        unit = bytes_per_ms(kind)
        return speech(kind, self._reply.from_ms * unit + at, ms * unit)

    async def _delta(self, item: Item, audio: bytes) -> None:
        delta = base64.b64encode(audio).decode()
        kind = "response.output_audio.delta"
        await self._tell(kind, **self._of(item), content_index=0, delta=delta)

    async def _spoken(self, item: Item, status: str) -> None:
        where = {**self._of(item), "content_index": 0}
        await self._tell("response.output_audio.done", **where)
        await self._tell(
            "response.output_audio_transcript.done", **where, transcript=self._transcript
        )
        part = {"type": "audio", "transcript": self._transcript}
        await self._tell("response.content_part.done", **where, part=part)
        await self._item_done(item, status)

    # Calling functions ------------------------------------------------------------------------
    async def _call(self, name: str, arguments: Any) -> None:
        text = arguments if isinstance(arguments, str) else json.dumps(arguments)
        call_id = new_id("call")
        item = Item(new_id("item"), "function_call", name=name, call_id=call_id)
        self.said.tools.append(name)
        await self._item_added(item)
        where = {**self._of(item), "call_id": call_id}
        for at in range(0, len(text), ARGUMENT_CHARACTERS):
            delta = text[at : at + ARGUMENT_CHARACTERS]
            await self._tell("response.function_call_arguments.delta", **where, delta=delta)
        item.text = text
        await self._tell(
            "response.function_call_arguments.done", **where, name=name, arguments=text
        )
        await self._item_done(item, "completed")

    # Items and events -------------------------------------------------------------------------
    async def _item_added(self, item: Item) -> None:
        item.response_id = self.said.id
        before = self._session.conversation.append(item)
        shown = wire_item(item, "in_progress")
        self._output.append(shown)
        await self._tell("response.output_item.added", **self._of(item, named=False), item=shown)
        await self._tell("conversation.item.added", previous_item_id=before, item=shown)

    async def _item_done(self, item: Item, status: str) -> None:
        shown = wire_item(item, status)
        self._output[-1] = shown
        before = self._session.conversation.before(item)
        await self._tell("conversation.item.done", previous_item_id=before, item=shown)
        await self._tell("response.output_item.done", **self._of(item, named=False), item=shown)

    def _of(self, item: Item, *, named: bool = True) -> dict[str, Any]:
        index = next((n for n, one in enumerate(self._output) if one["id"] == item.id), 0)
        where = {"response_id": self.said.id, "output_index": index}
        return where | ({"item_id": item.id} if named else {})

    async def _tell(self, kind: str, **values: Any) -> None:
        await self._session.tell(kind, **values)
