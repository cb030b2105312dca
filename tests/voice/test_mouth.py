"""What leaves for the caller: read a piece at a time, in order, and never of another reply."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from tests.voice.test_conversation import Call
from voice import events
from voice.audio import BROWSER
from voice.browser_stream import BrowserWire, read_audio_message
from voice.mouth import Mouth
from voice.options import PlayoutOptions
from voice.turns import Run

SECOND = BROWSER.bytes_per_second
OPTIONS = PlayoutOptions()
MESSAGE, READ = BROWSER.bytes_of(OPTIONS.message_ms), BROWSER.bytes_of(OPTIONS.read_ms)
REPLY = bytes(n % 251 for n in range(SECOND))


class Spoken(Call):
    """A call with a mouth, and a store that has one sentence."""

    def __init__(self, stored: bytes = REPLY) -> None:
        super().__init__()
        self.stored = stored
        self.reads: list[tuple[int, int]] = []
        self.heard = b""
        twin: Any = self
        self.mouth = Mouth(
            conversation=self.talk,
            wire=BrowserWire(),
            send=self._send,
            store=twin,
            fillers=twin,
            flush=self._flush,
            hang_up=lambda _end: None,
            log_fields={},
        )

    def _flush(self) -> None:
        self.take()

    async def read_reply(self, _turn_id: str, _seq: int, start: int, end: int) -> bytes:
        self.reads.append((start, end))
        return self.stored[start:end]

    async def _send(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            self.heard += read_audio_message(message)[2]

    async def speak_out(self) -> None:
        """All that may leave now."""
        self.mouth.wake()
        running = asyncio.create_task(self.mouth.run())
        for _ in range(10):
            await asyncio.sleep(0)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def test_a_reply_is_read_a_piece_at_a_time_and_leaves_in_messages() -> None:
    call = Spoken()
    call.speak("hello")
    call.answer("Good day.")
    await call.speak_out()
    assert call.heard == REPLY
    assert call.reads == [(at, min(at + READ, SECOND)) for at in range(0, SECOND, READ)]
    assert len(call.reads) * READ // MESSAGE == SECOND // MESSAGE


async def test_no_more_is_read_than_is_known_to_be_there() -> None:
    call = Spoken()
    call.speak("hello")
    turn = call.of(Run)[-1].turn.id
    for size in (MESSAGE // 2, MESSAGE * 2):
        call.talk.handle(events.SentenceAudio(turn, 0, size, final=False), call.now)
        await call.speak_out()
    assert call.heard == REPLY[: MESSAGE * 2]
    assert call.reads == [(0, MESSAGE // 2), (MESSAGE // 2, MESSAGE * 2)]


async def test_what_was_read_of_a_reply_that_starts_over_is_not_said() -> None:
    call = Spoken()
    call.speak("hello")
    turn = call.of(Run)[-1].turn.id
    call.talk.handle(events.TurnStarted(turn), call.now)
    call.talk.handle(events.SentenceAudio(turn, 0, READ, final=False), call.now)
    call.talk.next_fetch()
    await call.speak_out()
    first, call.heard = call.heard, b""
    assert first == REPLY[:READ]
    call.stored = REPLY[::-1]
    call.talk.handle(events.TurnStarted(turn), call.now)
    call.talk.handle(events.SentenceAudio(turn, 0, READ, final=False), call.now)
    await call.speak_out()
    assert call.heard == REPLY[::-1][:READ]


async def test_a_mouth_with_nothing_to_say_is_not_woken() -> None:
    call = Spoken()
    running = asyncio.create_task(call.mouth.run())
    await asyncio.sleep(0)
    call.mouth.wake()
    assert not call.mouth._wake.is_set()
    call.mouth.tell({"type": "state", "state": "listening"})
    assert call.mouth._wake.is_set()
    running.cancel()
