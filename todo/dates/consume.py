"""Reads a date phrase from left to right, piece by piece, as far as it goes."""

from __future__ import annotations

import re
from datetime import datetime

from todo.dates import clock, days, repeats
from todo.dates.days import Handler
from todo.dates.phrase import Phrase
from todo.dates.words import Words

_LINK = re.compile(
    r"(?:(?:at|on|in|by|for|before|until|the|due|around|about|of|from|starting|early|late"
    r"|no later than|not later than|latest|and|that(?= noon| midnight)"
    r"|this coming|sometime|exactly|again) )*"
)
_LIMIT = re.compile(r"\b(?:by|before|until|no later than|not later than|latest)\b")
_HOUR_FOLLOWS = re.compile(r"\b(?:at|by|before|until|around|about|from|for)(?: about)? $")
_STRONG_LINK = re.compile(r"\b(?:at|by|before|until|on|in) (?:the )?$")
_MONTH_ALONE = re.compile(r"may|march|second|august")
_PIECES: list[tuple[re.Pattern[str], Handler]] = [*repeats.PIECES, *clock.PIECES, *days.PIECES]


def consume(words: Words, start: int, now: datetime) -> tuple[Phrase, int] | None:
    """The phrase that begins at offset `start` of the plain words, and the offset after it."""
    phrase, position, plain = Phrase(now), start, words.plain
    while position < len(plain):
        link = _LINK.match(plain, position)
        after_link = link.end() if link else position
        said = plain[position:after_link]
        end = _piece(phrase, plain, position, said) or (
            _piece(phrase, plain, after_link, said) if said else None
        )
        if end is None:
            end = _weak_hour(phrase, plain, after_link, said, position > start)
        if end is None:
            break
        _note_limit(phrase, said)
        position = min(end + 1, len(plain))
    if position == start:
        return None
    return phrase, position


def _piece(phrase: Phrase, plain: str, position: int, said: str) -> int | None:
    for pattern, handler in _PIECES:
        found = pattern.match(plain, position)
        if not found:
            continue
        was_strong = phrase.strong
        if handler(phrase, found):
            if _doubtful(found.group(), said) and not was_strong:
                phrase.strong = False
            if "until" in said and phrase.rule and phrase.day and phrase.until is None:
                phrase.until, phrase.day = phrase.day, None
            return found.end()
    return None


def _doubtful(text: str, said: str) -> bool:
    """ "may", "march" or "the second" without a word before it that makes it a date."""
    if text in ("may", "march", "august", "april", "june") or re.fullmatch(r"\d{1,2}th", text):
        return not _STRONG_LINK.search(said)
    return False


def _weak_hour(phrase: Phrase, plain: str, position: int, said: str, inside: bool) -> int | None:
    after_at = bool(_HOUR_FOLLOWS.search(said)) and not said.endswith("the ")
    beside_day = inside and phrase.day is not None
    for pattern, handler in clock.WEAK_PIECES:
        found = pattern.match(plain, position)
        if not found:
            continue
        rest = plain[found.end() + 1 :]
        if not (after_at or (beside_day and not rest) or _day_follows(rest)):
            continue
        if handler(phrase, found):
            phrase.strong = phrase.strong or bool(re.search(r"\b(?:at|by|until|before)\b", said))
            return found.end()
    return None


def _day_follows(rest: str) -> bool:
    return bool(
        re.match(
            r"(?:on |in the |this )?(?:today|tomorrow|tonight|morning|evening|afternoon)", rest
        )
    )


def _note_limit(phrase: Phrase, said: str) -> None:
    if not _LIMIT.search(said):
        return
    phrase.range_end = True
