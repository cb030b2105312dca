"""The layers of one phone message, each alone and all together, without a socket."""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Callable, Iterable
from pathlib import Path

from websockets.frames import Frame, Opcode

from convonet.far_end.sound import speech_of
from convonet.front.frames import Frames
from convonet.front.intake import Intake
from phone.media_stream import TwilioWire
from phone.recorder import RecordingWire
from voice import g711
from voice.audio import PHONE
from voice.conversation import Conversation
from voice.ears import Deaf
from voice.limits import AudioAllowance
from voice.listening import Listener
from voice.options import CallOptions
from voice.reader import Reader

SID = "MZ" + "0" * 32
FRAME_MS = 20
SAMPLE = Path(__file__).resolve().parents[3] / "tests/audio/00-woman.wav"
MESSAGES, ROUNDS = 5000, 5


class Clock:
    """Real time as the caller's device has it: on by a frame for each message."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def step(self) -> None:
        self.now += FRAME_MS / 1000


def sound() -> list[bytes]:
    """A sentence and a silence as long, over and over, in frames."""
    said = bytes(speech_of(SAMPLE).audio)
    both = said + b"\xff" * len(said)
    size = PHONE.bytes_of(FRAME_MS)
    frames = [both[at : at + size] for at in range(0, len(both) - size, size)]
    return [frames[number % len(frames)] for number in range(MESSAGES)]


def message(number: int, audio: bytes) -> str:
    payload = b64encode(audio).decode()
    return (
        f'{{"event":"media","sequenceNumber":"{number + 2}","media":{{"track":"inbound",'
        f'"chunk":"{number + 1}","timestamp":"{number * FRAME_MS}","payload":"{payload}"}},'
        f'"streamSid":"{SID}"}}'
    )


def reader(clock: Clock, *, recording: bool = False) -> tuple[Reader, RecordingWire]:
    """A call's, of which nothing that is said leaves."""
    talk = Conversation(PHONE, CallOptions())
    wire = RecordingWire(TwilioWire(SID), clock=clock)
    wire.recording = recording

    def piece_ready() -> None:
        wire.take()

    def flush() -> None:
        talk.take()

    wire.piece_ready = piece_ready
    return (
        Reader(
            conversation=talk,
            wire=wire,
            options=CallOptions(),
            ear=Deaf(),
            flush=flush,
            notice=lambda _text: None,
            key=lambda _digit: None,
            hang_up=lambda _end: None,
            clock=clock,
        ),
        wire,
    )


def measure() -> dict[str, float]:
    """Microseconds of processor time for one message, by layer; the best of some rounds."""
    audio = sound()
    texts = [message(number, frame) for number, frame in enumerate(audio)]
    frames = [Frame(Opcode.TEXT, text.encode()).serialize(mask=True) for text in texts]
    pcm = [g711.decode(frame) for frame in audio]
    return {
        "frame found, unmasked, decoded": best(lambda: _parse(frames)),
        "the same, handed over": best(lambda: _hand_over(frames)),
        "Twilio's words read": best(lambda: _hear(texts)),
        "the same, as any JSON": best(lambda: _decode(texts)),
        "ration": best(lambda: _ration(audio)),
        "mu-law to samples": best(lambda: [g711.decode(frame) for frame in audio]),
        "voice gate": best(lambda: _gate(pcm)),
        "samples, gate, peak, endpointing, buffer": best(lambda: _listen(audio)),
        "from message to gate, in all": best(lambda: _read(texts)),
        "the same, recorded": best(lambda: _read(texts, recording=True)),
        "from bytes to gate, in all": best(lambda: _whole(frames)),
    }


def best(work: Callable[[], object]) -> float:
    took = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        took.append(time.process_time() - began)
    return min(took) / MESSAGES * 1e6


def _parse(frames: Iterable[bytes]) -> None:
    parser = Frames()
    for frame in frames:
        parser.feed(frame)
        while parser.next() is not None:
            pass


def _hand_over(frames: Iterable[bytes]) -> None:
    intake = _intake()
    intake.inbox.hand_to(lambda _message: None)
    for frame in frames:
        intake.feed(frame)


def _intake() -> Intake:
    return Intake(odd=lambda _frame: True, pause=lambda: None, resume=lambda: None)


def _hear(texts: Iterable[str]) -> None:
    wire = TwilioWire(SID)
    for text in texts:
        wire.hear(text)


def _decode(texts: Iterable[str]) -> None:
    wire = TwilioWire(SID)
    for text in texts:
        wire.decode(text)


def _ration(audio: Iterable[bytes]) -> None:
    clock, allowance = Clock(), AudioAllowance(PHONE, CallOptions().flood_seconds)
    for frame in audio:
        clock.step()
        allowance.take(len(frame), clock.now)


def _gate(pcm: Iterable[bytes]) -> None:
    import _webrtcvad

    gate = _webrtcvad.create()
    _webrtcvad.init(gate)
    _webrtcvad.set_mode(gate, CallOptions().endpoint.aggressiveness)
    for samples in pcm:
        _webrtcvad.process(gate, PHONE.rate_hz, samples, len(samples) // 2)


def _listen(audio: Iterable[bytes]) -> None:
    listener = Listener(PHONE, CallOptions().endpoint)
    for frame in audio:
        for _ in listener.feed(frame):
            pass


def _read(texts: Iterable[str], *, recording: bool = False) -> None:
    clock = Clock()
    reading, _ = reader(clock, recording=recording)
    for text in texts:
        clock.step()
        reading.take(text)


def _whole(frames: Iterable[bytes]) -> None:
    clock, intake = Clock(), _intake()
    reading, _ = reader(clock)

    def take(message: str | bytes | None) -> None:
        assert message is not None
        clock.step()
        reading.take(message)

    intake.inbox.hand_to(take)
    for frame in frames:
        intake.feed(frame)
