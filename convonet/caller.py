"""A caller without a person: plays utterances over the real call socket at real-time pace.

Used by `manage.py call`, by the demo and by tests. It keeps the microphone open between
utterances, acknowledges what it "hears" like the page does, and times what a caller would notice.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from voice.audio import BROWSER, AudioFormat
from voice.browser_stream import read_audio_message

FRAME_MS = 40
SILENCE = bytes(BROWSER.bytes_of(FRAME_MS))
# Of calls that a speech-to-speech model holds.
REALTIME = AudioFormat("pcm16", 24_000)
# A caller puts the receiver down when nothing at all happens for so long.
PATIENCE_SECONDS = 45.0
ACKNOWLEDGE_SECONDS = 0.1
INTERRUPT_AFTER_MS = 600


class CallFailed(Exception):
    """The call could not be placed or was ended by the server; the text is its sentence."""


class WrongAudio(CallFailed):
    """The server's calls have another format than the recordings."""

    def __init__(self, wanted: str) -> None:
        super().__init__(f"This server's calls are {wanted}.")
        self.wanted = wanted


@dataclass(slots=True)
class Utterance:
    """PCM16 in the call's format to be spoken, or text to be typed.

    Speech ends `speech_end_ms` into it. With neither, the caller only waits for an answer.
    `interruption` is spoken over the reply once it has been heard for `INTERRUPT_AFTER_MS`; its
    voice starts `interruption_start_ms` in.
    """

    pcm: bytes = b""
    text: str = ""
    speech_end_ms: int = 0
    interruption: bytes = b""
    interruption_start_ms: int = 0


@dataclass(slots=True)
class Exchange:
    """What came of one utterance. Times are ms since the end of the caller's speech."""

    transcript: str = ""
    reply: str = ""
    state: str = "no words"
    tool_calls: list[dict[str, Any]] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    timings_ms: dict[str, int] = field(default_factory=dict)
    server_ms: dict[str, int] = field(default_factory=dict)
    audio: bytearray = field(default_factory=bytearray)
    stopped_ms: int | None = None
    """From the first voice of an interruption to the server's `clear`."""
    late_bytes: int = 0
    """Reply audio that left the server after its `clear`."""


@dataclass(slots=True)
class CallReport:
    exchanges: list[Exchange] = field(default_factory=list)
    bye: str = ""


# What the caller says next, having heard this; None for the next utterance of the list.
FollowUp = Callable[[Exchange], Utterance | None]


