import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.sentences import MOST_CHARACTERS, SentenceSplitter

CASES = [
    ("Added buy milk. Anything else?", ["Added buy milk.", "Anything else?"]),
    ("It is due at 5 p.m. Anything else?", ["It is due at 5 p.m.", "Anything else?"]),
    ("It is due at 5 p.m. tomorrow.", ["It is due at 5 p.m. tomorrow."]),
    ("That is 3.5 liters. Or 2.25.", ["That is 3.5 liters.", "Or 2.25."]),
    ("Call Dr. Martinez at 10:15.", ["Call Dr. Martinez at 10:15."]),
    ("Ask J. Smith about it.", ["Ask J. Smith about it."]),
    ("No. You have none.", ["No.", "You have none."]),
    ("See No. 5 first. Then go.", ["See No. 5 first.", "Then go."]),
    ("1. Call Anna. 2. Buy bread.\n3. Run!", ["1. Call Anna.", "2. Buy bread.", "3. Run!"]),
    ("- milk\n* bread\n• eggs", ["milk", "bread", "eggs"]),
    ("Milk, bread, etc. are on it.", ["Milk, bread, etc. are on it."]),
    ("Wait... what? Yes! Fine.", ["Wait... what?", "Yes!", "Fine."]),
    ('He said "sure." Then he left.', ['He said "sure."', "Then he left."]),
    ("Mail anna@example.com now", ["Mail anna@example.com now"]),
    ("I am. You are.", ["I am.", "You are."]),
    ("no end", ["no end"]),
    ("", []),
    (" ... \n ", []),
]


def cut(text: str, size: int) -> list[str]:
    splitter = SentenceSplitter()
    pieces = []
    for start in range(0, len(text), size):
        pieces += splitter.push(text[start : start + size])
    return pieces + splitter.flush()


@pytest.mark.parametrize(("text", "pieces"), CASES, ids=[text[:20] for text, _ in CASES])
@pytest.mark.parametrize("size", [1, 4, 1000])
def test_text_is_cut_where_a_speaker_would_pause(text: str, pieces: list[str], size: int) -> None:
    assert cut(text, size) == pieces


def test_a_sentence_is_given_as_soon_as_its_end_is_certain() -> None:
    splitter = SentenceSplitter()
    assert splitter.push("Added buy milk.") == []
    assert splitter.push(" ") == ["Added buy milk."]
    assert splitter.push("Due at 5 p.m. ") == []
    assert splitter.push("Any") == ["Due at 5 p.m."]


def test_a_long_first_sentence_starts_with_a_clause() -> None:
    text = "You have to call the plumber at four, then to " + "think about it " * 8
    first, *rest = cut(text, 7)
    assert first == "You have to call the plumber at four,"
    assert " ".join([first, *rest]) == text.strip()


def test_endless_text_is_cut_at_words_and_a_monster_word_anyway() -> None:
    assert all(piece.split()[-1] == "word" for piece in cut("word " * 200, 9))
    assert [len(piece) for piece in cut("x" * 500, 50)] == [220, 220, 60]


@given(st.text(alphabet="aB1 .,!?\n-\"'é", max_size=600), st.integers(1, 40))
def test_nothing_is_lost_or_doubled_and_every_piece_can_be_spoken(text: str, size: int) -> None:
    pieces = cut(text, size)
    assert pieces == cut(text, len(text) or 1)
    said = [c for piece in pieces for c in piece if c.isalnum()]
    assert said == [c for c in text if c.isalnum()]
    assert all(0 < len(piece) <= MOST_CHARACTERS for piece in pieces)


def test_what_is_dropped_is_not_spoken_and_what_follows_begins_anew() -> None:
    splitter = SentenceSplitter()
    assert splitter.push("That is one. And I ha") == ["That is one."]
    assert splitter.drop() == "And I ha"
    assert splitter.push("You have two. ") == ["You have two."]
    assert splitter.flush() == []
    assert splitter.drop() == ""
