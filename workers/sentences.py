"""Cuts streamed text into pieces worth speaking, each as early as it is certain to have ended."""

from __future__ import annotations

import re

# A piece longer than this is spoken in clauses; the first one sooner, so that speech starts early.
FIRST_CHARACTERS = 100
MOST_CHARACTERS = 220
# No clause shorter than this is worth a breath of its own.
LEAST_CLAUSE = 30

_END = re.compile(r"""[.!?…]+["'”’)\]]*(?=\s)|\n""")
_CLAUSE = re.compile(r"[,;:—–](?=\s)|\s(?=(?:and|but|or|so|then|because|which)\s)")
_BULLET = re.compile(r"^\s*(?:[-*•]\s+)+")
_LAST_TOKEN = re.compile(r"(\S+)$")
# Never the end of a sentence: a name or number follows.
_TITLES = frozenset(
    ("dr", "mr", "mrs", "ms", "prof", "st", "sr", "jr", "vs", "tel", "approx", "e.g", "i.e", "cf")
)
# The end of a sentence only when a capital letter follows.
_MAYBE = frozenset(
    ("a.m", "p.m", "am", "pm", "etc", "inc", "ltd", "co", "u.s", "u.k", "e.u", "min", "max")
)
# "No. 5" goes on, "No. You have none" does not.
_NUMBER_SIGNS = frozenset(("no", "nos", "fig"))


class SentenceSplitter:
    """Feed it with `push`, end each message with `flush`; no text is lost or spoken twice."""

    def __init__(self) -> None:
        self._rest = ""
        self._first = True

    def push(self, text: str) -> list[str]:
        """Return the pieces that ended with this text."""
        self._rest += text
        pieces = []
        while (cut := self._cut()) is not None:
            pieces += self._take(cut)
        return pieces

    def flush(self) -> list[str]:
        """The message is over: return what is left, in bearable lengths."""
        pieces = self.push("\n")
        self._rest = ""
        return pieces

    def drop(self) -> str:
        """The rest that ended nowhere, which is forgotten."""
        dropped, self._rest = self._rest, ""
        return dropped

    def _take(self, cut: int) -> list[str]:
        piece = _BULLET.sub("", self._rest[:cut]).strip()
        self._rest = self._rest[cut:].lstrip()
        if not any(character.isalnum() for character in piece):
            return []
        self._first = False
        return [piece]

    def _cut(self) -> int | None:
        limit = FIRST_CHARACTERS if self._first else MOST_CHARACTERS
        end = self._sentence_end()
        if end is not None and end <= limit:
            return end
        if len(self._rest) <= limit:
            return None
        # Without a sentence end in reach: a first clause, else (never mid-word) a full length.
        clause = _last_clause(self._rest, limit)
        if clause is not None:
            return clause
        if self._first and len(self._rest) <= MOST_CHARACTERS:
            return end
        if end is not None and end <= MOST_CHARACTERS:
            return end
        space = self._rest.rfind(" ", 0, MOST_CHARACTERS)
        return space if space > 0 else min(len(self._rest), MOST_CHARACTERS)

    def _sentence_end(self) -> int | None:
        for match in _END.finditer(self._rest):
            if match.group() == "\n":
                return match.end()
            verdict = _ends_sentence(self._rest, match)
            if verdict is None:
                return None
            if verdict:
                return match.end()
        return None


def _ends_sentence(text: str, mark: re.Match[str]) -> bool | None:
    """None: more text is needed to know."""
    if mark.group()[0] != ".":
        return True
    token = _LAST_TOKEN.search(text[: mark.start()])
    word = token.group(1).lower().lstrip("(\"'“‘[") if token else ""
    if mark.group().startswith(".."):
        return _starts_with_capital(text[mark.end() :])
    if word in _TITLES:
        return False
    if word in _NUMBER_SIGNS:
        following = text[mark.end() :].lstrip()
        return not following[0].isdigit() if following else None
    if word.isdigit() and token is not None and not text[: token.start()].strip():
        return False  # "2. Buy bread": a list number
    if len(word) == 1 and word.isalpha() and word != "i":
        return False  # "J. Smith"
    if word in _MAYBE:
        return _starts_with_capital(text[mark.end() :])
    return True


def _starts_with_capital(after: str) -> bool | None:
    following = after.lstrip(" \t")
    if not following:
        return None
    if following[0] == "\n":
        return True
    return not following[0].islower() and not following[0].isdigit()


def _last_clause(text: str, limit: int) -> int | None:
    best = None
    for match in _CLAUSE.finditer(text, 0, limit):
        if match.end() >= LEAST_CLAUSE and len(text) - match.end() > 0:
            best = match.end()
    return best
