import numpy as np
import pytest

from workers.speech.features import RATE_HZ
from workers.speech.pieces import MOST_SECONDS, pieces


@pytest.mark.parametrize("seconds", [0.0, 1.0, 30.0, 30.1, 75.0])
def test_pieces_are_the_whole_and_fit_the_window(seconds: float) -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, int(RATE_HZ * seconds)).astype(np.float32)
    found = list(pieces(noise))
    assert all(len(piece) <= MOST_SECONDS * RATE_HZ for piece in found)
    assert np.array_equal(np.concatenate(found), noise)


def test_a_cut_lies_in_the_pause() -> None:
    speech = np.random.default_rng(1).normal(0, 0.1, RATE_HZ * 40).astype(np.float32)
    speech[RATE_HZ * 24 : RATE_HZ * 25] = 0.0
    first = next(pieces(speech))
    assert 24 * RATE_HZ <= len(first) <= 25 * RATE_HZ
