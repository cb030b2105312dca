"""A running call with the bridge in it and a stand-in of the service; all else is played here.

Redis, rows, queue and workers of one call: they remember what they were asked and answer at once.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from convonet.recordings import read_wav
from tests.standins.openai import KEY
from tests.standins.realtime import Realtime as Service
from tests.standins.realtime import serving
from voice import events
from voice.audio import BROWSER, PHONE
from voice.browser_stream import BrowserWire, read_audio_message
from voice.call import CallSession
from voice.events import Briefed, Event, Transcribed
from voice.options import CallOptions
from voice.realtime.hand import Hand
from voice.realtime.line import RealtimeLine
from voice.realtime.options import RealtimeOptions
from voice.realtime.wiring import Realtime
from voice.setup import CallSetup, Surroundings
from voice.turns import LiveTurn, Outcome
from workers.speech.sound import to_bytes, to_samples

AUDIO = Path(__file__).resolve().parents[2] / "audio"
_spoken = to_bytes(to_samples(read_wav(AUDIO / "10-man.wav"), BROWSER, 8000), 8000, PHONE)
FRAME = 160
SPEECH = _spoken.ljust(-(-len(_spoken) // FRAME) * FRAME, b"\xff")
QUIET = b"\xff" * 8000
TOOLS = [
    {"type": "function", "name": "add_todo", "parameters": {"type": "object", "properties": {}}}
]


class World:
    """Workers answer what `answers` says; `slow` holds the store up."""

    def __init__(self) -> None:
        self.tell: Callable[[Event], None] = lambda event: None
        self.tick: Callable[[float], None] = lambda now: None
        self.changed = asyncio.Event()
        self.history: list[dict[str, str]] = []
        self.replies: dict[tuple[str, int], bytes] = {}
        self.utterances: dict[str, bytes] = {}
        self.sentences: dict[str, str] = {}
        self.requests: dict[tuple[str, str], tuple[int, str, str]] = {}
        self.queued: list[tuple[str, ...]] = []
        self.rows: dict[str, LiveTurn] = {}
        self.ends: list[tuple[str, Outcome, str]] = []
        self.written: list[str] = []
        self.words = "what the worker heard"
        self.room = asyncio.Event()
        self.room.set()

    async def until(self, true: Callable[[], object]) -> None:
        async with asyncio.timeout(60):
            while not true():
                self.changed.clear()
                await self.changed.wait()

    # Redis --------------------------------------------------------------------------------------
    async def put_utterance(self, utterance_id: str, audio: bytes, fmt: Any) -> None:
        self.utterances[utterance_id] = audio
        self.changed.set()

    async def append_reply(self, turn_id: str, seq: int, offset: int, audio: bytes) -> bool:
        await self.room.wait()
        before = self.replies.get((turn_id, seq), b"") if offset else b""
        assert len(before) == offset
        self.replies[turn_id, seq] = before + audio
        return True

    async def read_reply(self, turn_id: str, seq: int, start: int, end: int) -> bytes:
        return self.replies.get((turn_id, seq), b"")[start:end]

    async def put_sentence(self, turn_id: str, call_id: str, fmt: Any, text: str) -> None:
        self.sentences[turn_id] = text

    async def put_tool_request(
        self, turn_id: str, call_id: str, ordinal: int, name: str, arguments: str
    ) -> None:
        self.requests[turn_id, call_id] = (ordinal, name, arguments)

    # Workers ------------------------------------------------------------------------------------
    async def send(self, task: str, *ids: str) -> None:
        self.queued.append((task, *ids))
        self.changed.set()
        for event in self._answers(task, ids):
            asyncio.get_running_loop().call_soon(self.tell, event)

    def _answers(self, task: str, ids: tuple[str, ...]) -> list[Event]:
        match task:
            case "brief":
                return [Briefed("Be brief.", TOOLS, self.history)]
            case "transcribe":
                return [Transcribed(ids[0], self.words)]
            case "run_tool":
                turn_id, call_id = ids
                return [events.ToolAnswered(turn_id, call_id, "Added.")]
            case "run_turn":
                return self._spoken(ids[0], "From a worker.", reply=True)
            case "speak":
                return self._spoken(ids[0], "", reply=False)
        return []

    def _spoken(self, turn_id: str, text: str, *, reply: bool) -> list[Event]:
        self.replies[turn_id, 0] = QUIET[:800]
        audio = events.SentenceAudio(turn_id, 0, 800, final=True)
        if not reply:
            return [audio]
        return [
            events.TurnStarted(turn_id),
            events.ReplyDelta(turn_id, text),
            events.SentenceReady(turn_id, 0, text),
            audio,
            events.TurnFinished(turn_id, text, 1),
        ]

    def tasks(self, name: str) -> list[list[str]]:
        return [ids for task, *ids in self.queued if task == name]

    # Rows ---------------------------------------------------------------------------------------
    async def begin_turn(self, call_id: str, turn: LiveTurn, *, asked: bool) -> None:
        self.rows[turn.id] = turn

    async def finish_turn(self, turn: LiveTurn, outcome: Outcome, heard: str) -> None:
        self.ends.append((turn.reply, outcome, heard))
        self.changed.set()

    async def set_reply(self, turn: LiveTurn, model: str) -> None:
        self.written.append(turn.reply)

    async def missed_reminders(self, user_id: int) -> list[tuple[int, str]]:
        return []

    # Events -------------------------------------------------------------------------------------
    async def subscribe(self, stream: str, receive: Any, **how: Any) -> None:
        if ":call:" in stream:
            self.tell = receive

    def unsubscribe(self, *args: Any) -> None: ...
    async def delete(self, *args: Any) -> None: ...
    async def trim(self, *args: Any) -> None: ...

    def position(self, stream: str) -> str:
        return "0-0"

    def listening(self, *, tick: Any, broker: Any) -> AbstractContextManager[None]:
        self.tick = tick
        return nullcontext()

    def pick(self, number: int) -> None:
        """No fillers."""

    def __getattr__(self, name: str) -> Any:
        """Whatever else is stored or written."""

        async def nothing(*args: Any, **kwargs: Any) -> None: ...

        return nothing


class Line(Realtime):
    """As the product's, with the rows and keys of the world."""

    def hand(self, call_id: str, audio_format: Any) -> Hand:
        world: Any = self.store
        return Hand(
            call_id,
            audio_format,
            store=world,
            queue=world,
            records=world,
            model="m",
            transcribe_model="t",
        )


