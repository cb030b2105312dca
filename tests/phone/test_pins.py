"""PINs are kept as a keyed slow hash, and looked at beside the event loop."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from phone import pins


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pins, "ITERATIONS", 1000)


def test_a_pin_is_recognised_and_another_is_not() -> None:
    kept = pins.hashed("4711")
    assert pins.matches("4711", kept)
    assert not pins.matches("4712", kept)
    assert not pins.matches("", kept)


def test_the_same_pin_is_kept_differently_each_time_and_nowhere_to_be_read() -> None:
    one, other = pins.hashed("471147"), pins.hashed("471147")
    assert one != other
    assert "471147" not in one
    assert len(one) <= 160


def test_a_hash_is_worth_nothing_under_another_key(settings: Any) -> None:
    kept = pins.hashed("4711")
    settings.SECRET_KEY = "another"
    assert not pins.matches("4711", kept)


def test_a_hash_made_with_more_work_stays_good(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = pins.hashed("4711")
    monkeypatch.setattr(pins, "ITERATIONS", 10)
    assert pins.matches("4711", kept)


@pytest.mark.parametrize("kept", ["", "4711", "pbkdf2_sha256$x$y$z", "md5$1$a$b", "$$$"])
def test_what_is_no_hash_is_nobodys_pin(kept: str) -> None:
    assert not pins.matches("4711", kept)


@pytest.mark.parametrize("text", ["", "123", "1234567", "12a4", " 1234", "١٢٣٤", "-1234"])
def test_what_is_no_pin_is_not_kept(text: str) -> None:
    assert not pins.is_pin(text)
    with pytest.raises(ValueError, match="not a PIN"):
        pins.hashed(text)


@pytest.mark.parametrize(
    ("pin", "guessable"),
    [("1111", True), ("1234", True), ("654321", True), ("7890", True), ("4711", False)],
)
def test_what_everybody_tries_first_is_known(pin: str, guessable: bool) -> None:
    assert pins.is_guessable(pin) is guessable


async def test_of_several_accounts_the_pin_decides() -> None:
    kept = {7: pins.hashed("4711"), 9: pins.hashed("0815")}
    assert await pins.owner_of("0815", kept) == 9
    assert await pins.owner_of("0000", kept) is None
    assert await pins.owner_of("4711", {}) is None


async def test_at_most_two_are_looked_at_at_once_and_the_loop_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    running, most, two, go = 0, 0, threading.Event(), threading.Event()
    lock = threading.Lock()

    def slowly(pin: str, kept: str) -> bool:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
            if running == 2:
                two.set()
        assert go.wait(60)
        with lock:
            running -= 1
        return False

    monkeypatch.setattr(pins, "matches", slowly)
    looks = [asyncio.create_task(pins.owner_of("4711", {1: "x"})) for _ in range(6)]
    assert await asyncio.to_thread(two.wait, 60)
    go.set()
    await asyncio.gather(*looks)
    assert most == 2


async def test_a_number_that_is_nobodys_costs_the_same_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[int] = []
    digest = pins._digest

    def noted(pin: str, salt: str, rounds: int) -> str:
        made.append(rounds)
        return digest(pin, salt, rounds)

    monkeypatch.setattr(pins, "_digest", noted)
    kept = pins.hashed("4711")
    made.clear()
    await pins.owner_of("0815", {1: kept})
    await pins.owner_of("0815", {})
    assert made == [1000, 1000]
