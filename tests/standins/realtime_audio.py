"""The Realtime stand-in's ears and voice: server VAD on the caller's audio, and audible speech.

Audio is what a session's formats say: `audio/pcmu` (G.711 mu-law, 8 kHz) or `audio/pcm` (signed
16-bit little-endian, 24 kHz).
"""

from __future__ import annotations

import wave
from collections import deque
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import _webrtcvad
import numpy as np
import numpy.typing as npt
import soxr

RECORDING = Path(__file__).resolve().parents[1] / "audio" / "01-woman.wav"
FRAME_MS = 20
GATE_HZ = 8000
FRAME_SAMPLES = GATE_HZ * FRAME_MS // 1000
# Voiced frames among the last so many that begin an utterance.
START_FRAMES, START_WINDOW = 4, 6
# At a threshold of 1; a voiced frame has a sample as loud as this.
LOUDEST_PEAK = 500
BIAS, CLIP = 0x84, 32_635

Samples = npt.NDArray[np.int16]


def bytes_per_ms(kind: str) -> int:
    return 8 if kind == "audio/pcmu" else 48


@cache
def _mulaw_to_linear() -> Samples:
    """ITU-T G.711, table 2a: sign, three bits of segment, four of step, all inverted."""
    codes = ~np.arange(256, dtype=np.uint8)
    magnitude = ((((codes & 0x0F).astype(np.int32) << 3) + BIAS) << ((codes & 0x70) >> 4)) - BIAS
    return np.where(codes & 0x80, -magnitude, magnitude).astype(np.int16)


def _to_mulaw(samples: Samples) -> bytes:
    linear = samples.astype(np.int32)
    sign = np.where(linear < 0, 0x80, 0)
    biased = np.minimum(np.abs(linear), CLIP) + BIAS
    segment = np.floor(np.log2(biased)).astype(np.int32) - 7
    step = (biased >> (segment + 3)) & 0x0F
    codes: bytes = (~(sign | (segment << 4) | step)).astype(np.uint8).tobytes()
    return codes


def for_gate(kind: str, audio: bytes) -> Samples:
    """At 8 kHz; of 24 kHz the mean of every three samples, which is enough for a gate."""
    if kind == "audio/pcmu":
        decoded: Samples = _mulaw_to_linear()[np.frombuffer(audio, np.uint8)]
        return decoded
    samples = np.frombuffer(audio, "<i2").astype(np.int32)
    mean: Samples = samples.reshape(-1, 3).mean(axis=1).astype(np.int16)
    return mean


class ServerVad:
    """`server_vad` of one session: positions are ms of all audio ever appended."""

    def __init__(self, kind: str, detection: dict[str, Any]) -> None:
        self._kind = kind
        self._unit = 1 if kind == "audio/pcmu" else 6
        threshold = detection["threshold"]
        self._gate: Any = _webrtcvad.create()
        _webrtcvad.init(self._gate)
        _webrtcvad.set_mode(self._gate, min(3, round(threshold * 4)))
        self._peak = round(threshold * LOUDEST_PEAK)
        self._prefix_ms = detection["prefix_padding_ms"]
        self._silence_ms = detection["silence_duration_ms"]
        self._recent: deque[bool] = deque(maxlen=START_WINDOW)
        self._rest = b""
        self._waiting = np.zeros(0, np.int16)
        self._at_ms = self._quiet_ms = 0
        self.hearing = False

    def begin_at(self, ms: int) -> None:
        """So much audio came before."""
        self._at_ms = ms

    def feed(self, audio: bytes) -> Iterator[tuple[str, int]]:
        """(`started`, from) and (`stopped`, until), in ms."""
        data = self._rest + audio
        whole = len(data) - len(data) % self._unit
        self._rest = data[whole:]
        samples = np.concatenate([self._waiting, for_gate(self._kind, data[:whole])])
        frames = len(samples) // FRAME_SAMPLES
        self._waiting = samples[frames * FRAME_SAMPLES :]
        for n in range(frames):
            change = self._frame(samples[n * FRAME_SAMPLES : (n + 1) * FRAME_SAMPLES])
            if change:
                yield change

    def _frame(self, frame: Samples) -> tuple[str, int] | None:
        self._at_ms += FRAME_MS
        loud = int(np.abs(frame.astype(np.int32)).max()) >= self._peak
        voiced = loud and _webrtcvad.process(self._gate, GATE_HZ, frame.tobytes(), FRAME_SAMPLES)
        self._recent.append(bool(voiced))
        if not self.hearing:
            return self._perhaps_started()
        self._quiet_ms = 0 if voiced else self._quiet_ms + FRAME_MS
        if self._quiet_ms < self._silence_ms:
            return None
        self.hearing = False
        self._recent.clear()
        return "stopped", self._at_ms

    def _perhaps_started(self) -> tuple[str, int] | None:
        if sum(self._recent) < START_FRAMES:
            return None
        self.hearing, self._quiet_ms = True, 0
        began = self._at_ms - len(self._recent) * FRAME_MS - self._prefix_ms
        return "started", max(0, began)


@cache
def _speech(kind: str) -> bytes:
    """A recorded sentence in the session's format, to be said again and again."""
    with wave.open(str(RECORDING), "rb") as file:
        rate = file.getframerate()
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    if kind == "audio/pcmu":
        return _to_mulaw(soxr.resample(samples, rate, GATE_HZ))
    resampled: bytes = soxr.resample(samples, rate, 24_000).astype("<i2").tobytes()
    return resampled


def speech(kind: str, start: int, size: int) -> bytes:
    """`size` bytes of endless talk from byte `start` on."""
    loop = _speech(kind)
    at = start % len(loop)
    times = (at + size) // len(loop) + 1
    return (loop * times)[at : at + size]
