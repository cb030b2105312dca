import audioop

import numpy as np
import pytest

from tests.workers.speech.speaking import PHONE
from voice.audio import BROWSER, AudioFormat
from workers.errors import SpeechError
from workers.speech.finish import LEVEL, PEAK, finish
from workers.speech.sound import level, to_bytes, to_samples

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


def test_mulaw_is_g711() -> None:
    assert to_bytes(np.zeros(1600, np.float32), RATE_HZ, PHONE) == b"\xff" * 800
    audio = to_bytes(_tone(), RATE_HZ, PHONE)
    assert audioop.rms(audioop.ulaw2lin(audio, 2), 2) == pytest.approx(32767 * 0.3536, rel=0.03)


def test_what_is_too_loud_is_clipped_and_does_not_wrap() -> None:
    pcm = np.frombuffer(to_bytes(_tone(peak=3.0), RATE_HZ, BROWSER), "<i2")
    assert pcm.max() == 32767
    assert pcm.min() == -32767


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
