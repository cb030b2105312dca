"""What resampling costs and how well it is done, by quality: `python -m` this, anywhere.

Needs numpy and soxr; measures libsamplerate beside them where the package `samplerate` is. The
result is the table in docs/speech.md.
"""

from __future__ import annotations

import ctypes
import gc
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import soxr

from workers.speech.options import Quality
from workers.speech.sound import RECIPES

Samples = npt.NDArray[np.float32]
WAYS = ((8_000, 16_000), (16_000, 8_000), (24_000, 8_000))
SECONDS = 3.0
PIECE_MS = 20
STREAMS = 100
COLUMNS = (
    "left at 3.4 kHz, dB",
    "beside a 1 kHz tone, dB",
    "alias or image, dB",
    "whole: ms a second of audio",
    "stream: µs a 20 ms piece",
    "stream: delay, ms",
    "stream: KiB",
)
# What both rates can carry, up to the edge of the telephone's band; then what only one can.
KEPT_HZ = (300.0, 1_000.0, 2_000.0, 3_000.0, 3_400.0)
EDGE_HZ = 3_400.0
FOLDED_HZ = (4_600.0, 5_300.0, 6_100.0, 7_300.0)


class Stream(Protocol):
    def push(self, samples: Samples) -> Samples: ...


@dataclass(frozen=True)
class Resampler:
    name: str
    whole: Callable[[Samples, int, int], Samples]
    stream: Callable[[int, int], Stream]


class SoxrStream:
    def __init__(self, recipe: str, from_hz: int, to_hz: int) -> None:
        self._stream: Any = soxr.ResampleStream(from_hz, to_hz, 1, "float32", quality=recipe)

    def push(self, samples: Samples) -> Samples:
        made: Samples = self._stream.resample_chunk(samples)
        return made


class LibsamplerateStream:
    def __init__(self, package: Any, kind: str, from_hz: int, to_hz: int) -> None:
        self._stream, self._ratio = package.Resampler(kind, channels=1), to_hz / from_hz

    def push(self, samples: Samples) -> Samples:
        made: Samples = self._stream.process(samples, self._ratio)
        return made


def resamplers() -> Iterator[Resampler]:
    """Each by a name for the table."""
    for quality in Quality:
        yield of_soxr(f"soxr {quality}", RECIPES[quality])
    yield of_soxr("soxr quick (not offered)", "QQ")
    try:
        import samplerate  # type: ignore[import-not-found, import-untyped, unused-ignore]
    except ImportError:
        return
    for kind in ("sinc_fastest", "sinc_medium", "sinc_best"):
        yield of_libsamplerate(samplerate, kind)


def of_soxr(name: str, recipe: str) -> Resampler:
    return Resampler(
        name,
        lambda samples, from_hz, to_hz: soxr.resample(samples, from_hz, to_hz, quality=recipe),
        lambda from_hz, to_hz: SoxrStream(recipe, from_hz, to_hz),
    )


def of_libsamplerate(package: Any, kind: str) -> Resampler:
    return Resampler(
        f"libsamplerate {kind.removeprefix('sinc_')}",
        lambda samples, from_hz, to_hz: package.resample(samples, to_hz / from_hz, kind),
        lambda from_hz, to_hz: LibsamplerateStream(package, kind, from_hz, to_hz),
    )


def tone(hz: float, rate_hz: int, seconds: float = SECONDS) -> Samples:
    times = np.arange(int(rate_hz * seconds)) / rate_hz
    return (0.5 * np.sin(2 * np.pi * hz * times)).astype(np.float32)


def middle(samples: Samples) -> Samples:
    """Without the ends, where any filter rings."""
    return samples[len(samples) // 6 : -len(samples) // 6]


def decibel(ratio: float) -> float:
    return 20 * float(np.log10(max(ratio, 1e-12)))


def rms(samples: npt.NDArray[np.floating[Any]]) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))


def gain(one: Resampler, hz: float, from_hz: int, to_hz: int) -> float:
    """What is left of a tone, whatever it has become."""
    given = tone(hz, from_hz)
    return decibel(rms(middle(one.whole(given, from_hz, to_hz))) / rms(middle(given)))


