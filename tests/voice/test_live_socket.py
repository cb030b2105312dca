"""The socket to a live recogniser, against a server that speaks its protocol well or badly."""

from __future__ import annotations

import asyncio
import datetime
import logging
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.standins.deepgram_live import KEY, Behaviour, DeepgramLive, deepgram_live
from tests.voice.speech import Speech
from voice import live_line, live_socket, upstream
from voice.audio import BROWSER, AudioFormat
from voice.ears import Verdict
from voice.live_line import Line, LineOptions
from voice.live_socket import LiveEar
from voice.turns import Recognise

SECOND = BROWSER.bytes_per_second


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow machine is no failure, unless a test is about time."""
    monkeypatch.setattr(live_line, "BOUNDS", replace(live_line.BOUNDS, open_seconds=60.0))


class Caller:
    """One call with an ear: what it was told, and a voice."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.interims: list[str] = []
        self.verdicts: list[Verdict] = []
        self.speech = Speech()
        self._changed = asyncio.Condition()
        self._telling: set[asyncio.Task[None]] = set()
        self._asked = 0
        self.ear = LiveEar(line, BROWSER, self._interim, self._verdict, {"call_id": "c1"})

    def _interim(self, text: str) -> None:
        self.interims.append(text)
        self._tell()

    def _verdict(self, verdict: Verdict) -> None:
        self.verdicts.append(verdict)
        self._tell()

    def _tell(self) -> None:
        async def tell() -> None:
            async with self._changed:
                self._changed.notify_all()

        task = asyncio.create_task(tell())
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def until(self, true: Callable[[], object]) -> None:
        async with asyncio.timeout(60), self._changed:
            await self._changed.wait_for(true)

    def speak(self, seconds: float) -> None:
        """Begin an utterance of so many seconds, all at once."""
        self.speech = Speech()
        self.ear.started(self.speech)
        self.speech.grow(seconds)
        self.ear.listen()

    def ask(self) -> bool:
        """Pause: may words be expected?"""
        self._asked += 1
        return self.ear.recognise(Recognise(f"u{self._asked}", self.speech.audio))

    async def gone(self) -> None:
        """Until the ear has seen that its socket is closed."""
        for _ in range(6000):
            if self.ear._socket is None:
                return
            await asyncio.sleep(0.01)
        raise AssertionError("the socket is still there")

    async def say(self, seconds: float) -> Verdict:
        """A whole utterance, and what came of it."""
        before = len(self.verdicts)
        self.speak(seconds)
        assert self.ask()
        self.ear.over()
        await self.until(lambda: len(self.verdicts) > before)
        return self.verdicts[-1]


@asynccontextmanager
async def calling(line: Line) -> AsyncIterator[Caller]:
    caller = Caller(line)
    running = asyncio.create_task(caller.ear.run())
    try:
        yield caller
    finally:
        assert not running.done(), running
        running.cancel()
        await asyncio.wait({running}, timeout=60)


def line_to(server: DeepgramLive, **options: Any) -> Line:
    return Line(LineOptions(key=KEY, url=server.url, **{"answer_seconds": 60.0, **options}))


# What is heard -----------------------------------------------------------------------------------
async def test_words_are_shown_while_they_are_spoken_and_told_when_the_caller_pauses() -> None:
    async with deepgram_live() as server, calling(line_to(server, model="nova-9")) as caller:
        caller.speak(0.5)
        await caller.until(lambda: caller.interims)
        caller.speech.grow(0.5)
        assert caller.ask()
        await caller.until(lambda: caller.verdicts)
        (verdict,) = caller.verdicts
        caller.ear.over()
        (visit,) = server.visits
    assert caller.interims[0] == "add"
    assert (verdict.text, verdict.language, verdict.error) == ("add buy milk", "en", "")
    assert verdict.audio_ms == 1000
    assert visit.audio == caller.speech.audio
    assert visit.controls[0] == "Finalize"
    assert visit.largest <= SECOND // 4
    assert visit.authorization == f"Token {KEY}"
    assert visit.query == {
        "model": "nova-9",
        "language": "multi",
        "encoding": "linear16",
        "sample_rate": "16000",
        "channels": "1",
        "interim_results": "true",
        "smart_format": "true",
        "endpointing": "false",
    }


