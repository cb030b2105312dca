"""What is left of tones on the simulated line, and what that must be like."""

from __future__ import annotations

import numpy as np
import pytest

from convonet.recordings import read_wav
from convonet.telephone_band import through_telephone
from tests.stack import ROOT
from voice import g711
from voice.audio import BROWSER, PHONE


def tone(hz: float) -> bytes:
    times = np.arange(BROWSER.rate_hz) / BROWSER.rate_hz
    return (12_000 * np.sin(2 * np.pi * hz * times)).astype("<i2").tobytes()


def left_of(hz: float) -> float:
    """In dB, of what arrives at any frequency at all."""
    heard = np.frombuffer(g711.decode(through_telephone(tone(hz))), "<i2")[800:-800]
    return 20 * float(np.log10(max(np.std(heard), 1e-3) / (12_000 / np.sqrt(2))))


@pytest.mark.parametrize("hz", [320, 700, 1020, 2000, 2900])
def test_speech_arrives_as_loud_as_it_was(hz: float) -> None:
    assert left_of(hz) == pytest.approx(0, abs=1)


@pytest.mark.parametrize(("hz", "most"), [(50, -26), (120, -14), (200, -5)])
def test_hum_and_the_lowest_of_a_voice_do_not_arrive(hz: float, most: float) -> None:
    assert left_of(hz) < most


@pytest.mark.parametrize(("hz", "most"), [(3800, -10), (4200, -25), (4800, -40), (7000, -40)])
def test_what_lies_above_the_band_does_not_fold_into_it(hz: float, most: float) -> None:
    assert left_of(hz) < most


def test_nothing_is_late_and_nothing_is_lost() -> None:
    click = np.zeros(8_000, "<i2")
    click[4_000] = 20_000
    heard = np.frombuffer(g711.decode(through_telephone(click.tobytes())), "<i2")
    assert (len(heard), int(np.abs(heard).argmax())) == (4_000, 2_000)


def test_silence_is_silence() -> None:
    assert through_telephone(bytes(3_200)) == b"\xff" * 800


def test_a_recording_lasts_as_long_as_it_did() -> None:
    pcm = read_wav(ROOT / "tests/audio/09-woman.wav")
    assert PHONE.ms_of(len(through_telephone(pcm))) == BROWSER.ms_of(len(pcm))
