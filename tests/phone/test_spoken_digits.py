"""Digits as people say them and as recognisers write them down."""

from __future__ import annotations

import pytest

from phone.spoken_digits import read


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("one two three four", "1234"),
        ("One, two, three, four.", "1234"),
        ("1 2 3 4", "1234"),
        ("1, 2, 3, 4.", "1234"),
        ("1-2-3-4", "1234"),
        ("12-34", "1234"),
        ("12, 34.", "1234"),
        ("12:34", "1234"),
        ("1,234", "1234"),
        ("1.234.", "1234"),
        ("$12.34", "1234"),
        ("1234.", "1234"),
        ("123456", "123456"),
        ("12 34 56", "123456"),
        ("zero one two three", "0123"),
        ("oh one two three", "0123"),
        ("o 1 2 3", "0123"),
        ("four oh oh seven", "4007"),
        ("four double oh seven", "4007"),
        ("Double 7 0 6.", "7706"),
        ("double seven double six", "7766"),
        ("triple five one", "5551"),
        ("treble 5 1", "5551"),
        ("twelve thirty four", "1234"),
        ("Twelve thirty-four", "1234"),
        ("forty seven eleven", "4711"),
        ("ninety nine ten", "9910"),
        ("seventy five oh one", "7501"),
        ("oh seven twenty", "0720"),
        ("thirty sixty six", "3066"),
        ("twenty twenty", "2020"),
        ("70 1 50.", "7150"),
        ("80 1 28", "8128"),
        ("twelve hundred", "1200"),
        ("one thousand two hundred thirty four", "1234"),
        ("five hundred twelve thousand", "512000"),
        ("nought nine nil null", "0900"),
        # What a telephone makes of them.
        ("won to three for", "1234"),
        ("one two free four", "1234"),
        ("ate ate too tree", "8823"),
        ("Eight off six four.", "8064"),
        ("Six three are one.", "6301"),
        ("My pin is R 2 8 6.", "0286"),
        ("98 R five.", "9805"),
        ("Zero six win four.", "0614"),
        ("14 not eight.", "1408"),
        ("All nine eight six.", "0986"),
        # Small words around them.
        ("My pin is one two three four.", "1234"),
        ("My PIN number is 4711, thank you.", "4711"),
        ("It's 4 7 1 1", "4711"),
        ("it’s four seven one one please", "4711"),
        ("um okay so the code is 4711", "4711"),
        ("The digits are four seven one one", "4711"),
        ("my pen is 4 7 1 1", "4711"),
        ("Hello, this is 4711 hash", "4711"),
        ("4711 and then 12", "471112"),
        ("four seven", "47"),
        ("Eight eight two four. Eight eight two four.", "8824"),
        ("4711, 4711", "4711"),
        ("1212", "1212"),
        ("121212", "121212"),
    ],
)
def test_what_is_digits_throughout_is_read(text: str, digits: str) -> None:
    assert read(text).digits == digits


@pytest.mark.parametrize(
    "text",
    [
        "",
        "...",
        "my pin is",
        "please",
        "connect me with sales",
        "I want to talk to a person",
        "add milk for two people",
        "what is due tomorrow at 5?",
        "call me at 555 1234 or 555 4321 tomorrow",
        "remind me at 1730",
        "one moment",
        "four seven one one is my brother's",
    ],
)
def test_what_is_not_digits_throughout_is_no_number(text: str) -> None:
    assert read(text).digits == ""


@pytest.mark.parametrize(
    ("text", "tried"),
    [
        ("one two three floor", True),
        ("4 7 banana 1", True),
        ("my pin is four seven one bun", True),
        ("I want to talk to a person for two minutes", False),
        ("connect me to four", False),
        ("add milk for two", False),
        ("are all of you free", False),
        ("", False),
    ],
)
def test_who_tried_to_say_digits_is_told_from_who_wants_something(text: str, tried: bool) -> None:
    assert read(text).mostly is tried


def test_a_long_speech_is_not_read_to_its_end() -> None:
    assert len(read("one " * 10_000).digits) <= 100
