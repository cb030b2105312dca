"""WAV files in and out of the telephone's format. Imports numpy: not for the web process."""

from __future__ import annotations

import wave
from functools import cache
from pathlib import Path

import numpy as np
import soxr

from convonet import recordings
from convonet.far_end.line import Speech
from voice import g711
from voice.audio import BROWSER, PHONE


@cache
def speech_of(path: Path) -> Speech:
    """A recording as the telephone network carries it; raises ValueError for no WAV file."""
    return speech(recordings.read_wav(path))


def speech(pcm: bytes) -> Speech:
    """PCM16 at 16 kHz; what lies above half the telephone's rate is filtered out, not folded."""
    samples = np.frombuffer(pcm, "<i2").astype(np.float32) / 32768
    narrow = soxr.resample(samples, BROWSER.rate_hz, PHONE.rate_hz, quality="VHQ")
    narrow_pcm = (np.clip(narrow, -1, 1) * 32767).astype("<i2").tobytes()
    return Speech(
        g711.encode(narrow_pcm), recordings.speech_start_ms(pcm), recordings.speech_end_ms(pcm)
    )


def write_wav(path: Path, mulaw: bytes) -> None:
    """PCM16 at 8 kHz, which every player knows."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(PHONE.rate_hz)
        file.writeframes(g711.decode(mulaw))
