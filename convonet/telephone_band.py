"""What a telephone line leaves of a recording: 300 to 3400 Hz, 8 kHz, mu-law."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from voice import g711
from voice.audio import BROWSER

Samples = npt.NDArray[np.floating[Any]]

# (Hz, dB). From 300 to 3400 Hz the ends are as weak as ITU-T G.712 lets them be after two
# filters, the coder's and the decoder's; below and above, what such filters do to hum and alias.
CHANNEL = (
    (0, -70.0),
    (60, -30.0),
    (100, -20.0),
    (200, -6.0),
    (250, -2.0),
    (300, -0.5),
    (3000, 0.0),
    (3400, -1.5),
    (3600, -6.0),
    (4000, -20.0),
    (4600, -50.0),
    (8000, -90.0),
)
_TAPS = 511
_POINTS = 4096


def through_telephone(pcm: bytes) -> bytes:
    """16 kHz PCM16 as the mu-law that arrives at the other end; as long, no delay added."""
    samples: Samples = np.frombuffer(pcm, "<i2").astype(np.float64)
    heard = np.convolve(samples, channel())[_TAPS // 2 :][: len(samples)]
    # What could fold into the band is 20 dB and more below it by now, as on a line.
    values = np.clip(np.rint(heard[::2]), -32_768, 32_767).astype("<i2")
    return g711.encode(values.tobytes())


@cache
def channel() -> Samples:
    """The line's impulse response at 16 kHz, of linear phase."""
    hertz, decibels = zip(*CHANNEL, strict=True)
    bins = np.fft.rfftfreq(_POINTS, 1 / BROWSER.rate_hz)
    response = np.fft.irfft(10 ** (np.interp(bins, hertz, decibels) / 20))
    return np.roll(response, _TAPS // 2)[:_TAPS] * np.hamming(_TAPS)
