"""Turns written text into text that a synthesiser says as a person would. Pure, English.

Called by every engine of `workers.speech` before it speaks; replies are written for the eye.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator

MOST_LETTERS = 2_000
PIECE_LETTERS = 220
_WORD_LETTERS = 40

_MONTHS = "January February March April May June July August September October November December"
_CURRENCIES = {"€": "euro", "$": "dollar", "£": "pound"}
_SIGNS = {
    "&": " and ",
    "%": " percent",
    "+": " plus ",
    "=": " equals ",
    "@": " at ",
    "°": " degrees ",
}
_DASHES = str.maketrans({"—": ", ", "–": ", ", "…": ". ", "’": "'", "‘": "'", "“": "", "”": ""})
_AMOUNT = r"(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d{2}))?(?![\d])"
# What no engine here can say, and what Pico takes for its own tags.
_UNSPOKEN = re.compile(r"[<>{}\[\]|\\^~`*_#\"]")

_Rule = tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]


def speakable(text: str) -> str:
    """One line to be said; empty when nothing of it can be."""
    text = unicodedata.normalize("NFC", text[:MOST_LETTERS]).translate(_DASHES)
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    text = "".join(letter for letter in text if _spoken(letter))
    text = re.sub(r"\s+", " ", text)
    text = re.sub(r"\s+([,.;:?!])", r"\1", text)
    text = re.sub(r"([,.;:?!])(?:\s*[,.;:])+", r"\1", text).strip(" ,;:-")
    text = re.sub(rf"(\w{{{_WORD_LETTERS}}})\w+", r"\1", text)
    return text if re.search(r"[^\W_]", text) else ""


def pieces(text: str) -> Iterator[str]:
    """Sentences, and clauses of long ones: the first is heard while the others are made."""
    for sentence in re.split(r"(?<=[.?!])\s+", text):
        yield from _clauses(sentence)


def _clauses(sentence: str) -> Iterator[str]:
    while len(sentence) > PIECE_LETTERS:
        head = sentence[:PIECE_LETTERS]
        cut = max(head.rfind(mark) for mark in (", ", "; ", ": ")) + 1 or head.rfind(" ")
        cut = cut if cut > 0 else PIECE_LETTERS
        yield sentence[:cut].strip()
        sentence = sentence[cut:].strip()
    if sentence:
        yield sentence


def _spoken(letter: str) -> bool:
    kind = unicodedata.category(letter)[0]
    # The voices know Latin letters; of others they would make a murmur.
    return letter.isspace() or kind in "NP" or (kind == "L" and letter < "\u0250")


def _clock(match: re.Match[str]) -> str:
    hour, minute = int(match[1]), int(match[2])
    half = match[3]
    if half is None:
        if (hour, minute) == (12, 0):
            return "noon"
        if (hour, minute) == (0, 0):
            return "midnight"
    name = half[0].upper() + "M" if half else "PM" if hour >= 12 else "AM"
    shown = hour if half else hour % 12 or 12
    minutes = "" if not minute else f" oh {minute}" if minute < 10 else f" {minute}"
    return f"{shown}{minutes} {name}"


def _iso_date(match: re.Match[str]) -> str:
    month = int(match[2])
    if not 1 <= month <= 12:
        return match[0]
    return f"{_MONTHS.split()[month - 1]} {ordinal(int(match[3]))}, {match[1]} "


def ordinal(number: int) -> str:
    """1 -> "1st"."""
    last = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if 10 <= number % 100 <= 20 else last}"


def _price(match: re.Match[str]) -> str:
    before, whole, cents, after = match.groups()
    name = _CURRENCIES[before or after]
    whole = whole.replace(",", "")
    units = name if int(whole) == 1 else f"{name}s"
    return f"{whole} {units}" + (f" {int(cents)}" if cents and int(cents) else "")


def _address(match: re.Match[str]) -> str:
    name, host = (part.replace(".", " dot ") for part in match.groups())
    name = re.sub(r"[_-]", lambda sign: " dash " if sign[0] == "-" else " underscore ", name)
    return f"{name} at {host}"


def _item(match: re.Match[str]) -> str:
    return f". {match[1]}, " if match[1] else ". "


_RULES: tuple[_Rule, ...] = (
    (re.compile(r"```.*?(?:```|\Z)", re.S), " "),
    (re.compile(r"!?\[([^\]]*)\]\([^)]*\)"), r"\1"),
    (re.compile(r"\b(?:https?://|www\.)\S+"), "a link"),
    (re.compile(r"\b([\w.+-]+)@((?:[\w-]+\.)+\w+)"), _address),
    (re.compile(r"</?\w+|/?>"), lambda match: " " + match[0].strip("</>")),
    (re.compile(r"^\s{0,3}#{1,6}\s+", re.M), ""),
    (re.compile(r"(?:^|\n)\s*(?:[-*•]|(\d{1,3})[.)])\s+"), _item),
    (re.compile(r"\n+"), ". "),
    (re.compile(r"\b(\d{4})-(\d{2})-(\d{2})(?:T|\b)"), _iso_date),
    (
        re.compile(
            r"\b([01]?\d|2[0-3]):([0-5]\d)(?::[0-5]\d)?(?:\s*([apAP])\.?[mM]\b(?:\.(?!\s+[A-Z]|\s*$))?)?"
        ),
        _clock,
    ),
    (re.compile(rf"([€$£])\s?{_AMOUNT}()"), _price),
    (re.compile(rf"()\b{_AMOUNT}\s?([€$£])"), _price),
    (re.compile(r"#(?=\d)"), "number "),
    (re.compile(r"(?<![\d-])(\d{1,2})\s?-\s?(?=\d{1,2}(?![\d-]))"), r"\1 to "),
    (re.compile(r"\be\.g\.", re.I), "for example"),
    (re.compile(r"\bi\.e\.", re.I), "that is"),
    (
        re.compile(r"\b([apAP])\.[mM](?:\.(?!\s+[A-Z]|\s*$)|\b)"),
        lambda match: f"{match[1].upper()}M",
    ),
    (re.compile(r"[&%+=@°]"), lambda match: _SIGNS[match[0]]),
    (re.compile(r"\band/or\b"), "and or"),
    (re.compile(r"(?<=\w)/(?=\w)"), " or "),
    (_UNSPOKEN, " "),
)
