"""Which part of a file a player gets for what it asks."""

from __future__ import annotations

import pytest

from phone.byte_range import MOST_BYTES, Unsatisfiable, wanted


@pytest.mark.parametrize(
    ("header", "size", "part"),
    [
        ("bytes=0-99", 1000, (0, 99)),
        ("bytes=900-", 1000, (900, 999)),
        ("bytes=-100", 1000, (900, 999)),
        ("bytes=-5000", 1000, (0, 999)),
        ("bytes=990-5000", 1000, (990, 999)),
        ("bytes=0-", 10 * MOST_BYTES, (0, MOST_BYTES - 1)),
        ("", 1000, None),
        ("bytes=-", 1000, None),
        ("bytes=0-1,5-6", 1000, None),
        ("lines=0-1", 1000, None),
    ],
)
def test_a_range_is_read_as_the_standard_says(
    header: str, size: int, part: tuple[int, int] | None
) -> None:
    assert wanted(header, size) == part


@pytest.mark.parametrize("header", ["bytes=1000-", "bytes=5-4", "bytes=-0"])
def test_a_range_that_is_not_there_is_refused(header: str) -> None:
    with pytest.raises(Unsatisfiable):
        wanted(header, 1000)
