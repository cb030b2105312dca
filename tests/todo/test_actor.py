"""The time zone a client sends may be anything."""

from __future__ import annotations

import pytest

from todo.actor import known_zone


def test_a_zone_there_is_is_known() -> None:
    assert str(known_zone("Europe/Berlin")) == "Europe/Berlin"


@pytest.mark.parametrize(
    "name", ["", "Berlin", "Mars/Phobos", "../../etc/passwd", "/etc/localtime", "a\x00b", "x" * 99]
)
def test_a_zone_there_is_not_is_none(name: str) -> None:
    assert known_zone(name) is None