class Caller:
    def __init__(self, socket: ClientConnection, audio_format: AudioFormat = BROWSER) -> None:
        self._socket, self._format = socket, audio_format
        self._exchange = Exchange()
        self._speech_ended = 0.0
        self._over = asyncio.Event()
        self._pending: bytes = b""
        self._heard_from: dict[int, float] = {}
        self._turn_ids: dict[int, str] = {}
        self._received: dict[int, int] = {}
        self._interruption = Utterance()
        self._interrupted_at = 0.0
        self._cleared: set[int] = set()
        self.bye = ""

    async def converse(
        self, utterances: Sequence[Utterance], report: CallReport, follow_up: FollowUp
    ) -> None:
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(self._speak()),
                tasks.create_task(self._acknowledge()),
                tasks.create_task(self._listen()),
            ]
            for utterance in utterances:
                report.exchanges.append(await self._say(utterance))
                more = None if self.bye else follow_up(report.exchanges[-1])
                if more is not None:
                    report.exchanges.append(await self._say(more))
                if self.bye:
                    break
            for task in running:
                task.cancel()
        report.bye = self.bye

    async def _say(self, utterance: Utterance) -> Exchange:
        self._exchange = exchange = Exchange()
        self._over.clear()
        self._interruption = utterance
        if utterance.text:
            self._speech_ended = time.monotonic()
            await self._socket.send(json.dumps({"type": "text", "text": utterance.text}))
        elif utterance.pcm:
            # The speaker task starts this within a frame's time.
            self._pending = utterance.pcm
            self._speech_ended = time.monotonic() + utterance.speech_end_ms / 1000
        length = len(utterance.pcm) / self._format.bytes_per_second
        try:
            async with asyncio.timeout(length + PATIENCE_SECONDS):
                await self._over.wait()
        except TimeoutError:
            exchange.state = "no answer"
        return exchange

    async def _speak(self) -> None:
        """Send a frame every 40 ms, by the clock and not by the sum of sleeps."""
        size, due = self._format.bytes_of(FRAME_MS), time.monotonic()
        while True:
            frame, self._pending = self._pending[:size], self._pending[size:]
            await self._socket.send(frame.ljust(size, b"\0"))
            due += FRAME_MS / 1000
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def _acknowledge(self) -> None:
        while True:
            await asyncio.sleep(ACKNOWLEDGE_SECONDS)
            now = time.monotonic()
            for number, began in list(self._heard_from.items()):
                played = min(self._received[number], round((now - began) * 1000))
                if played >= INTERRUPT_AFTER_MS and self._interruption.interruption:
                    self._interrupt(now)
                turn = self._turn_ids.get(number)
                if turn:
                    await self._socket.send(
                        json.dumps({"type": "played", "turn": turn, "ms": played})
                    )

    def _interrupt(self, now: float) -> None:
        spoken, self._interruption = self._interruption, Utterance()
        self._pending = spoken.interruption
        self._interrupted_at = now + spoken.interruption_start_ms / 1000

    async def _listen(self) -> None:
        try:
            async for message in self._socket:
                if isinstance(message, bytes):
                    self._on_audio(message)
                else:
                    self._on_message(json.loads(message))
        except WebSocketException as error:
            self.bye = self.bye or f"the connection broke: {error}"
        self.bye = self.bye or "the call ended"
        self._over.set()

    def _mark(self, name: str) -> None:
        ms = round((time.monotonic() - self._speech_ended) * 1000)
        self._exchange.timings_ms.setdefault(name, ms)

    def _on_audio(self, message: bytes) -> None:
        number, at_ms, pcm = read_audio_message(message)
        if number in self._cleared:
            self._exchange.late_bytes += len(pcm)
            return
        self._mark("first_audio")
        self._heard_from.setdefault(number, time.monotonic())
        self._received[number] = at_ms + self._format.ms_of(len(pcm))
        self._exchange.audio += pcm

    def _on_message(self, message: dict[str, Any]) -> None:
        exchange = self._exchange
        match message["type"]:
            case "transcript" if message["final"]:
                exchange.transcript = message["text"]
                if not message["text"]:
                    self._over.set()
                elif message["source"] == "voice":
                    self._mark("transcript")
            case "reply_delta":
                self._mark("first_token")
            case "sentence" | "filler":
                self._turn_ids[message["number"]] = message["turn"]
            case "tool" if message["status"] != "running":
                exchange.tool_calls.append(
                    {k: message[k] for k in ("name", "arguments", "status", "summary")}
                )
            case "clear":
                self._cleared.add(message["number"])
                self._heard_from.pop(message["number"], None)
                if self._interrupted_at:
                    passed = time.monotonic() - self._interrupted_at
                    exchange.stopped_ms, self._interrupted_at = round(passed * 1000), 0.0
            case "notice":
                exchange.notices.append(message["text"])
            case "turn_done":
                self._mark("done")
                exchange.reply, exchange.state = message["reply"], message["state"]
                exchange.server_ms = message["timings_ms"]
                self._heard_from.pop(message["number"], None)
                self._over.set()
            case "bye":
                self.bye = message["text"]


async def place_call(
    url: str,
    ticket: str,
    utterances: Sequence[Utterance],
    *,
    time_zone: str,
    follow_up: FollowUp = lambda exchange: None,
    audio_format: AudioFormat = BROWSER,
) -> CallReport:
    """Call `url` (ws://…/ws/call) and say these one after the other; raises `CallFailed`.

    `audio_format` is that of the utterances, and must be the call's.
    """
    report = CallReport()
    microphone = any(utterance.pcm for utterance in utterances)
    try:
        async with connect(f"{url}?ticket={ticket}", proxy=None, max_queue=None) as socket:
            start = {"type": "start", "time_zone": time_zone, "microphone": microphone}
            await socket.send(json.dumps(start))
            ready = json.loads(await asyncio.wait_for(socket.recv(), PATIENCE_SECONDS))
            while ready["type"] == "state":
                ready = json.loads(await asyncio.wait_for(socket.recv(), PATIENCE_SECONDS))
            if ready["type"] != "ready":
                raise CallFailed(ready.get("text", "The server did not take the call."))
            if ready["audio"] != str(audio_format):
                raise WrongAudio(ready["audio"])
            await Caller(socket, audio_format).converse(utterances, report, follow_up)
    except (OSError, WebSocketException, TimeoutError) as error:
        if not report.exchanges:
            raise CallFailed(f"No call could be placed at {url}: {error}") from error
        report.bye = report.bye or str(error)
    return report
