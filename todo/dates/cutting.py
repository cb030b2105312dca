"""Finds the date in words: the whole of them, or the part at the tail or the head of an item."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime

from todo.dates.consume import consume
from todo.dates.days import MONTH, WEEKDAY
from todo.dates.phrase import Phrase, When
from todo.dates.repeats import first_occurrence
from todo.dates.words import Words, normalise

_LEADING = re.compile(
    r"^(?:for|due on|due at|due|on)\s+(?!the\b)(?=\S)|^(?:for|due on|due)\s+", re.IGNORECASE
)
_DESCRIBES = re.compile(
    rf"(?:the|a) |(?:{WEEKDAY}|{MONTH}|christmas|halloween|noon|morning|evening) "
)
_LEFT_OVER = re.compile(
    r"[\s,;:.]*(?:\b(?:for|due|on|at|by|and|is|it|it's)\b[\s,]*)?$", re.IGNORECASE
)


def parse(
    text: str, now: datetime, *, morning_hour: int = 9, reminder: bool = False
) -> When | None:
    """The moment meant by `text`, or None when there is no date in it.

    A day without an hour stays a day, but for a reminder gets `morning_hour`.
    """
    phrase = find(text, now)
    if phrase is None:
        return None
    when = phrase.resolve(morning_hour, reminder)
    if when.repeat:
        first = first_occurrence(when.repeat, when.at, when.has_time, now)
        by_clock = "FREQ=HOURLY" in when.repeat or "FREQ=MINUTELY" in when.repeat
        return replace(when, at=first, has_time=when.has_time or by_clock)
    return when


def find(text: str, now: datetime) -> Phrase | None:
    """The longest date phrase of the text; one that could mean something else only when alone."""
    words = normalise(text)
    best: tuple[int, Phrase] | None = None
    for start in words.offsets:
        found = consume(words, start, now)
        if found is None:
            continue
        phrase, end = found
        whole = start == 0 and end >= len(words.plain)
        if whole:
            return phrase
        if phrase.strong and (best is None or end - start > best[0]):
            best = (end - start, phrase)
    if best is None:
        return _bare_hour(words, now)
    return best[1]


def is_date(text: str, now: datetime) -> bool:
    """Whether the whole of the text is one date phrase."""
    words = normalise(text)
    if not words.tokens:
        return False
    found = consume(words, 0, now)
    return (found is not None and found[1] >= len(words.plain)) or bool(_bare_hour(words, now))


def _bare_hour(words: Words, now: datetime) -> Phrase | None:
    """ "5", "ten fifteen": an hour when nothing else was said."""
    if not re.fullmatch(r"\d{1,2}(?: \d{1,2})?", words.plain):
        return None
    found = consume(normalise("at " + words.plain), 0, now)
    return found[0] if found else None


def cut(text: str, now: datetime) -> tuple[str, str]:
    """The item without its date, and the date's own words ("" when it has none)."""
    words = normalise(text)
    for index, start in enumerate(words.offsets):
        if index == 0:
            continue
        found = consume(words, start, now)
        if found and found[1] >= len(words.plain) and found[0].strong:
            return _split(text, words, index, len(words.tokens))
    # "the friday report", "monday meeting notes": a day that only describes what follows.
    found = consume(words, 0, now) if words.tokens and not _DESCRIBES.match(words.plain) else None
    if found and found[0].strong and found[1] < len(words.plain):
        return _split(text, words, 0, words.index_at(found[1]))
    return text.strip(), ""


def _split(text: str, words: Words, first: int, last: int) -> tuple[str, str]:
    begin, end = words.tokens[first].start, words.tokens[last - 1].end
    phrase = _LEADING.sub("", text[begin:end].strip(" ,.;:!?"))
    if first == 0:
        return text[end:].strip(" ,.;:!?"), phrase
    return _LEFT_OVER.sub("", text[:begin]).strip(), phrase
