"""Turns written text into text that a synthesiser says as a person would. Pure.

Called by every engine of `workers.speech` before it speaks; replies are written for the eye. What
is read out in another way (dates, amounts, addresses) is known for English only.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator

MOST_LETTERS = 2_000
PIECE_LETTERS = 220

_MONTHS = "January February March April May June July August September October November December"
_CURRENCIES = {
    "€": ("euro", "euros"),
    "$": ("dollar", "dollars"),
    "£": ("pound", "pounds"),
    "¥": ("yen", "yen"),
    "EUR": ("euro", "euros"),
    "USD": ("dollar", "dollars"),
    "GBP": ("pound", "pounds"),
    "CHF": ("franc", "francs"),
    "JPY": ("yen", "yen"),
}
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
_CURRENCY = r"([€$£¥]|\b(?:EUR|USD|GBP|CHF|JPY)\b)"
# Runs of letters without end are noise; other scripts have whole sentences without a space.
_ENDLESS = re.compile(r"(\w{40})\w+", re.ASCII)
# What no engine here can say, and what Pico takes for its own tags.
_UNSPOKEN = re.compile(r"[<>{}\[\]|\\^~`*_#\"]")
_LEAST_TELEPHONE = 7

_Rule = tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]


def speakable(text: str, language: str = "", *, any_script: bool = False) -> str:
    """One line to be said; empty when nothing of it can be.

    `language` is ISO 639-1, empty for English. Without `any_script` only Latin letters are kept:
    of others the local voices would make a murmur.
    """
    english = language in ("", "en")
    text = unicodedata.normalize("NFC", text[:MOST_LETTERS]).translate(_DASHES)
    for pattern, replacement in _ENGLISH if english else _MARKUP:
        text = pattern.sub(replacement, text)
    text = _UNSPOKEN.sub(" ", text)
    kept = "NP" if english else "NPS"
    text = "".join(letter for letter in text if _spoken(letter, kept, any_script))
    text = re.sub(r"\s+", " ", text)
    text = re.sub(r"\s+([,.;:?!])", r"\1", text)
    text = re.sub(r"([,.;:?!])(?:\s*[,.;:])+", r"\1", text).strip(" ,;:-")
    text = _ENDLESS.sub(r"\1", text)
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


def _spoken(letter: str, kept: str, any_script: bool) -> bool:
    kind = unicodedata.category(letter)
    if kind == "So":
        return letter == "°"
    if kind[0] == "L":
        return any_script or letter < "\u0250"
    return letter.isspace() or kind[0] in kept or (any_script and kind[0] == "M")


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
    month, day = int(match[2]), int(match[3])
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return match[0]
    return f"{_MONTHS.split()[month - 1]} {ordinal(day)}, {match[1]} "


def ordinal(number: int) -> str:
    """1 -> "1st"."""
    last = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if 10 <= number % 100 <= 20 else last}"


def _price(match: re.Match[str]) -> str:
    before, whole, cents, after = match.groups()
    one, many = _CURRENCIES[before or after]
    whole = whole.replace(",", "")
    units = one if int(whole) == 1 else many
    return f"{whole} {units}" + (f" {int(cents)}" if cents and int(cents) else "")


def _address(match: re.Match[str]) -> str:
    name, host = (part.replace(".", " dot ") for part in match.groups())
    name = re.sub(r"[_-]", lambda sign: " dash " if sign[0] == "-" else " underscore ", name)
    return f"{name} at {host}"


def _item(match: re.Match[str]) -> str:
    return f". {match[1]}, " if match[1] else ". "


def _telephone(match: re.Match[str]) -> str:
    """Digit by digit, with a breath where it is written apart."""
    number = match[0]
    digits = sum(letter.isdigit() for letter in number)
    apart = number[0] in "+0(" or "-" in number or ")" in number
    if digits < _LEAST_TELEPHONE or not apart:
        return number
    groups = re.findall(r"\d+", number)
    return ("plus " if number[0] == "+" else "") + ", ".join(" ".join(group) for group in groups)


_BLOCKS: tuple[_Rule, ...] = (
    (re.compile(r"```.*?(?:```|\Z)", re.S), " "),
    (re.compile(r"!?\[([^\]]*)\]\([^)]*\)"), r"\1"),
)
_TAGS: tuple[_Rule, ...] = (
    (re.compile(r"</?\w+|/?>"), lambda match: " " + match[0].strip("</>")),
    (re.compile(r"^\s{0,3}#{1,6}\s+", re.M), ""),
    (re.compile(r"(?:^|\n)\s*(?:[-*•]|(\d{1,3})[.)])\s+"), _item),
    (re.compile(r"\n+"), ". "),
)
_MARKUP: tuple[_Rule, ...] = (
    *_BLOCKS,
    (re.compile(r"\b(?:https?://|www\.)([\w.-]+)\S*"), r"\1"),
    *_TAGS,
)
_ENGLISH: tuple[_Rule, ...] = (
    *_BLOCKS,
    (re.compile(r"\b(?:https?://|www\.)\S+"), "a link"),
    (re.compile(r"\b([\w.+-]+)@((?:[\w-]+\.)+\w+)"), _address),
    *_TAGS,
    (re.compile(r"\b(\d{4})-(\d{2})-(\d{2})(?:T|\b)"), _iso_date),
    (
        re.compile(
            r"\b([01]?\d|2[0-3]):([0-5]\d)(?::[0-5]\d)?(?:\s*([apAP])\.?[mM]\b(?:\.(?!\s+[A-Z]|\s*$))?)?"
        ),
        _clock,
    ),
    (re.compile(rf"{_CURRENCY}\s?{_AMOUNT}()"), _price),
    (re.compile(rf"()\b{_AMOUNT}\s?{_CURRENCY}"), _price),
    (re.compile(r"\b((?:19|20)\d\d)\s?-\s?(?=(?:19|20)\d\d\b(?!-))"), r"\1 to "),
    (re.compile(r"(?<![\w.,+-])(?:\+|\()?\d(?:[ ()/-]{0,2}\d){6,14}(?![\w-]|[.,]\d)"), _telephone),
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
)