async def test_one_socket_hears_the_whole_call() -> None:
    async with deepgram_live() as server, calling(line_to(server)) as caller:
        texts = [(await caller.say(0.7)).text for _ in range(3)]
    assert texts == ["add buy", "milk", ""]
    assert len(server.visits) == 1
    assert caller.ear.tally.answered == 3


async def test_what_was_said_while_the_socket_opens_is_heard() -> None:
    behaviour = Behaviour(open_delay=0.3)
    async with deepgram_live(behaviour) as server, calling(line_to(server)) as caller:
        verdict = await caller.say(1.0)
    assert verdict.text == "add buy milk"
    assert len(server.visits[0].audio) == SECOND


async def test_a_pause_is_answered_even_where_no_finalize_is() -> None:
    behaviour = Behaviour(marks_flush=False)
    async with deepgram_live(behaviour) as server, calling(line_to(server)) as caller:
        assert (await caller.say(1.0)).text == "add buy milk"


async def test_the_stream_is_closed_when_the_call_ends() -> None:
    async with deepgram_live() as server:
        async with calling(line_to(server)) as caller:
            await caller.say(1.0)
        await server.until(lambda: "CloseStream" in server.visits[0].controls)
        await server.until(server.visits[0].closed.is_set)


async def test_a_call_without_speech_opens_no_socket(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with deepgram_live() as server, calling(line_to(server)) as caller:
        caller.ear.over()
        await asyncio.sleep(0)
    assert server.visits == []
    assert "live hearing" not in caplog.text


async def test_silence_sends_nothing_but_that_the_socket_is_wanted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live_socket, "KEEP_ALIVE_SECONDS", 0.02)
    async with deepgram_live() as server, calling(line_to(server)) as caller:
        await caller.say(1.0)
        visit = server.visits[0]
        await server.until(lambda: visit.controls.count("KeepAlive") >= 10)
        assert len(visit.audio) == SECOND
        assert set(visit.controls) == {"Finalize", "KeepAlive"}
        assert not visit.closed.is_set()


# What goes wrong ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("behaviour", "error"),
    [
        pytest.param(Behaviour(garbage=True), "speech_garbage", id="garbage"),
        pytest.param(Behaviour(dies_after=0.5), "speech_half", id="dies in mid-utterance"),
        pytest.param(Behaviour(forgets=True), "speech_half", id="forgets what it heard"),
        pytest.param(Behaviour(status=401), "speech_auth", id="401"),
        pytest.param(Behaviour(status=429), "speech_rate", id="429"),
        pytest.param(Behaviour(status=500), "speech_server", id="500"),
    ],
)
async def test_a_question_that_is_not_answered_is_given_back(
    behaviour: Behaviour, error: str
) -> None:
    async with deepgram_live(behaviour) as server, calling(line_to(server)) as caller:
        verdict = await caller.say(1.0)
        assert (verdict.error, verdict.text) == (error, "")
        assert verdict.command == Recognise("u1", caller.speech.audio)
    assert caller.ear.tally.fallbacks == 1


@pytest.mark.parametrize("behaviour", [Behaviour(silent=True), Behaviour(answer_delay=60)])
async def test_an_answer_is_waited_for_a_second_and_no_longer(
    behaviour: Behaviour,
) -> None:
    async with (
        deepgram_live(behaviour) as server,
        calling(line_to(server, answer_seconds=0.1)) as caller,
    ):
        caller.speak(1.0)
        await server.until(lambda: bool(server.visits and server.visits[0].audio))
        assert caller.ask()
        await caller.until(lambda: caller.verdicts)
        assert caller.verdicts[0].error == "speech_timeout"
        # A socket that does not answer is given up, and its utterance with it.
        await caller.gone()
        assert not caller.ask()


async def test_a_socket_that_does_not_open_in_time_may_still_serve_the_next_words() -> None:
    async with deepgram_live(Behaviour(open_delay=0.5)) as server:
        line = line_to(server, answer_seconds=0.1)
        async with calling(line) as caller:
            assert (await caller.say(1.0)).error == "speech_unreached"
            line.options = replace(line.options, answer_seconds=60.0)
            assert (await caller.say(1.0)).text == "add buy milk"
    assert [len(visit.audio) for visit in server.visits] == [SECOND]


async def test_where_nothing_listens_the_question_is_given_back() -> None:
    async with deepgram_live() as server:
        line = line_to(server)
    async with calling(line) as caller:
        assert (await caller.say(1.0)).error == "speech_unreached"
        assert not line.open(caller.ear._clock())


