import pytest

from workers.speech.speakable import MOST_LETTERS, PIECE_LETTERS, ordinal, pieces, speakable


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("due tomorrow at 17:00", "due tomorrow at 5 PM"),
        ("at 9:05 am", "at 9 oh 5 AM"),
        ("at 10:15.", "at 10 15 AM."),
        ("from 12:00 to 00:00", "from noon to midnight"),
        ("It is 5:30 p.m. Next: tea", "It is 5 30 PM. Next: tea"),
        ("at 5 p.m. to be there", "at 5 PM to be there"),
        ("on 2026-11-22", "on November 22nd, 2026"),
        ("due 2026-11-22T17:05", "due November 22nd, 2026 5 oh 5 PM"),
        ("€350", "350 euros"),
        ("$12.50, or 1 €", "12 dollars 50, or 1 euro"),
        ("£1,250.00", "1250 pounds"),
        ("20% off", "20 percent off"),
        ("salt & pepper", "salt and pepper"),
        ("CHF 20 or 1 USD", "20 francs or 1 dollar"),
        ("pay EUR 9.99 or 500 ¥", "pay 9 euros 99 or 500 yen"),
        ("3-4 eggs, call 555-1234", "3 to 4 eggs, call 5 5 5, 1 2 3 4"),
        ("Call +49 30 123456 now", "Call plus 4 9, 3 0, 1 2 3 4 5 6 now"),
        ("(555) 123-4567.", "5 5 5, 1 2 3, 4 5 6 7."),
        ("0171/2345678", "0 1 7 1, 2 3 4 5 6 7 8"),
        ("1234567 rows, 1 000 000 more", "1234567 rows, 1 000 000 more"),
        ("rows 12-13, 2019-2021", "rows 12 to 13, 2019 to 2021"),
        ("number #4", "number number 4"),
        ("mail anna.b@example.com now", "mail anna dot b at example dot com now"),
        ("anna@example.org", "anna at example dot org"),
        ("<jo_doe-1@mail.example.org>", "jo underscore doe dash 1 at mail dot example dot org"),
        ("see https://example.com/a?b=c", "see a link"),
        ("**Done**: `buy milk` ✅ 🎉", "Done: buy milk"),
        ("[the list](http://x.y)", "the list"),
        ("Two:\n1. milk\n2. bread", "Two: 1, milk. 2, bread"),
        ("## Today\n- milk\n- bread", "Today. milk. bread"),
        ("wait — no…", "wait, no."),
        ("<speed level='20'>slow</speed>", "speed level equals '20' slow speed"),
    ],
)
def test_what_is_written_for_the_eye_is_said_for_the_ear(written: str, said: str) -> None:
    assert speakable(written) == said


@pytest.mark.parametrize(
    ("language", "written", "said"),
    [
        (
            "de",
            "**Erledigt**: `Milch` um 17:00 für 3,50 €.",
            "Erledigt: Milch um 17:00 für 3,50 €.",
        ),
        ("de", "Heute:\n- Brot\n- Käse & Wein", "Heute: Brot. Käse & Wein"),
        ("fr", "Voir [la liste](https://x.org) à 20 %", "Voir la liste à 20 %"),
        ("es", "Mira https://example.org/a?b=c 🎉", "Mira example.org"),
        ("it", "# Oggi\n1. latte", "Oggi. 1, latte"),
        ("fr", "anna@example.org, le 2026-11-22", "anna@example.org, le 2026-11-22"),
    ],
)
def test_of_other_languages_only_the_markup_is_taken_away(
    language: str, written: str, said: str
) -> None:
    assert speakable(written, language) == said


def test_engines_of_every_script_get_every_letter() -> None:
    text = "牛乳を追加しました。" * 6
    assert speakable(text, "ja", any_script=True) == text
    assert speakable("**हिन्दी**", "hi", any_script=True) == "हिन्दी"
    assert speakable("Привет 👋 Anna", "ru") == "Anna"


@pytest.mark.parametrize("text", ["", "  \n", "…", "👍", "**", "---", "\x00\x01"])
def test_what_has_no_words_is_not_said(text: str) -> None:
    assert speakable(text) == ""


def test_a_text_without_end_is_bounded() -> None:
    assert len(speakable("word " * 5000)) <= MOST_LETTERS
    assert len(speakable("a" * 3000)) < 50


def test_sentences_are_pieces_and_long_ones_are_cut_at_a_clause() -> None:
    clause = "and another thing that has to be done today, "
    text = "Done. " + clause * 12
    found = list(pieces(text.strip(", ")))
    assert found[0] == "Done."
    assert all(0 < len(piece) <= PIECE_LETTERS for piece in found)
    assert all(piece.endswith(",") for piece in found[1:-1])
    assert " ".join(found) == text.strip(", ")


@pytest.mark.parametrize(
    ("number", "text"),
    [(1, "1st"), (2, "2nd"), (3, "3rd"), (11, "11th"), (21, "21st"), (30, "30th")],
)
def test_ordinals(number: int, text: str) -> None:
    assert ordinal(number) == text
