"""One spelling for words that Whisper writes in several ways. General English, pure."""

from __future__ import annotations

import re
from functools import partial

_RULES = (
    # Only with a mark: "have to do" stays three words.
    (re.compile(r"\b(?:to|2)[- ]do['’]?s\b", re.I), "todos"),
    (re.compile(r"\b(?:to|2)-do\b", re.I), "todo"),
    (re.compile(r"\b(\d{1,2})\.(\d{2})(?=\s*[ap]\.?m\b)", re.I), r"\1:\2"),
    (re.compile(r"(?<=\d)\s*([ap])\.?m\b\.?(?=\W|$)", re.I), r" \1m"),
    (re.compile(r"(?<=\w )([ap])\.m\.?(?=\W|$)", re.I), r"\1m"),
)


def one_spelling(text: str) -> str:
    """The same words: "to-dos" as "todos", "5 P.M." as "5 pm"; the sentence's end stays."""
    end = text[-1:] if text[-1:] in ".?!" else ""
    for pattern, replacement in _RULES:
        text = pattern.sub(partial(_replaced, replacement), text)
    return text if not end or text.endswith(end) else text + end


def _replaced(replacement: str, match: re.Match[str]) -> str:
    return match.expand(replacement).lower()