async def test_a_refused_key_is_not_shown_again_for_a_minute() -> None:
    async with deepgram_live(Behaviour(status=401)) as server:
        line = line_to(server)
        async with calling(line) as caller:
            await caller.say(1.0)
            caller.speak(1.0)
            assert not caller.ask()
        async with calling(line) as another:
            another.speak(1.0)
            assert not another.ask()
        assert server.refusals == 1


async def test_a_socket_that_died_is_replaced_when_the_caller_speaks_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(upstream, "FIRST_WAIT_SECONDS", 0.0)
    behaviour = Behaviour(dies_after=0.5)
    async with deepgram_live(behaviour) as server, calling(line_to(server)) as caller:
        assert (await caller.say(1.0)).error
        behaviour.dies_after = None
        assert (await caller.say(1.0)).text == "add buy milk"
    assert [len(visit.audio) for visit in server.visits][1:] == [SECOND]


async def test_a_socket_that_was_closed_in_silence_is_no_failure() -> None:
    async with deepgram_live() as server:
        line = line_to(server)
        async with calling(line) as caller:
            await caller.say(1.0)
            await server.hang_up()
            await caller.gone()
            assert line.open(caller.ear._clock())
            assert (await caller.say(1.0)).text == "add buy milk"
    assert caller.ear.tally.fallbacks == 0
    assert len(server.visits) == 2


async def test_a_fault_of_ours_does_not_end_the_call(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with deepgram_live() as server, calling(line_to(server)) as caller:

        def stumble(text: str) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(caller.ear, "_interim", stumble)
        caller.speak(1.0)
        assert caller.ask()
        await caller.until(lambda: caller.verdicts)
        assert caller.verdicts[0].error == "speech"
    assert "live hearing faulty" in caplog.text


async def test_the_key_is_in_no_log_whatever_the_level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="websockets")
    async with deepgram_live() as server, calling(line_to(server)) as caller:
        await caller.say(1.0)
        server.behaviour.status = 401
    assert "live hearing ended" in caplog.text
    assert not [
        record for record in caplog.records if KEY in str(record.__dict__) and _ours(record)
    ]
    assert KEY not in repr(LineOptions(key=KEY))


def _ours(record: logging.LogRecord) -> bool:
    """The stand-in writes what it is shown; it runs in this process, too."""
    return record.name != "websockets.server"


# The way there -----------------------------------------------------------------------------------
async def test_a_server_whose_certificate_nobody_vouches_for_is_not_spoken_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    certificate, key = self_signed(tmp_path)
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(certificate, key)
    async with deepgram_live(tls=served) as server:
        async with calling(line_to(server)) as caller:
            assert (await caller.say(1.0)).error == "speech_unreached"
        details = [getattr(record, "detail", "") for record in caplog.records]
        assert "SSLCertVerificationError" in details
        assert server.visits == []
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        async with calling(line_to(server)) as caller:
            assert (await caller.say(1.0)).text == "add buy milk"


def self_signed(directory: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate, secret = directory / "certificate.pem", directory / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate, secret


def test_a_line_that_fails_is_left_alone_for_longer_each_time() -> None:
    line = Line(LineOptions(key=KEY))
    now, waits = 0.0, []
    for _ in range(9):
        line.failed(now)
        waits.append(next(wait for wait in range(100) if line.open(now + wait)))
        now += 1000
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    line.worked()
    line.failed(now)
    assert line.open(now + 1)
    line.failed(now, hopeless=True)
    assert not line.open(now + 59)
    assert line.open(now + 60)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://api.deepgram.com", "wss://api.deepgram.com/v1/listen?"),
        ("https://dg.example.org/speech/", "wss://dg.example.org/speech/v1/listen?"),
        ("http://127.0.0.1:8080", "ws://127.0.0.1:8080/v1/listen?"),
        ("wss://api.eu.deepgram.com", "wss://api.eu.deepgram.com/v1/listen?"),
    ],
)
def test_the_address_follows_the_one_of_the_workers(url: str, address: str) -> None:
    assert LineOptions(key=KEY, url=url).address(BROWSER).startswith(address)


def test_telephone_audio_is_named_as_it_is() -> None:
    address = LineOptions(key=KEY, language="de").address(AudioFormat("mulaw", 8000))
    for part in ("encoding=mulaw", "sample_rate=8000", "language=de"):
        assert part in address
