"""Digits as people say them and recognisers write them: "oh double seven four", "12-34", "won to".

Pure. What is not wholly digits, save small words around them, is no number here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

# With what recognisers write for them where nothing but digits makes sense.
_UNITS = {
    "0": (
        *("zero", "oh", "o", "nought", "naught", "nil", "null", "zeros", "zeroes"),
        # A telephone's "oh".
        *("owe", "r", "or", "are", "our", "all", "off", "row", "ro", "not", "knot"),
    ),
    "1": ("one", "won", "wan", "ones", "win", "when"),
    "2": ("two", "to", "too", "tu", "twos"),
    "3": ("three", "free", "tree", "threes"),
    "4": ("four", "for", "fore", "fours"),
    "5": ("five", "fife", "fives"),
    "6": ("six", "sicks", "sixes"),
    "7": ("seven", "sevens"),
    "8": ("eight", "ate", "eights"),
    "9": ("nine", "niner", "nein", "nines"),
}
_UNIT = {word: digit for digit, words in _UNITS.items() for word in words}
_TEENS = {
    word: str(number)
    for number, word in enumerate(
        [
            *("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen"),
            *("seventeen", "eighteen", "nineteen"),
        ],
        start=10,
    )
}
_TENS = {
    word: str(number)
    for number, word in enumerate(
        ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], start=2
    )
} | {"fourty": "4"}
_TIMES = {"double": 2, "triple": 3, "treble": 3}
_POWERS = {"hundred": 100, "thousand": 1000}
# "Pin" is a short word on a telephone line: the first ones are what comes of it.
_AROUND = frozenset(
    re.findall(
        r"\S+",
        """pin pins pen pan pain bin ping my is it its it's was a the code number numbers digits
        passcode password um uh er erm ah hm well so ok okay yes yeah hi hello hey please
        thanks thank you that's thats that this here and then i i'm hash pound key sure right""",
    )
)
# "11" is no 1 said twice, and "1212" may be all of it.
LEAST_REPEATED = 4
# Mean digits only among digits.
_UNSURE = frozenset(
    {
        *("to", "too", "for", "free", "tree", "won", "ate", "nein", "wan", "win", "when"),
        *_UNITS["0"][8:],
        "o",
    }
)
_TOKEN = re.compile(r"\d+|[^\W\d_]+(?:['’][^\W\d_]+)?")


@dataclass(frozen=True, slots=True)
class Spoken:
    digits: str = ""
    """Empty unless all that was said is digits and small words around them."""
    mostly: bool = False
    """More than half of what was said is surely digits: somebody tried to say some."""


def read(text: str) -> Spoken:
    tokens = [token.replace("’", "'") for token in _TOKEN.findall(text.lower()[:400])]
    said = [token for token in tokens if token not in _AROUND]
    if said[:1] == ["are"]:  # "the digits are …"
        del said[0]
    digits = [token for token in said if _is_digits(token)]
    if not said or len(digits) < len(said):
        sure = len([token for token in digits if token not in _UNSURE])
        return Spoken("", 2 * sure > len(said))
    return Spoken(_once("".join(_parts(said))), True)


def _once(digits: str) -> str:
    """Said twice to be sure, or written twice: Whisper does so after a pause."""
    half = digits[: len(digits) // 2]
    return half if len(half) >= LEAST_REPEATED and half + half == digits else digits


def _is_digits(token: str) -> bool:
    return token.isdigit() or any(
        token in words for words in (_UNIT, _TEENS, _TENS, _TIMES, _POWERS)
    )


def _parts(tokens: Sequence[str]) -> Iterator[str]:
    at = 0
    while at < len(tokens):
        part, used = _part(tokens[at:])
        yield part
        at += used


def _part(tokens: Sequence[str]) -> tuple[str, int]:
    """The digits of the first thing said, and of how many tokens it is."""
    first, rest = tokens[0], tokens[1:]
    if first in _TIMES:
        # "double seven four" is 774: it is the next digit alone that counts so often.
        digit = _digit(rest[0]) if rest else ""
        return (digit * _TIMES[first], 2) if digit else ("", 1)
    if any(token in _POWERS for token in tokens[:3]):
        return _cardinal(tokens)
    ten = _ten(first)
    if ten:
        # "70 1" too is how "seventy one" gets written: nobody says so for 7, 0, 1.
        unit = _digit(rest[0]) if rest else ""
        return (ten + unit, 2) if unit and unit != "0" else (ten + "0", 1)
    return _small(first), 1


def _ten(token: str) -> str:
    """The first digit of 20, 30 … 90."""
    if token in _TENS:
        return _TENS[token]
    return token[0] if re.fullmatch("[2-9]0", token) else ""


def _digit(token: str) -> str:
    return token if len(token) == 1 and token.isdigit() else _UNIT.get(token, "")


def _small(token: str) -> str:
    return token if token.isdigit() else _UNIT.get(token) or _TEENS.get(token, "")


def _cardinal(tokens: Sequence[str]) -> tuple[str, int]:
    """ "twelve hundred", "one thousand two hundred thirty four": to the end of the number."""
    total = current = used = 0
    for token in tokens:
        if token in _POWERS:
            current = max(current, 1) * _POWERS[token]
            if token == "thousand":  # noqa: S105
                total, current = total + current, 0
        elif token in _TENS:
            current += int(_TENS[token]) * 10
        elif small := _small(token):
            current += int(small)
        else:
            break
        used += 1
    return str(total + current), max(used, 1)
