import pytest

from workers.speech.spelling import one_spelling


@pytest.mark.parametrize(
    ("heard", "spelled"),
    [
        ("Show all to-do's.", "Show all todos."),
        ("Show all to do's about it", "Show all todos about it"),
        ("My to-do list", "My todo list"),
        ("A 2-do", "A todo"),
        ("What do I have to do?", "What do I have to do?"),
        ("Tomorrow at five p.m.", "Tomorrow at five pm."),
        ("Tomorrow at 5PM to Anna", "Tomorrow at 5 pm to Anna"),
        ("At 10.15 a.m. call", "At 10:15 am call"),
        ("I am at 5.50 euros", "I am at 5.50 euros"),
        ("5 amps and 3 pmol", "5 amps and 3 pmol"),
        ("", ""),
    ],
)
def test_one_word_has_one_spelling(heard: str, spelled: str) -> None:
    assert one_spelling(heard) == spelled
