"""What is sealed can be read by our own processes alone."""

from __future__ import annotations

from typing import Any

import pytest

from voice import sealing


@pytest.mark.parametrize("data", [b"", b"\x00\x00", b"\x00secret", bytes(range(256)) * 300])
def test_what_was_sealed_is_opened_by_the_same_name(data: bytes) -> None:
    hidden = sealing.sealed(data, "one")
    assert len(hidden) == len(data)
    assert sealing.sealed(hidden, "one") == data
    if len(data) > 2:
        assert data not in (hidden, sealing.sealed(hidden, "other"))


@pytest.mark.parametrize("text", ["", "my pin is 4711", "señor: 四"])
def test_words_are_sealed_as_words(text: str) -> None:
    assert sealing.opened_text(sealing.sealed_text(text, "one"), "one") == text
    assert not text or text not in sealing.sealed_text(text, "one")


def test_without_the_key_nothing_is_opened(settings: Any) -> None:
    hidden = sealing.sealed(b"my pin is 4711", "one")
    settings.SECRET_KEY = "another"
    assert sealing.sealed(hidden, "one") != b"my pin is 4711"


@pytest.mark.parametrize("forged", ["plain words", "zz", "abc"])
def test_what_we_did_not_seal_is_refused(forged: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        sealing.opened_text(forged, "one")
