"""What kind of name a person used: "number four", "it", "everything from today", or words. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

_UNITS_TEXT = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
)
_UNITS = _UNITS_TEXT.split()
WEEKDAY_NAMES = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_ORDINALS_TEXT = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth "
    "thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth"
)
_ORDINALS = _ORDINALS_TEXT.split()
# What the recogniser writes for a digit after "number".
_MISHEARD = {"for": 4, "fore": 4, "to": 2, "too": 2, "won": 1, "ate": 8, "tree": 3, "sex": 6}

_PREFIX = re.compile(
    r"^(?:the |todo |task |item |to do |to-do |reminder |number |numbers |no\.? |nr\.? |#)+"
)
_LAST = re.compile(
    r"(?:that|this|it|the same|last|(?:that|this|the same|the last|last) (?:one|todo|task|item"
    r"|thing|reminder)|the one (?:you|i) (?:just )?(?:said|added|mentioned|read)"
    r"|the one (?:from )?before)"
)
_THEM = re.compile(
    r"(?:(?:all|both|each|every one) (?:of )?(?:them|these|those)|them|these|those|both"
    r"|(?:these|those|both) (?:ones|todos|tasks|items))(?: all)?"
)
_ALL = re.compile(
    r"^(?:everything|all(?: of)?|every|each|any)\b(?: (?:of )?(?:the|my))?"
    r"(?: (?:open|todos?|to-dos?|tasks?|items?|ones?|things?|entries|reminders?|single|that|which|i"
    r"|have|has|is|are))*\b"
)


@dataclass(frozen=True, slots=True)
class Name:
    """`words` is left to match: all of it for `words`, what follows "everything" for `all`."""

    kind: Literal["last", "them", "numbers", "all", "words"]
    numbers: tuple[int, ...] = ()
    words: str = ""


def read_name(text: str) -> Name:
    lowered = re.sub(r"\s+", " ", text.lower().strip(" .,!?\"'"))
    if _LAST.fullmatch(lowered):
        return Name("last")
    if _THEM.fullmatch(lowered):
        return Name("them")
    numbers = read_numbers(lowered)
    if numbers:
        return Name("numbers", numbers)
    everything = _ALL.match(lowered)
    if everything:
        return Name("all", words=lowered[everything.end() :].strip())
    return Name("words", words=text.strip())


def read_numbers(text: str) -> tuple[int, ...]:
    """(2, 3) for "numbers two and three"; () unless the text is nothing but numbers."""
    lowered = text.lower().strip(" .,!?")
    prefix = _PREFIX.match(lowered)
    said_number = bool(prefix and ("num" in prefix.group() or "#" in prefix.group()))
    rest = lowered[prefix.end() :] if prefix else lowered
    bare = re.sub(r" (?:ones?|todos?|tasks?|items?)$", "", rest)
    return _all_numbers(rest, said_number) or _all_numbers(bare, said_number)


def _all_numbers(text: str, said_number: bool) -> tuple[int, ...]:
    parts = [part for part in re.split(r",? and (?:number )?|, ?(?:number )?", text) if part]
    numbers = [read_number(part, misheard=said_number) for part in parts]
    if any(number is None for number in numbers):
        return ()
    return tuple(number for number in numbers if number is not None)


def read_number(text: str, *, misheard: bool = False) -> int | None:
    """One number from 1 to 999: digits, "four", "twenty one", "third", "4th"."""
    word = text.strip().replace("-", " ")
    digits = re.fullmatch(r"(\d{1,3})(?:st|nd|rd|th)?", word)
    if digits:
        return int(digits.group(1)) or None
    if misheard and word in _MISHEARD:
        return _MISHEARD[word]
    if word in _UNITS:
        return _UNITS.index(word) or None
    if word in _ORDINALS:
        return _ORDINALS.index(word) + 1
    return _tens(word)


def _tens(word: str) -> int | None:
    ten, _, unit = word.partition(" ")
    if ten not in _TENS:
        return None
    base = 20 + 10 * _TENS.index(ten)
    if not unit:
        return base
    small = read_number(unit)
    return base + small if small and small < 10 else None


def is_ordinal(text: str) -> bool:
    """True for "the first one": a place among the options just read, not a number in the list."""
    words = re.findall(r"[a-z]+|\d+[a-z]+", text.lower())
    return any(word in _ORDINALS or re.fullmatch(r"\d+(?:st|nd|rd|th)", word) for word in words)