class Caller:
    """A telephone without a network: hears all at once, unless `deaf`."""

    def __init__(self, world: World, service: Service, line: RealtimeLine) -> None:
        self.world, self.service = world, service
        self.messages: list[dict[str, Any]] = []
        self.heard: dict[int, bytearray] = {}
        self.deaf = False
        self.cleared: set[int] = set()
        self.late_bytes = 0
        self._inbox: asyncio.Queue[bytes | str | None] = asyncio.Queue()
        self._turns: dict[int, str] = {}
        twin: Any = world
        setup = CallSetup(user_id=1, channel="phone", time_zone="UTC", wire=BrowserWire(PHONE))
        options = replace(CallOptions(), flood_seconds=1e9, messages_per_second=100_000)
        around = Surroundings(
            store=twin,
            queue=twin,
            hub=twin,
            records=twin,
            fillers=twin,
            options=options,
            realtime=Line(line, twin, twin),
        )
        self.session = CallSession(setup, around, self._send)

    async def _send(self, message: str | bytes) -> None:
        if isinstance(message, str):
            self._told(json.loads(message))
        else:
            number, at_ms, audio = read_audio_message(message)
            if number in self.cleared:
                self.late_bytes += len(audio)
                return
            heard = self.heard.setdefault(number, bytearray())
            assert at_ms == PHONE.ms_of(len(heard)), "in order, without a gap"
            heard += audio
            if not self.deaf:
                self.hear(number)
        self.world.changed.set()

    def _told(self, message: dict[str, Any]) -> None:
        self.messages.append(message)
        if "number" in message:
            self._turns[message["number"]] = message["turn"]
        if message["type"] == "clear":
            self.cleared.add(message["number"])

    def hear(self, number: int, ms: int | None = None) -> None:
        """All of this reply that has come, or so much."""
        ms = PHONE.ms_of(len(self.heard[number])) if ms is None else ms
        played = {"type": "played", "turn": self._turns[number], "ms": ms}
        self._inbox.put_nowait(json.dumps(played))

    def say(self, audio: bytes) -> None:
        assert len(audio) % FRAME == 0
        for at in range(0, len(audio), FRAME):
            self._inbox.put_nowait(audio[at : at + FRAME])

    def write(self, text: str) -> None:
        self._inbox.put_nowait(json.dumps({"type": "text", "text": text}))

    def hang_up(self) -> None:
        self._inbox.put_nowait(None)

    async def receive(self) -> bytes | str | None:
        return await self._inbox.get()

    async def on_line(self, sockets: int = 1) -> None:
        """Until the model listens: it is told so by the first audio it gets."""

        def listens() -> bool:
            visits = self.service.visits
            return len(visits) >= sockets and visits[-1].appended_bytes > 0

        def asks() -> bool:
            self.say(QUIET[:FRAME])
            self.world.tick(0.0)
            return listens()

        await self.until(asks)

    async def until(self, true: Callable[[], object]) -> None:
        """What nobody tells of: looked for again and again, a minute at most."""
        for _ in range(6000):
            if true():
                return
            await asyncio.sleep(0.01)
        raise TimeoutError

    def told(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.messages if message["type"] == kind]

    async def ended(self, turns: int) -> None:
        """So many exchanges are over, and written."""
        await self.world.until(lambda: len(self.world.ends) >= turns)


@asynccontextmanager
async def calling(**options: Any) -> AsyncIterator[Caller]:
    """Within: the call is up and the model on its way to it; after it, the caller has gone."""
    async with serving() as service:
        wanted = RealtimeOptions(key=KEY, url=service.url, **options)
        caller = Caller(World(), service, RealtimeLine(wanted))
        running = asyncio.create_task(caller.session.run(caller.receive))
        try:
            yield caller
        finally:
            caller.hang_up()
            await asyncio.wait_for(running, 60)
