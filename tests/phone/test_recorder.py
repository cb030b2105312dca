"""What the recorder hands on: nothing before consent, nothing private, everything else in order."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from phone.recorder import MOST_KEPT, Recorder, RecordingWire, recorded
from phone.track import PIECE_MS
from voice.audio import PHONE
from voice.controls import Audio, Control
from voice.errors import BrokerLost

CONSENT = "This call is recorded."
PIECES = 2 * PHONE.bytes_of(PIECE_MS)


class PlainWire:
    format = PHONE

    def hear(self, message: str | bytes) -> bytes | None:
        return message if isinstance(message, bytes) else None

    def decode(self, message: str | bytes) -> Control | None:
        return Audio(message) if isinstance(message, bytes) else None

    def message(self, message: dict[str, Any]) -> str:
        return str(message["type"])

    def audio(self, turn_id: str, number: int, at_ms: int, audio: bytes) -> tuple[bytes]:
        return (audio,)


class Shelf:
    def __init__(self) -> None:
        self.pieces: dict[str, bytes] = {}
        self.lost = False
        self.tried = asyncio.Event()
        self.two = asyncio.Event()

    async def put(self, call_id: str, name: str, piece: bytes) -> None:
        self.tried.set()
        if self.lost:
            raise BrokerLost("test")
        self.pieces[name] = piece
        if len(self.pieces) == 2:
            self.two.set()


@pytest.fixture
def wire() -> RecordingWire:
    ticks = iter(range(10**9))
    made = RecordingWire(PlainWire(), clock=lambda: next(ticks) * 0.02)
    made.ask(CONSENT)
    return made


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Shelf:
    monkeypatch.setattr("phone.recorder.RETRY_SECONDS", 0.01)
    return Shelf()


def consented(wire: RecordingWire, state: str = "done") -> None:
    wire.message({"type": "turn_done", "reply": CONSENT, "state": state})


def hear(wire: RecordingWire, ms: int, byte: int = 1) -> None:
    """Every other message comes in a wording that is not the common one."""
    for number in range(ms // 20):
        (wire.decode if number % 2 else wire.hear)(bytes([byte]) * 160)


async def test_nothing_is_recorded_before_the_caller_has_heard_that_it_is(
    wire: RecordingWire, shelf: Shelf
) -> None:
    async with recorded("call", 1, wire, shelf):
        assert wire.consent_to_say() == CONSENT
        assert wire.consent_to_say() == "", "once"
        hear(wire, 1000)
        consented(wire)
        hear(wire, 1000, byte=2)
    assert b"".join(shelf.pieces.values())[0::2] == b"\x02" * 8000


async def test_a_consent_that_was_cut_short_is_said_again(wire: RecordingWire) -> None:
    assert wire.consent_to_say() == CONSENT
    consented(wire, state="interrupted")
    assert not wire.recording
    assert wire.consent_to_say() == CONSENT
    consented(wire)
    assert wire.recording


async def test_pieces_are_handed_on_in_order_while_the_call_goes_on(
    wire: RecordingWire, shelf: Shelf
) -> None:
    consented(wire)
    async with recorded("call", 2, wire, shelf):
        hear(wire, 2 * PIECE_MS)
        async with asyncio.timeout(60):
            await shelf.two.wait()
        hear(wire, 1000)
    assert list(shelf.pieces) == ["002-000000", "002-000001", "002-000002"]
    assert [len(piece) for piece in shelf.pieces.values()] == [PIECES, PIECES, 16_000]


async def test_what_is_private_is_silence(wire: RecordingWire, shelf: Shelf) -> None:
    consented(wire)
    async with recorded("call", 1, wire, shelf):
        wire.private = lambda: True
        hear(wire, 200, byte=7)
        wire.private = lambda: False
        hear(wire, 200, byte=2)
    caller = b"".join(shelf.pieces.values())[0::2]
    assert caller == b"\xff" * 1600 + b"\x02" * 1600


async def test_a_person_who_never_wants_it_is_recorded_no_further(
    wire: RecordingWire, shelf: Shelf
) -> None:
    consented(wire)
    async with recorded("call", 1, wire, shelf):
        hear(wire, 200)
        wire.stop()
        hear(wire, 200, byte=2)
        consented(wire)
        assert not wire.recording
    assert 2 not in b"".join(shelf.pieces.values())


async def test_a_lost_broker_gets_the_newest_pieces_when_it_is_back(
    wire: RecordingWire, shelf: Shelf
) -> None:
    consented(wire)
    recorder = Recorder("call", 1, wire, shelf)
    running = asyncio.create_task(recorder.run())
    shelf.lost = True
    hear(wire, (MOST_KEPT + 2) * PIECE_MS)
    assert len(recorder._kept) == MOST_KEPT
    async with asyncio.timeout(60):
        await shelf.tried.wait()
    shelf.lost = False
    running.cancel()
    await asyncio.wait({running})
    await recorder.finish()
    assert recorder.dropped == 2
    assert list(shelf.pieces) == ["001-000002", "001-000003", "001-000004"]


async def test_everything_goes_over_the_wire_as_without_a_recorder(wire: RecordingWire) -> None:
    assert wire.decode(b"\x01" * 160) == Audio(b"\x01" * 160)
    assert wire.message({"type": "clear"}) == "clear"
    assert wire.audio("turn", 1, 0, b"abc") == (b"abc",)
    assert wire.format is PHONE
