"""A remark and the command about it, and what is no such sentence."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from workers.models_llm import asides, several

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize(
    ("said", "command"),
    [
        ("I paid the rent, mark it as done.", "mark the rent as done"),
        ("The fence isn't urgent any more. Make it low priority.", "Make The fence low priority"),
        ("We can't do the meeting on Friday, move it to Monday", "move the meeting to Monday"),
        ("My visa is sorted, so you can delete that", "so you can delete My visa"),
        (
            "Every Friday I have to mop the floor, add that please.",
            "add Every Friday mop the floor",
        ),
    ],
)
def test_it_is_what_the_remark_speaks_of(said: str, command: str) -> None:
    assert asides.joined(said, NOW) == command


@pytest.mark.parametrize(
    "said",
    [
        "Thanks, mark it as done.",
        "Add milk, eggs and bread.",
        "The weather is nice, isn't it?",
        "I finished it, delete it.",
        "The dentist is done, and what is left?",
        "Sorry, not Thursday, Friday.",
    ],
)
def test_other_sentences_are_left_as_they_are(said: str) -> None:
    assert asides.joined(said, NOW) == ""


@pytest.mark.parametrize(
    ("text", "on_list", "pieces"),
    [
        ("apples, dark chocolate and soap", True, ["apples", "dark chocolate", "soap"]),
        ("apples, dark chocolate and soap", False, None),
        ("call mum, pay the rent, and buy milk", False, ["call mum", "pay the rent", "buy milk"]),
        ("call mum and also buy milk", False, ["call mum", "buy milk"]),
        ("call mum on friday and buy milk today", False, ["call mum on friday", "buy milk today"]),
        ("sort the photos and delete the old ones", False, None),
        ("dinner with Tom, Anna and Kim", False, None),
        ("call the bank, high priority, by friday", False, None),
        ("haircut, thursday, ten thirty", False, None),
        ("fish and chips", True, None),
    ],
)
def test_only_what_cannot_be_one_name_is_cut_apart(
    text: str, on_list: bool, pieces: list[str] | None
) -> None:
    assert several.pieces(text, NOW, on_list=on_list) == (pieces or [text])


def test_a_count_announces_several() -> None:
    assert several.without_opening("three things: milk, eggs") == "milk, eggs"
    assert several.without_opening("three chairs, two tables") == ""
