from hypothesis import given
from hypothesis import strategies as st

from workers.speech.tokens import NO_TIMESTAMPS, START, decode, encode


@given(st.text())
def test_any_text_comes_back_but_for_its_spaces(text: str) -> None:
    assert decode(encode(text, vocabulary=set())) == " ".join(text.split())


def test_the_longest_tokens_are_taken() -> None:
    vocabulary = {"Ġ", "Ġto", "Ġtodo", "s", "Ġlist"}
    assert encode("todos list", vocabulary) == ["Ġtodo", "s", "Ġlist"]


def test_special_tokens_are_not_words() -> None:
    assert decode([START, NO_TIMESTAMPS, "ĠHello", "<|endoftext|>"]) == "Hello"


def test_a_letter_cut_in_the_middle_is_replaced() -> None:
    assert decode(["ĠcafÃ"]) == "caf\ufffd"
