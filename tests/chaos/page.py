"""One caller with a page: says commands, remembers what it is told, calls again when cut off."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from random import Random
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from convonet.caller import FRAME_MS, SILENCE
from tests.chaos.claims import Claim, claim_of
from tests.chaos.commands import Commands
from tests.chaos.facts import Attempt, Chip, Command
from tests.chaos.log import EventLog
from tests.chaos.moments import Moments
from voice import notices
from voice.audio import BROWSER
from voice.browser_stream import read_audio_message

# The server keeps a turn for two minutes while its worker is missing, and 40 s more.
PATIENCE_SECONDS = 175.0
DIAL_SECONDS = 90.0
# Faster than anybody listens: the server sends two seconds ahead of what was acknowledged.
ACKNOWLEDGE_SECONDS = 0.1
# Said without an end of a turn: nothing was taken.
_ENDINGS = frozenset({notices.NOT_HEARD, notices.TOO_MANY})


class Page:
    def __init__(
        self,
        name: str,
        user: int,
        url: str,
        ticket: Callable[[], str],
        recordings: Callable[[str], bytes],
        random: Random,
        log: EventLog,
        moments: Moments,
    ) -> None:
        self.name, self.user = name, user
        self.attempts: list[Attempt] = []
        self.dials = 0
        self._url, self._ticket, self._recordings = url, ticket, recordings
        self._random, self._log, self._moments = random, log, moments
        self._commands = Commands(random)
        self._socket: ClientConnection | None = None
        self._call = ""
        self._tasks: list[asyncio.Task[None]] = []
        self._attempt: Attempt | None = None
        self._over = asyncio.Event()
        self._heard: dict[int, int] = {}
        self._turn_of: dict[int, str] = {}
        self._pending = b""
        self._last_done: Command | None = None

    @property
    def busy(self) -> bool:
        return self._attempt is not None

    # What it does ---------------------------------------------------------------------------
    async def talk(self, stop: asyncio.Event) -> None:
        """Until told to stop; what was begun is waited for."""
        while not stop.is_set():
            command = self._commands.next(self._last_done)
            attempt = await self._say(command)
            if _asked_to_repeat(attempt) and not stop.is_set():
                attempt = await self._say(command, repeat=True)
            done = claim_of(attempt) is Claim.DONE
            self._commands.learned(command, done=done)
            undoable = done and attempt.outcome == "done" and command.kind != "undo"
            self._last_done = command if undoable and self._socket is not None else None
            await asyncio.sleep(self._random.uniform(0.0, 0.6))
        await self._hang_up()

    async def _say(self, command: Command, *, repeat: bool = False) -> Attempt:
        await self._dial()
        self._attempt = attempt = Attempt(
            self.name,
            self.user,
            self._call,
            command.kind,
            command.text,
            time.time(),
            title=command.title,
            recording=command.recording,
            repeat=repeat,
        )
        self.attempts.append(attempt)
        self._over.clear()
        self._log.write("said", caller=self.name, call=self._call, command=command, repeat=repeat)
        if command.recording:
            self._pending = self._recordings(command.recording)
        else:
            await self._send({"type": "text", "text": command.text})
        self._moments.reached("sent")
        await self._wait_over(command.interrupt_after)
        attempt.done_at = time.time()
        attempt.outcome = attempt.outcome or "silent"
        self._attempt, self._pending = None, b""
        self._log.write("ended", **_as_fields(attempt))
        self._moments.reached("done")
        if attempt.outcome == "silent":
            await self._hang_up()
        return attempt

    async def _wait_over(self, interrupt_after: float | None) -> None:
        if interrupt_after is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), interrupt_after)
                return
            await self._send({"type": "interrupt"})
        with suppress(TimeoutError):
            await asyncio.wait_for(self._over.wait(), PATIENCE_SECONDS)

    # The line -------------------------------------------------------------------------------
    async def _dial(self) -> None:
        """Call until somebody answers; bounded."""
        deadline = time.monotonic() + DIAL_SECONDS
        while self._socket is None:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.name} could not call for {DIAL_SECONDS:.0f} s")
            self.dials += 1
            try:
                await self._open()
            except (OSError, WebSocketException, TimeoutError) as error:
                self._log.write("dial failed", caller=self.name, error=repr(error))
                await asyncio.sleep(0.3)

    async def _open(self) -> None:
        socket = await connect(
            f"{self._url}?ticket={self._ticket()}", proxy=None, max_queue=None, open_timeout=5
        )
        start = {"type": "start", "time_zone": "Europe/Berlin", "microphone": True}
        await socket.send(json.dumps(start))
        ready: dict[str, Any] = {"type": "state"}
        while ready["type"] not in ("ready", "bye"):
            ready = json.loads(await asyncio.wait_for(socket.recv(), 10))
        if ready["type"] == "bye":
            await socket.close()
            raise TimeoutError(ready["text"])
        self._socket, self._call = socket, ready["call"]
        self._heard.clear()
        self._turn_of.clear()
        self._log.write("call", caller=self.name, call=self._call)
        work: tuple[Callable[[ClientConnection], Awaitable[None]], ...]
        work = (self._listen, self._acknowledge, self._speak)
        self._tasks = [asyncio.ensure_future(_quietly(one, socket)) for one in work]

    async def _hang_up(self) -> None:
        socket, self._socket = self._socket, None
        if socket is not None:
            with suppress(OSError, WebSocketException):
                await socket.send('{"type": "stop"}')
                await asyncio.wait_for(socket.close(), 5)
        for task in self._tasks:
            task.cancel()

    async def _send(self, message: dict[str, Any]) -> None:
        with suppress(OSError, WebSocketException):
            if self._socket is not None:
                await self._socket.send(json.dumps(message))

    async def _acknowledge(self, socket: ClientConnection) -> None:
        told: dict[int, int] = {}
        while True:
            await asyncio.sleep(ACKNOWLEDGE_SECONDS)
            for number, ms in list(self._heard.items()):
                turn = self._turn_of.get(number)
                if turn and told.get(number) != ms:
                    told[number] = ms
                    await socket.send(json.dumps({"type": "played", "turn": turn, "ms": ms}))

    async def _speak(self, socket: ClientConnection) -> None:
        """A recording at the pace it was spoken at, and the silence after it."""
        size, due, silence_left = len(SILENCE), time.monotonic(), 0
        while True:
            if self._pending:
                silence_left = 2000 // FRAME_MS
            elif not silence_left:
                await asyncio.sleep(FRAME_MS / 1000)
                due = time.monotonic()
                continue
            silence_left -= 1
            frame, self._pending = self._pending[:size], self._pending[size:]
            await socket.send(frame.ljust(size, b"\0"))
            due += FRAME_MS / 1000
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def _listen(self, socket: ClientConnection) -> None:
        try:
            async for message in socket:
                if isinstance(message, bytes):
                    self._on_audio(message)
                else:
                    self._on_message(json.loads(message))
        finally:
            if self._socket is socket:
                self._cut(socket)

    def _cut(self, socket: ClientConnection) -> None:
        """The page says that the connection was lost; what was asked last is not known."""
        self._socket = None
        self._log.write("cut", caller=self.name, call=self._call, code=socket.close_code)
        for task in self._tasks:
            if task is not asyncio.current_task():
                task.cancel()
        self._end("cut")

    # What it is told ------------------------------------------------------------------------
    def _on_audio(self, message: bytes) -> None:
        number, at_ms, pcm = read_audio_message(message)
        self._heard[number] = at_ms + BROWSER.ms_of(len(pcm))
        if self._attempt is not None and self._turn_of.get(number) == self._attempt.turn:
            self._word("sound")

    def _on_message(self, message: dict[str, Any]) -> None:
        kind, attempt = message["type"], self._attempt
        if kind not in ("state", "reply_delta"):
            self._log.write("told", caller=self.name, call=self._call, message=message)
        if kind in ("sentence", "filler"):
            self._turn_of[message["number"]] = message["turn"]
        elif kind == "turn_done":
            self._heard.pop(message["number"], None)
        if attempt is None:
            return
        if kind == "transcript":
            self._on_transcript(attempt, message)
        elif kind == "notice":
            self._on_notice(attempt, message["text"])
        elif kind == "bye":
            attempt.bye = message["reason"]
        elif message.get("turn") == attempt.turn:
            self._on_turn(attempt, message)

    def _on_transcript(self, attempt: Attempt, message: dict[str, Any]) -> None:
        if not message["final"] or attempt.turn:
            return
        attempt.turn, attempt.transcript = message["turn"], message["text"]
        self._moments.reached("accepted")
        if not message["text"]:
            attempt.notices.append("(the page shows that no words were heard)")
            self._end("unheard")

    def _on_notice(self, attempt: Attempt, text: str) -> None:
        attempt.notices.append(text)
        self._word(None)
        if text in _ENDINGS and not attempt.transcript:
            self._end("unheard")

    def _on_turn(self, attempt: Attempt, message: dict[str, Any]) -> None:
        match message["type"]:
            case "reply_delta":
                if message.get("restart"):
                    attempt.reply, attempt.restarts = "", attempt.restarts + 1
                    return
                attempt.reply += message["text"]
                self._word("words")
            case "tool":
                chip = Chip(message["name"], message["status"], message["summary"])
                attempt.chips[message["id"]] = chip
                self._word("tool")
            case "filler":
                self._word(None)
            case "turn_done":
                attempt.reply = message["reply"] or attempt.reply
                self._end(message["state"])

    def _word(self, moment: Any) -> None:
        if self._attempt is not None and self._attempt.first_word_at is None:
            self._attempt.first_word_at = time.time()
        if moment:
            self._moments.reached(moment)

    def _end(self, outcome: str) -> None:
        if self._attempt is not None and not self._attempt.outcome:
            self._attempt.outcome = outcome
            self._over.set()


def _asked_to_repeat(attempt: Attempt) -> bool:
    """ "Please try again", "Please say it again": people do."""
    told = " ".join([attempt.reply, *attempt.notices])
    again = "try again" in told or "say it again" in told
    return again and claim_of(attempt) is Claim.NOT_DONE and attempt.kind != "undo"


async def _quietly(
    work: Callable[[ClientConnection], Awaitable[None]], socket: ClientConnection
) -> None:
    with suppress(OSError, WebSocketException):
        await work(socket)


def _as_fields(attempt: Attempt) -> dict[str, Any]:
    return {
        name: getattr(attempt, name)
        for name in ("caller", "call", "turn", "kind", "text", "outcome", "reply", "notices")
    }
