"""Against table 2 of ITU-T G.711, written down here once more: segments, steps, values."""

from __future__ import annotations

import itertools
import struct
import subprocess
import sys

import pytest

from voice import g711

# The recommendation's unit is that of 14-bit samples; ours have 16 bits.
UNIT = 4
OVERLOAD = 8159
# (steps, size of a step) of each segment; the first step, around zero, is half of one.
SEGMENTS = [(15, 2), (16, 4), (16, 8), (16, 16), (16, 32), (16, 64), (16, 128), (16, 256)]
EVERY_VALUE = range(-32_768, 32_768)


def decision_values() -> list[int]:
    """x(1) to x(128)."""
    values = [1]
    for steps, size in SEGMENTS:
        values += [values[-1] + size * step for step in range(1, steps + 1)]
    return values


def quantized_values() -> list[int]:
    """y(0) to y(127): nothing, then the middle between two decision values."""
    values = decision_values()
    return [0] + [(low + high) // 2 for low, high in itertools.pairwise(values)]


def table() -> dict[int, int]:
    """The 16-bit value of each character signal: all bits but the sign's are inverted."""
    values = quantized_values()
    positive = {0xFF - n: UNIT * value for n, value in enumerate(values)}
    return positive | {0x7F - n: -UNIT * value for n, value in enumerate(values)}


def samples(values: list[int] | range) -> bytes:
    return struct.pack(f"<{len(values)}h", *values)


def values_of(pcm: bytes) -> list[int]:
    return list(struct.unpack(f"<{len(pcm) // 2}h", pcm))


def test_the_table_written_here_is_the_recommendations() -> None:
    decisions, values = decision_values(), quantized_values()
    assert (len(decisions), len(values)) == (128, 128)
    # As printed in table 2a/G.711.
    assert decisions[15::16] == [31, 95, 223, 479, 991, 2015, 4063, OVERLOAD]
    assert decisions[::16] == [1, 35, 103, 239, 511, 1055, 2143, 4319]
    assert values[16::16] == [33, 99, 231, 495, 1023, 2079, 4191]
    assert (values[0], values[1], values[127]) == (0, 2, 8031)


def test_each_of_the_256_codes_stands_for_the_value_of_the_table() -> None:
    wanted = table()
    assert len(wanted) == 256
    assert values_of(g711.decode(bytes(range(256)))) == [wanted[code] for code in range(256)]


def test_each_code_comes_back_but_for_minus_zero_which_becomes_plus_zero() -> None:
    codes = bytes(range(256))
    back = g711.encode(g711.decode(codes))
    assert {code: now for code, now in zip(codes, back, strict=True) if code != now} == {0x7F: 0xFF}


def test_each_of_the_65536_values_gets_the_code_of_its_interval() -> None:
    decisions, wanted = [UNIT * x for x in decision_values()], table()
    decisions[-1] = 32_769
    codes = g711.encode(samples(EVERY_VALUE))
    for value, code in zip(EVERY_VALUE, codes, strict=True):
        level = 127 - (code & 0x7F)
        low, high = ([0, *decisions])[level : level + 2]
        assert low <= abs(value) <= high, (value, code)
        assert (code & 0x80 != 0) == (value >= 0), (value, code)
        # Nothing but overload is further off than half an interval; zero's reaches to both sides.
        assert abs(abs(value) - abs(wanted[code])) <= (high - low) / (2 if level else 1) or (
            abs(value) > UNIT * OVERLOAD
        )


def test_what_lies_on_a_decision_value_goes_up_as_in_the_itus_own_coder() -> None:
    for n, decision in enumerate(decision_values()[:-1], start=1):
        value = UNIT * decision
        below, on, above = g711.encode(samples([value - 1, value, value + 1]))
        assert (below, on, above) == (0xFF - n + 1, 0xFF - n, 0xFF - n)
        below, on, above = g711.encode(samples([-value - 1, -value, -value + 1]))
        assert (below, on, above) == (0x7F - n, 0x7F - n + 1, 0x7F - n + 1)


def test_what_is_louder_than_the_overload_point_is_the_loudest_code() -> None:
    loud = UNIT * OVERLOAD
    assert g711.encode(samples([loud, 32_767])) == b"\x80\x80"
    assert g711.encode(samples([-loud - 1, -32_768])) == b"\x00\x00"


def test_silence_is_the_code_of_plus_zero() -> None:
    assert g711.encode(bytes(320)) == b"\xff" * 160
    assert g711.decode(b"\xff\x7f") == bytes(4)


def test_half_a_sample_is_refused() -> None:
    with pytest.raises(TypeError):
        g711.encode(b"\0\0\0")


def test_the_peak_is_that_of_the_louder_half() -> None:
    assert g711.peak(samples([3, -900, 899])) == 900
    assert g711.peak(samples([-32_768])) == 32_768
    assert g711.peak(b"") == 0


def test_it_is_imported_where_deprecations_are_errors() -> None:
    asked = [sys.executable, "-W", "error", "-c", "import voice.g711"]
    subprocess.run(asked, check=True, timeout=60)
