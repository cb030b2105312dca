"""A call with a live recogniser: what the ear is given, and where its verdicts go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings

from convonet.recordings import read_wav
from tests.standins.deepgram_live import KEY
from voice import live_line, wiring
from voice.audio import BROWSER, AudioFormat
from voice.browser_stream import BrowserWire
from voice.call import CallSession
from voice.conversation import Conversation
from voice.ears import Said, Verdict
from voice.errors import BrokerLost
from voice.live import FINALIZE, LiveHearing
from voice.options import CallOptions
from voice.reader import Reader
from voice.setup import CallSetup, Surroundings
from voice.turns import HangUp, LiveTurn, Recognise

AUDIO = Path(__file__).resolve().parents[1] / "audio"
SECOND = BROWSER.bytes_per_second
SPEECH = read_wav(AUDIO / "10-man.wav")


def quiet(seconds: float) -> bytes:
    return bytes(int(seconds * 16_000) * 2)


# What the ear is given ---------------------------------------------------------------------------
class Ear(LiveHearing):
    """The real machine with a socket that takes everything: what was sent up to each question."""

    model = "test"

    def __init__(self) -> None:
        super().__init__(BROWSER)
        self.connected()
        self.sent = bytearray()
        self.asked: list[tuple[bytes, bytes]] = []
        """(what was asked about, what was sent of that utterance by its `Finalize`)."""
        self.left_over: list[int] = []
        """ms of it that had not been sent before the question."""

    def started(self, said: Said) -> None:
        super().started(said)
        self.sent.clear()

    def listen(self) -> None:
        self._drain()

    def recognise(self, command: Recognise, now: float = 0.0) -> bool:
        self.left_over.append(BROWSER.ms_of(len(command.audio) - len(self.sent)))
        accepted = super().recognise(command, now)
        assert self._drain() == 1
        self.asked.append((command.audio, bytes(self.sent)))
        return accepted

    def _drain(self) -> int:
        finalizes = 0
        while (frame := self.next_frame(0.0)) is not None:
            if isinstance(frame, str):
                assert frame == FINALIZE
                finalizes += 1
            else:
                self.sent += frame
        return finalizes

    async def run(self) -> None: ...


def reader_with(ear: Ear) -> Reader:
    conversation = Conversation(BROWSER, CallOptions())

    def flush() -> None:
        for command in conversation.take():
            if isinstance(command, Recognise):
                ear.recognise(command)

    return Reader(
        conversation=conversation,
        wire=BrowserWire(),
        # All at once, where a caller takes his time.
        options=replace(CallOptions(), flood_seconds=1e9),
        ear=ear,
        flush=flush,
        notice=lambda text: None,
        key=lambda digit: None,
        hang_up=lambda end: None,
    )


async def play(reader: Reader, audio: bytes, message_ms: int) -> None:
    size = BROWSER.bytes_of(message_ms)
    messages = iter([*(audio[at : at + size] for at in range(0, len(audio), size)), None])

    async def receive() -> bytes | None:
        return next(messages)

    await reader.run(receive)


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voice.limits.BURST_MS", 10**9)


@pytest.mark.usefixtures("unhurried")
@pytest.mark.parametrize("message_ms", [20, 40, 100, 200])
async def test_what_is_asked_about_is_what_was_sent(message_ms: int) -> None:
    ear = Ear()
    # Its silence at the end, and the next one's before its first word, make a pause and no end.
    hesitating = SPEECH[: SECOND * 13 // 10 & ~1] + SPEECH + quiet(1.0)
    await play(reader_with(ear), hesitating + SPEECH + quiet(1.0), message_ms)
    lengths = [len(audio) / SECOND for audio, _ in ear.asked]
    assert len(lengths) >= 3, "a pause, the end of the first utterance, and the second"
    assert lengths[0] < lengths[1] > lengths[-1]
    for audio, sent in ear.asked:
        assert sent == audio
    assert max(ear.left_over) <= 100 + message_ms, "the rest left while it was spoken"


@pytest.mark.usefixtures("unhurried")
async def test_an_utterance_that_is_cut_is_sent_to_its_last_frame() -> None:
    ear = Ear()
    endless = (SPEECH[SECOND // 2 : -SECOND // 2]) * 50
    await play(reader_with(ear), endless, 40)
    assert max(len(audio) for audio, _ in ear.asked) >= 29 * SECOND
    assert all(sent == audio for audio, sent in ear.asked)


@pytest.mark.usefixtures("unhurried")
async def test_silence_and_noise_below_a_voice_are_never_sent() -> None:
    ear = Ear()
    await play(reader_with(ear), quiet(5.0), 40)
    assert ear.sent == b""
    assert not ear.busy


# Where its verdicts go ---------------------------------------------------------------------------
class World:
    """Redis, queue, rows and hub of one call, which only remember."""

    def __init__(self) -> None:
        self.stored: dict[str, bytes] = {}
        self.queued: list[tuple[str, str]] = []
        self.charged: list[tuple[Verdict, str]] = []
        self.turns: list[LiveTurn] = []
        self.broken = False
        self._changed = asyncio.Event()

    async def until(self, true: Callable[[], object]) -> None:
        async with asyncio.timeout(60):
            while not true():
                self._changed.clear()
                await self._changed.wait()

    async def put_utterance(self, utterance_id: str, audio: bytes, fmt: AudioFormat) -> None:
        if self.broken:
            self._changed.set()
            raise BrokerLost("test")
        self.stored[utterance_id] = audio

    async def send(self, task: str, *ids: str) -> None:
        self.queued.append((task, ids[0]))
        self._changed.set()

    async def charge(self, call_id: str, verdict: Verdict, model: str) -> None:
        self.charged.append((verdict, model))
        self._changed.set()

    async def set_transcript(self, turn: LiveTurn) -> None:
        self.turns.append(turn)

    async def missed_reminders(self, user_id: int) -> list[tuple[int, str]]:
        return []

    async def subscribe(self, *args: Any, **kwargs: Any) -> None: ...

    def unsubscribe(self, *args: Any) -> None: ...
    async def delete(self, *args: Any) -> None: ...
    async def trim(self, *args: Any) -> None: ...

    def position(self, stream: str) -> str:
        return "0-0"

    def listening(self, *, tick: Any, broker: Any) -> AbstractContextManager[None]:
        self.broker = broker
        return nullcontext()

    def __getattr__(self, name: str) -> Any:
        """Whatever else is stored or written."""

        async def nothing(*args: Any, **kwargs: Any) -> None: ...

        return nothing


class ScriptedEar:
    """Accepts each question; the test gives the verdict."""

    model = "nova-test"

    def __init__(self, verdict: Callable[[Verdict], None]) -> None:
        self.verdict = verdict
        self.questions: list[Recognise] = []
        self.ended = False

    def started(self, said: Said) -> None: ...
    def listen(self) -> None: ...
    def resumed(self) -> None: ...
    def over(self) -> None: ...

    def recognise(self, command: Recognise) -> bool:
        self.questions.append(command)
        return True

    async def run(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            self.ended = True


class Talk:
    """A running session whose caller has said one thing, up to its end."""

    def __init__(self) -> None:
        self.world = World()
        self.sent: list[str | bytes] = []
        self._audio = iter(_messages(SPEECH + quiet(1.0)))
        self.heard, self.over = asyncio.Event(), asyncio.Event()
        self.ears: list[ScriptedEar] = []
        world: Any = self.world
        setup = CallSetup(user_id=1, channel="command", time_zone="UTC", wire=BrowserWire())
        around = Surroundings(
            store=world,
            queue=world,
            hub=world,
            records=world,
            fillers=world,
            options=CallOptions(),
            hear=self._hear,
        )
        self.session = CallSession(setup, around, self._send)

    @property
    def ear(self) -> ScriptedEar:
        return self.ears[0]

    def _hear(
        self,
        audio_format: AudioFormat,
        interim: Callable[[str], None],
        verdict: Callable[[Verdict], None],
        log_fields: dict[str, object],
    ) -> ScriptedEar:
        self.ears.append(ScriptedEar(verdict))
        return self.ears[-1]

    async def _send(self, message: str | bytes) -> None:
        self.sent.append(message)

    async def receive(self) -> bytes | None:
        message = next(self._audio, None)
        if message is None:
            self.heard.set()
            await self.over.wait()
        return message


def _messages(audio: bytes) -> list[bytes]:
    return [audio[at : at + 1280].ljust(1280, b"\0") for at in range(0, len(audio), 1280)]


@asynccontextmanager
async def talking() -> AsyncIterator[Talk]:
    """Within: the caller has spoken and the session runs; after it, the call has ended."""
    talk = Talk()
    running = asyncio.create_task(talk.session.run(talk.receive))
    await asyncio.wait_for(talk.heard.wait(), 60)
    yield talk
    talk.over.set()
    end: HangUp = await asyncio.wait_for(running, 60)
    assert end.reason == "left"
    assert talk.ear.ended


@pytest.mark.usefixtures("unhurried")
async def test_live_words_run_the_turn_and_no_worker_is_asked() -> None:
    async with talking() as talk:
        (question,) = talk.ear.questions
        talk.ear.verdict(Verdict(command=question, text="read me my list", language="de"))
        await talk.world.until(lambda: talk.world.charged)
    (turn,) = talk.world.turns
    assert (turn.transcript, turn.language) == ("read me my list", "de")
    assert turn.utterance_id == question.utterance_id
    assert talk.world.stored == {}
    assert [task for task, _ in talk.world.queued] == ["run_turn"]
    ((charged, model),) = talk.world.charged
    assert (charged.command, model) == (question, "nova-test")


@pytest.mark.usefixtures("unhurried")
async def test_a_question_that_comes_back_goes_to_a_worker_as_it_is() -> None:
    async with talking() as talk:
        (question,) = talk.ear.questions
        talk.ear.verdict(Verdict(command=question, error="no answer"))
        await talk.world.until(lambda: talk.world.charged)
        assert talk.world.queued == [("transcribe", question.utterance_id)]
        assert talk.world.stored == {question.utterance_id: question.audio}
        assert talk.ear.questions == [question]
        # So that the caller may leave: the worker's answer.
        talk.ear.verdict(Verdict(command=question, text="read me my list"))


@pytest.mark.usefixtures("unhurried")
async def test_a_question_that_the_broker_did_not_take_is_not_asked_of_the_ear_again() -> None:
    async with talking() as talk:
        (question,) = talk.ear.questions
        talk.world.broken = True
        talk.ear.verdict(Verdict(command=question, error="no answer"))
        await talk.world.until(lambda: talk.world.charged)
        talk.world.broken = False
        talk.world.broker(True)
        await talk.world.until(lambda: talk.world.queued)
        assert talk.world.queued == [("transcribe", question.utterance_id)]
        assert talk.ear.questions == [question]
        talk.ear.verdict(Verdict(command=question, text="read me my list"))


# When it is used ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("transcribers", "live", "key", "used"),
    [
        (["deepgram", "local"], True, KEY, True),
        (["deepgram"], True, KEY, True),
        (["deepgram", "local"], False, KEY, False),
        (["deepgram", "local"], True, "", False),
        (["local", "deepgram"], True, KEY, False),
        (["local"], True, KEY, False),
        ([], True, KEY, False),
    ],
)
def test_calls_are_heard_live_where_deepgram_is_the_first_to_be_asked(
    transcribers: list[str], live: bool, key: str, used: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEEPGRAM_API_KEY", key)
    with override_settings(TRANSCRIBERS=transcribers, DEEPGRAM_LIVE=live):
        assert (wiring.live_recogniser() is not None) == used


def test_the_workers_variables_hold_for_the_live_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "API_KEY": KEY,
        "URL": "http://127.0.0.1:9",
        "HEAR_MODEL": "nova-2",
        "LANGUAGE": "de",
        "LIVE_SECONDS": "2.5",
    }.items():
        monkeypatch.setenv(f"DEEPGRAM_{name}", value)
    assert live_line.options_from_environment() == live_line.LineOptions(
        key=KEY, url="http://127.0.0.1:9", model="nova-2", language="de", answer_seconds=2.5
    )
