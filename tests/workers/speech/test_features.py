import numpy as np

from workers.speech.features import BANDS, HOP, RATE_HZ, log_mel


def _tone(hz: float, seconds: float) -> np.ndarray:
    times = np.arange(int(RATE_HZ * seconds)) / RATE_HZ
    return (0.5 * np.sin(2 * np.pi * hz * times)).astype(np.float32)


def test_the_window_has_its_shape_whatever_the_length() -> None:
    for seconds in (0.0, 0.005, 0.3, 12.0):
        features = log_mel(_tone(440, seconds), 1000)
        assert features.shape == (1, BANDS, 1000)
        assert features.dtype == np.float32
        assert np.isfinite(features).all()


def test_a_higher_tone_is_in_a_higher_band() -> None:
    loudest = [int(log_mel(_tone(hz, 1.0), 1000)[0, :, 50].argmax()) for hz in (200, 1000, 4000)]
    assert loudest == sorted(set(loudest))
    # The slaney scale has 15 mels below 1 kHz of 45.2 in all: a third of the bands.
    assert abs(loudest[1] - 15 / 45.2 * BANDS) < 2


def test_levels_span_eight_decades_and_padding_is_the_floor() -> None:
    features = log_mel(_tone(1000, 1.0), 1000)[0]
    assert np.isclose(features.max() - features.min(), 2.0, atol=1e-4)
    assert np.allclose(features[:, 200:], features.min())


def test_padding_written_equals_silence_computed() -> None:
    tone = _tone(700, 1.0)
    silence = np.zeros(RATE_HZ, np.float32)
    assert np.allclose(
        log_mel(tone, 1000), log_mel(np.concatenate([tone, silence]), 1000), atol=1e-3
    )


def test_what_is_beyond_the_window_is_cut() -> None:
    long = _tone(300, 12.0)
    assert np.allclose(log_mel(long, 1000), log_mel(long[: 1000 * HOP], 1000))