def purity(one: Resampler, hz: float, from_hz: int, to_hz: int) -> float:
    """All that a tone has become but itself, below it: noise, distortion, images."""
    made = middle(one.whole(tone(hz, from_hz), from_hz, to_hz)).astype(np.float64)
    times = np.arange(len(made)) * 2 * np.pi * hz / to_hz
    waves = np.stack([np.sin(times), np.cos(times)], axis=1)
    fitted = waves @ np.linalg.lstsq(waves, made, rcond=None)[0]
    return decibel(rms(made - fitted) / rms(fitted))


def folded(one: Resampler, from_hz: int, to_hz: int) -> float:
    """The worst that comes back from above half the lower rate, or as an image of what is below.

    Up: the image of the highest tone kept. Down: whatever is left of tones that cannot be kept.
    """
    if to_hz > from_hz:
        return max(purity(one, hz, from_hz, to_hz) for hz in KEPT_HZ)
    return max(gain(one, hz, from_hz, to_hz) for hz in FOLDED_HZ)


def milliseconds(work: Callable[[], object], seconds: float = 0.25) -> float:
    """Processor time of one, the best of three rounds."""
    work()
    best = float("inf")
    for _ in range(3):
        began, times = time.process_time(), 0
        while (passed := time.process_time() - began) < seconds / 3:
            work()
            times += 1
        best = min(best, passed * 1000 / times)
    return best


def pieces(rate_hz: int, seconds: float) -> list[Samples]:
    size = rate_hz * PIECE_MS // 1000
    samples = np.random.default_rng(5).normal(0, 0.1, int(rate_hz * seconds)).astype(np.float32)
    return [samples[at : at + size] for at in range(0, len(samples), size)]


def delay_ms(one: Resampler, from_hz: int, to_hz: int) -> float:
    """The most that a stream keeps back of what it was given, once it gives anything."""
    stream, given, got, most = one.stream(from_hz, to_hz), 0, 0, 0.0
    for piece in pieces(from_hz, SECONDS):
        given += len(piece)
        got += len(stream.push(piece))
        most = max(most, given / from_hz - got / to_hz)
    return most * 1000


def piece_us(one: Resampler, from_hz: int, to_hz: int) -> float:
    cut = pieces(from_hz, 1.0)
    stream = one.stream(from_hz, to_hz)

    def second() -> None:
        for piece in cut:
            stream.push(piece)

    return milliseconds(second) * 1000 / len(cut)


def resident() -> int:
    """Bytes; the kernel's figure of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


def stream_kib(one: Resampler, from_hz: int, to_hz: int) -> float:
    """What one more stream takes that has said a second: filters are shared, buffers are not."""
    cut = pieces(from_hz, 1.0)

    def used() -> Stream:
        stream = one.stream(from_hz, to_hz)
        for piece in cut:
            stream.push(piece)
        return stream

    kept = [used() for _ in range(5)]
    gc.collect()
    # Else new streams would take what old ones left.
    ctypes.CDLL(None).malloc_trim(0)
    before = resident()
    kept += [used() for _ in range(STREAMS)]
    return (resident() - before) / STREAMS / 1024


def row(one: Resampler, from_hz: int, to_hz: int) -> str:
    speech = np.concatenate(pieces(from_hz, SECONDS))
    whole_ms = milliseconds(lambda: one.whole(speech, from_hz, to_hz)) / SECONDS
    figures = (
        f"{gain(one, EDGE_HZ, from_hz, to_hz):.1f}",
        f"{purity(one, 1_000.0, from_hz, to_hz):.0f}",
        f"{folded(one, from_hz, to_hz):.0f}",
        f"{whole_ms:.2f}",
        f"{piece_us(one, from_hz, to_hz):.0f}",
        f"{delay_ms(one, from_hz, to_hz):.0f}",
        f"{stream_kib(one, from_hz, to_hz):.0f}",
    )
    return f"| {one.name} | {from_hz // 1000} -> {to_hz // 1000} | " + " | ".join(figures) + " |"


def main() -> None:
    print(f"| resampler | kHz | {' | '.join(COLUMNS)} |")
    print("|" + "---|" * (len(COLUMNS) + 2))
    for from_hz, to_hz in WAYS:
        for one in resamplers():
            print(row(one, from_hz, to_hz), flush=True)


if __name__ == "__main__":
    main()
