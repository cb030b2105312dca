"""A call's two sides on one clock: what was heard when, whatever was sent ahead or taken back."""

from __future__ import annotations

import io
import wave

import pytest

from phone.track import LAG_MS, MOST_AHEAD_MS, PIECE_MS, Tracks
from phone.wav import HEADER_BYTES, header
from voice.audio import BROWSER, PHONE, AudioFormat

SECOND = PHONE.bytes_per_second
QUIET = 0xFF


class Side:
    """The caller's clock runs by itself: every frame is 20 ms of one byte."""

    def __init__(self, tracks: Tracks) -> None:
        self.tracks, self.now, self.out = tracks, 0.0, b""

    def speak(self, seconds: float, byte: int = 1) -> None:
        for _ in range(round(seconds * 50)):
            self.now += 0.02
            self.tracks.heard(bytes([byte]) * 160, self.now)
            self.out += self.tracks.take()

    def finish(self) -> tuple[bytes, bytes]:
        self.out += self.tracks.take(rest=True)
        return self.out[0::2], self.out[1::2]


@pytest.fixture
def side() -> Side:
    return Side(Tracks(PHONE))


def runs(track: bytes, of: int) -> list[tuple[int, int]]:
    """(start, end) in ms of each stretch of this byte."""
    found, start = [], None
    for at, byte in enumerate([*track, None]):
        if byte == of and start is None:
            start = at
        elif byte != of and start is not None:
            found.append((start * 1000 // SECOND, at * 1000 // SECOND))
            start = None
    return found


def test_a_reply_sent_ahead_stands_where_it_is_heard(side: Side) -> None:
    side.speak(1.0)
    for at_ms in range(0, 3000, 100):
        side.tracks.said(5, at_ms, b"\x07" * 800)
    side.speak(6.0)
    caller, agent = side.finish()
    assert len(caller) == len(agent) == 7 * SECOND
    assert runs(agent, 7) == [(1000, 4000)]
    assert set(caller) == {1}


def test_audio_that_comes_late_is_heard_when_it_comes(side: Side) -> None:
    side.tracks.said(1, 0, b"\x07" * 800)
    side.speak(1.0)
    side.tracks.said(1, 100, b"\x08" * 800)
    side.tracks.said(1, 200, b"\x08" * 800)
    side.speak(1.0)
    _, agent = side.finish()
    assert runs(agent, 7) == [(0, 100)]
    assert runs(agent, 8) == [(1000, 1200)]


def test_what_the_caller_interrupted_is_not_in_it(side: Side) -> None:
    for at_ms in range(0, 2000, 100):
        side.tracks.said(1, at_ms, b"\x07" * 800)
    side.speak(0.5)
    side.tracks.cut()
    side.speak(0.5)
    side.tracks.said(2, 0, b"\x08" * 800)
    side.speak(1.0)
    _, agent = side.finish()
    assert runs(agent, 7) == [(0, 500)]
    assert runs(agent, 8) == [(1000, 1100)]


def test_a_caller_whose_device_is_silent_keeps_the_clock(side: Side) -> None:
    side.speak(1.0)
    side.now += 2.0
    side.speak(1.0, byte=2)
    caller, _ = side.finish()
    # The silence is put in when sound comes again, to within what counts as a delay.
    (start, end) = runs(caller, 2)[0]
    assert end - start == 1000
    assert abs(start - 3000) <= LAG_MS


def test_pieces_leave_while_the_call_goes_on_and_little_is_kept(side: Side) -> None:
    most = 0
    for number in range(60):
        side.tracks.said(number, 0, b"\x07" * 2 * SECOND)
        side.speak(1.0)
        most = max(most, len(side.tracks._caller) + len(side.tracks._agent))
    assert most <= 2 * PHONE.bytes_of(PIECE_MS) + 3 * SECOND
    assert len(side.out) >= 2 * (60 - PIECE_MS / 1000) * SECOND


def test_audio_for_the_far_future_is_not_kept(side: Side) -> None:
    side.tracks.said(1, 0, b"\x07")
    side.tracks.said(1, 10 * MOST_AHEAD_MS, b"\x07")
    assert len(side.tracks._agent) == 1


@pytest.mark.parametrize("audio_format", [BROWSER, AudioFormat("pcm16", 24_000)])
def test_pcm_goes_to_its_channel(audio_format: AudioFormat) -> None:
    tracks = Tracks(audio_format)
    tracks.said(1, 0, b"\x02\x00" * 100)
    tracks.heard(b"\x01\x00" * 100, 0.0)
    file = header(audio_format, 400) + tracks.take(rest=True)
    with wave.open(io.BytesIO(file)) as read:
        assert (read.getnchannels(), read.getframerate()) == (2, audio_format.rate_hz)
        assert read.readframes(100) == b"\x01\x00\x02\x00" * 100


def test_the_header_names_mu_law_and_fits_its_length() -> None:
    made = header(PHONE, 16_000)
    assert len(made) == HEADER_BYTES
    assert made[20:24] == b"\x07\x00\x02\x00"
    assert int.from_bytes(made[4:8], "little") + 8 == HEADER_BYTES + 16_000
