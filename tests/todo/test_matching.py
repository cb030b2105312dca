"""Words to todos: a table of what people, and a small recogniser, say."""

from __future__ import annotations

import pytest

from todo.matching import Candidate, all_about, match
from todo.naming import read_name, read_number
from todo.sounds import likeness

TITLES = [
    "call the plumber",
    "dentist appointment",
    "buy paint",
    "write the annual budget",
    "grocery shopping",
    "meeting with David",
    "finish the board report",
    "paint the fence",
    "appointment at the bank",
    "prepare the presentation",
]
LIST = [
    Candidate(place, title, ("house",) if "fence" in title else ())
    for place, title in enumerate(TITLES, 1)
]


@pytest.mark.parametrize(
    ("words", "title"),
    [
        ("the dentist one", "dentist appointment"),
        ("dentist to do", "dentist appointment"),
        ("the dentists todo", "dentist appointment"),
        ("dentists appointments", "dentist appointment"),
        ("call the plumber", "call the plumber"),
        ("call a plumber", "call the plumber"),
        ("the plummer", "call the plumber"),
        ("Call the plumbers.", "call the plumber"),
        ("the report", "finish the board report"),
        ("bored report", "finish the board report"),
        ("the budget todo", "write the annual budget"),
        ("right the annual budget", "write the annual budget"),
        ("the anual buget", "write the annual budget"),
        ("buy paint", "buy paint"),
        ("by paint", "buy paint"),
        ("the grocery shopping to-do", "grocery shopping"),
        ("groceries shopping", "grocery shopping"),
        ("the meeting", "meeting with David"),
        ("the bank appointment", "appointment at the bank"),
        ("the presentations", "prepare the presentation"),
        ("painting the fence", "paint the fence"),
        ("the house one", "paint the fence"),
    ],
)
def test_clear_words_name_one_todo(words: str, title: str) -> None:
    found = match(words, LIST)
    assert (found.kind, [TITLES[pk - 1] for pk in found.ids]) == ("one", [title])


@pytest.mark.parametrize(
    ("words", "titles"),
    [
        ("the appointment", {"dentist appointment", "appointment at the bank"}),
        ("paint", {"buy paint", "paint the fence"}),
    ],
)
def test_words_that_fit_several_name_all_of_them(words: str, titles: set[str]) -> None:
    found = match(words, LIST)
    assert found.kind == "several"
    assert {TITLES[pk - 1] for pk in found.ids} == titles


@pytest.mark.parametrize("words", ["meeting with Sarah", "the dentist bill"])
def test_a_half_match_is_only_a_guess(words: str) -> None:
    assert match(words, LIST).kind == "weak"


@pytest.mark.parametrize(
    "words", ["sing a song", "buy eggs", "call mum", "the", "", "zzz", "write a poem"]
)
def test_other_words_match_nothing(words: str) -> None:
    assert match(words, LIST).kind == "none"


def test_the_exact_title_wins_over_longer_ones() -> None:
    found = match("buy milk", [Candidate(1, "buy milk"), Candidate(2, "buy milk chocolate")])
    assert (found.kind, found.ids) == ("one", (1,))


def test_numbers_are_never_taken_for_each_other() -> None:
    assert likeness("thirteen", "thirty") == 0.0
    assert match("room thirty", [Candidate(1, "room thirteen")]).kind != "one"


def test_all_about_keeps_the_order_of_the_list() -> None:
    assert all_about("paint", LIST) == [3, 8]


@pytest.mark.parametrize(
    ("words", "kind", "numbers"),
    [
        ("number four", "numbers", (4,)),
        ("number for", "numbers", (4,)),
        ("Number two.", "numbers", (2,)),
        ("the fourth one", "numbers", (4,)),
        ("4", "numbers", (4,)),
        ("#12", "numbers", (12,)),
        ("numbers two and three", "numbers", (2, 3)),
        ("todo twenty one", "numbers", (21,)),
        ("it", "last", ()),
        ("that one", "last", ()),
        ("last", "last", ()),
        ("the last one", "last", ()),
        ("both of them", "them", ()),
        ("everything from today", "all", ()),
        ("all overdue todos", "all", ()),
        ("four candles", "words", ()),
        ("the dentist one", "words", ()),
        ("italian lesson", "words", ()),
        ("allotment", "words", ()),
    ],
)
def test_the_kind_of_name_is_read(words: str, kind: str, numbers: tuple[int, ...]) -> None:
    name = read_name(words)
    assert (name.kind, name.numbers) == (kind, numbers)


@pytest.mark.parametrize("text", ["zero", "0", "first aid", "hundred", "twenty twelve", ""])
def test_other_words_are_no_number(text: str) -> None:
    assert read_number(text) is None


@pytest.mark.parametrize("words", ["paint the kitchen fence", "finish the board minutes"])
def test_a_telling_word_that_fits_nothing_is_asked_about_and_never_acted_on(words: str) -> None:
    assert match(words, LIST).kind in ("weak", "several")


def test_one_wrong_word_among_long_ones_is_no_match() -> None:
    labels = [Candidate(1, "label the marble saddle")]
    assert match("label the marble candle", labels).kind == "weak"
