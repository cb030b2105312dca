import itertools
import struct

import numpy as np
import pytest

from voice import g711
from voice.audio import BROWSER, PHONE, AudioFormat
from workers.errors import SpeechError
from workers.speech.finish import LEVEL, PEAK, finish
from workers.speech.options import Quality
from workers.speech.sound import Stream, level, resample, to_bytes, to_samples

RATE_HZ = 16_000


def _tone(seconds: float = 1.0, hz: float = 440.0, peak: float = 0.5) -> np.ndarray:
    times = np.arange(int(RATE_HZ * seconds)) / RATE_HZ
    return (peak * np.sin(2 * np.pi * hz * times)).astype(np.float32)


@pytest.mark.parametrize("audio_format", [BROWSER, PHONE, AudioFormat("pcm16", 24_000)])
def test_a_tone_survives_the_way_out_and_in(audio_format: AudioFormat) -> None:
    audio = to_bytes(_tone(), RATE_HZ, audio_format)
    assert abs(audio_format.ms_of(len(audio)) - 1000) <= 1
    back = to_samples(audio, audio_format, RATE_HZ)
    spectrum = np.abs(np.fft.rfft(back))
    assert abs(int(spectrum.argmax()) * RATE_HZ / len(back) - 440) < 2
    assert level(back) == pytest.approx(level(_tone()), rel=0.03)


@pytest.mark.parametrize("way_out", ["whole", "stream"])
def test_each_of_the_65536_values_leaves_as_it_is(way_out: str) -> None:
    pcm = struct.pack("<65536h", *range(-32_768, 32_768))
    line = AudioFormat("pcm16", 8_000)
    if way_out == "stream":
        assert Stream(8_000, line).push(pcm) == pcm
    else:
        assert to_bytes(to_samples(pcm, line, 8_000), 8_000, line) == pcm


@pytest.mark.parametrize("way_out", ["whole", "stream"])
def test_each_of_the_65536_values_leaves_as_its_mulaw_code(way_out: str) -> None:
    pcm = struct.pack("<65536h", *range(-32_768, 32_768))
    samples = to_samples(pcm, AudioFormat("pcm16", 8_000), 8_000)
    out = Stream(8_000, PHONE).push(pcm) if way_out == "stream" else to_bytes(samples, 8_000, PHONE)
    assert out == g711.encode(pcm)


def test_each_mulaw_code_comes_in_as_its_value_and_leaves_as_it_came_but_minus_zero() -> None:
    codes = bytes(range(256))
    samples = to_samples(codes, PHONE, 8_000)
    assert (samples * 32_768).tolist() == list(struct.unpack("<256h", g711.decode(codes)))
    assert to_bytes(samples, 8_000, PHONE) == codes.replace(b"\x7f", b"\xff")


def test_what_is_too_loud_is_clipped_and_does_not_wrap() -> None:
    pcm = np.frombuffer(to_bytes(_tone(peak=3.0), RATE_HZ, BROWSER), "<i2")
    assert (pcm.max(), pcm.min()) == (32_767, -32_768)
    codes = set(to_bytes(_tone(peak=3.0), RATE_HZ, PHONE))
    assert {0x00, 0x80} <= codes


def test_silence_stays_silent_through_a_stream() -> None:
    """Integers out of soxr come dithered."""
    stream = Stream(24_000, PHONE)
    out = stream.push(bytes(48_000)) + stream.push(b"", last=True)
    assert out == b"\xff" * 8_000


def test_a_stream_has_no_seams() -> None:
    pcm = to_bytes(_tone(), RATE_HZ, BROWSER)
    for quality in Quality:
        stream = Stream(RATE_HZ, AudioFormat("pcm16", 24_000), quality)
        cuts = [0, 2, 40, 642, 10_000, 10_002, len(pcm)]
        parts = [stream.push(pcm[a:b]) for a, b in itertools.pairwise(cuts)]
        joined = np.frombuffer(b"".join(parts) + stream.push(b"", last=True), "<i2")
        whole = to_bytes(_tone(), RATE_HZ, AudioFormat("pcm16", 24_000), quality)
        assert np.abs(joined - np.frombuffer(whole, "<i2").astype(int)).max() <= 2


def _left_of(hz: float, quality: Quality) -> float:
    """How much of a tone in the browser's band is left on the phone, in dB."""
    tone = _tone(hz=hz)
    middle = resample(tone, RATE_HZ, 8_000, quality)[800:-800]
    return 20 * float(np.log10(level(middle) / level(tone)))


@pytest.mark.parametrize("quality", Quality)
def test_every_quality_keeps_speech_and_mirrors_nothing_into_it(quality: Quality) -> None:
    # "Low" begins to fall earlier: 4 dB are missing at 3.3 kHz.
    for hz in (300.0, 1_000.0, 2_000.0, 2_700.0, 2_700.0 if quality == "low" else 3_300.0):
        assert _left_of(hz, quality) == pytest.approx(0, abs=0.5), hz
    for hz in (4_800.0, 5_500.0, 7_000.0):
        assert _left_of(hz, quality) < -90, hz


def test_half_a_sample_at_the_end_is_dropped() -> None:
    assert len(to_samples(bytes(641), BROWSER, RATE_HZ)) == 320
    assert len(to_samples(b"\1", BROWSER, RATE_HZ)) == 0
    assert len(to_samples(b"", PHONE, RATE_HZ)) == 0


@pytest.mark.parametrize(
    "audio_format",
    [AudioFormat("opus", 16_000), AudioFormat("pcm16", 0), AudioFormat("pcm16", 10**9)],  # type: ignore[arg-type]
)
def test_a_format_that_is_none_is_refused(audio_format: AudioFormat) -> None:
    with pytest.raises(SpeechError, match="not known"):
        to_samples(bytes(640), audio_format, RATE_HZ)
    with pytest.raises(SpeechError, match="not known"):
        to_bytes(_tone(), RATE_HZ, audio_format)


def test_what_is_no_buffer_is_refused() -> None:
    with pytest.raises(SpeechError, match="not audio"):
        to_samples("words", BROWSER, RATE_HZ)  # type: ignore[arg-type]


@pytest.mark.parametrize("peak", [0.01, 0.3, 1.0])
def test_speech_is_trimmed_and_at_one_level(peak: float) -> None:
    silence = np.zeros(RATE_HZ, np.float32)
    finished = finish(np.concatenate([silence, _tone(peak=peak), silence]), RATE_HZ)
    assert len(finished) == pytest.approx(RATE_HZ * 1.16, abs=RATE_HZ * 0.002)
    assert level(finished[1600:14400]) == pytest.approx(LEVEL, rel=0.05)
    assert finished[0] == finished[-1] == 0.0


def test_peaks_stay_below_full_scale() -> None:
    spiky = _tone(peak=0.01)
    spiky[::800] = 1.0
    assert np.abs(finish(spiky, RATE_HZ)).max() <= PEAK + 1e-6


def test_silence_has_nothing_to_finish() -> None:
    assert len(finish(np.zeros(1000, np.float32), RATE_HZ)) == 0
    assert len(finish(np.zeros(0, np.float32), RATE_HZ)) == 0
