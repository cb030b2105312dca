"""Spoken or typed words as plain tokens: small letters, digits, "5 pm" for "5p.m.".

Every token remembers where it stood, so that a date can be cut out of the caller's own words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


def _listed(words: str) -> list[str]:
    return words.split()


UNITS = {
    word: number
    for number, word in enumerate(
        _listed(
            "zero one two three four five six seven eight nine ten eleven twelve thirteen "
            "fourteen fifteen sixteen seventeen eighteen nineteen"
        )
    )
}
TENS = {
    word: 10 * number
    for number, word in enumerate(
        _listed("twenty thirty forty fifty sixty seventy eighty ninety"), start=2
    )
}
ORDINALS = {
    word: number
    for number, word in enumerate(
        _listed(
            "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth "
            "thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth"
        ),
        start=1,
    )
} | {"twentieth": 20, "thirtieth": 30}
WEEKDAYS = _listed("monday tuesday wednesday thursday friday saturday sunday")
MONTHS = _listed(
    "january february march april may june july august september october november december"
)
SHORT = {
    **{"mon": "monday", "tue": "tuesday", "tues": "tuesday", "wed": "wednesday"},
    **{"thu": "thursday", "thur": "thursday", "thurs": "thursday", "fri": "friday"},
    **{"jan": "january", "feb": "february", "apr": "april", "jun": "june", "jul": "july"},
    **{"aug": "august", "sep": "september", "sept": "september", "oct": "october"},
    **{"nov": "november", "dec": "december"},
    **{"midday": "noon", "noontime": "noon", "lunchtime": "noon", "tonite": "tonight"},
    **{"tmrw": "tomorrow", "tomorow": "tomorrow", "o'clock": "oclock", "an": "a"},
    **{"mins": "minutes", "min": "minutes", "hrs": "hours", "hr": "hours", "secs": "seconds"},
    **{"each": "every", "til": "until", "till": "until", "'til": "until"},
}
_TOKEN = re.compile(
    r"\d{4}-\d{2}-\d{2}(?:[t ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:z|[+-]\d{2}:?\d{2})?)?"
    r"|\d{1,2}[:.]\d{2}(?!\d)|\d{1,2}/\d{1,2}(?:/\d{2,4})?|\d+(?:st|nd|rd|th)\b"
    r"|[ap]\.? ?m\.?(?![\w'])|\d+|[^\W\d_]+(?:['’][^\W\d_]+)*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Token:
    text: str
    start: int
    end: int
    """Where it stood in the caller's words."""


@dataclass(frozen=True, slots=True)
class Words:
    """`plain` is the tokens joined by one blank; `offsets[i]` is where token i starts in it."""

    tokens: list[Token]
    plain: str
    offsets: list[int]

    def index_at(self, offset: int) -> int:
        """The token that starts at `offset` of `plain`, or the number of tokens at its end."""
        return self.offsets.index(offset) if offset < len(self.plain) else len(self.tokens)


def normalise(text: str) -> Words:
    tokens = _join_numbers([_token(found) for found in _TOKEN.finditer(text)])
    offsets, position = [], 0
    for token in tokens:
        offsets.append(position)
        position += len(token.text) + 1
    return Words(tokens, " ".join(token.text for token in tokens), offsets)


def _token(found: re.Match[str]) -> Token:
    text = found.group().lower().replace("’", "'")
    if re.fullmatch(r"[ap]\.? ?m\.?", text):
        text = text[0] + "m"
    elif re.fullmatch(r"\d+(?:st|nd|rd|th)", text):
        text = text[:-2] + "th"
    elif re.fullmatch(r"\d{1,2}\.\d{2}", text):
        text = text.replace(".", ":")
    elif text.endswith("'s"):
        text = text[:-2]
    return Token(SHORT.get(text, text), found.start(), found.end())


def _join_numbers(tokens: list[Token]) -> list[Token]:
    joined: list[Token] = []
    index = 0
    while index < len(tokens):
        text, used = _number(tokens, index)
        # How a recogniser writes "half past three".
        if text == "free" and joined and joined[-1].text in ("past", "to"):
            text = "3"
        last = tokens[index + used - 1]
        joined.append(Token(text, tokens[index].start, last.end))
        index += used
    return joined


def _number(tokens: list[Token], index: int) -> tuple[str, int]:
    """The number spoken from `index` on, as digits ("21", "21th"), and how many tokens it took."""
    value, used, ordinal = _below_hundred(tokens, index)
    if not used:
        return tokens[index].text, 1
    scales = {"hundred": 100, "thousand": 1000}
    while not ordinal and (scale := scales.get(_text(tokens, index + used))):
        value, used = value * scale, used + 1
        skip = _text(tokens, index + used) == "and"
        more, taken, ordinal = _below_hundred(tokens, index + used + skip)
        if taken:
            value, used = value + more, used + skip + taken
    return (f"{value}th" if ordinal else str(value)), used


def _below_hundred(tokens: list[Token], index: int) -> tuple[int, int, bool]:
    """Value, tokens taken (0: no number word here) and whether it is an ordinal."""
    word, following = _text(tokens, index), _text(tokens, index + 1)
    if word in TENS:
        if UNITS.get(following, 10) < 10 and following != "zero":
            return TENS[word] + UNITS[following], 2, False
        if ORDINALS.get(following, 10) < 10:
            return TENS[word] + ORDINALS[following], 2, True
        return TENS[word], 1, False
    if word in UNITS:
        return UNITS[word], 1, False
    if word in ORDINALS:
        return ORDINALS[word], 1, True
    return 0, 0, False


def _text(tokens: list[Token], index: int) -> str:
    return tokens[index].text if index < len(tokens) else ""


def plain(text: str) -> str:
    """Small letters, numbers as digits, no marks: to compare what two people wrote."""
    return normalise(text).plain
