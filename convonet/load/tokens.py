"""A word of its own for each thing said, by which a turn is known at every stand-in. Pure.

The recogniser's stand-in hears it, the model's is asked with it and answers with it, the voice's is
to say it. It is pronounceable, so that nobody on the way spells it out or takes it for a number.
"""

from __future__ import annotations

import re

_SYLLABLES = tuple(f"{c}{v}" for c in "bdfgklmnprtvz" for v in "aeiou")
_LENGTH = 3
NUMBER = len(_SYLLABLES) ** _LENGTH
"""How many there are; then they begin anew."""
_MARK = "zo"
_TOKEN = re.compile(rf"\b{_MARK}(?:[bdfgklmnprtvz][aeiou]){{{_LENGTH}}}\b")
PLAIN = "todo"
"""Stands where nothing was said: in a greeting."""


def token(number: int) -> str:
    """Of eight letters."""
    syllables = []
    for _ in range(_LENGTH):
        number, at = divmod(number, len(_SYLLABLES))
        syllables.append(_SYLLABLES[at])
    return _MARK + "".join(syllables)


def found(text: str) -> str:
    """The last token in a text; empty when there is none."""
    tokens = _TOKEN.findall(text)
    return tokens[-1] if tokens else ""
