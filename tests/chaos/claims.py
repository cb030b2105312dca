"""What a caller was told about a command: that it was done, that it was not, or neither.

Pure. The sentences are the product's own; one that is not known here is a finding too, because
nothing could be held against the database.
"""

from __future__ import annotations

import re
from enum import Enum

from tests.chaos.facts import READS, Attempt


class Claim(Enum):
    DONE = "done"
    NOT_DONE = "not done"
    UNSURE = "unsure"
    """The caller was told that it is not known."""
    ANSWERED = "answered"
    """A question was answered; nothing was to be changed."""
    NOTHING = "nothing"
    """The caller was cut off or interrupted before hearing anything."""
    UNKNOWN = "unknown"
    """Words that this module does not understand."""


_DONE = re.compile(
    r"\bAdded \S|\bDone: |\bDeleted \S|\bhas high priority now|\bReminder set\b|\bUndone: "
)
_NOT_DONE = re.compile(
    r"Nothing was changed|nothing was done with it|I found no |There is nothing to undo"
    r"|could not make out your words|That last one was not taken|I did not understand"
    r"|so (this|it) was not done|I left it as it is"
    r"|Did you mean|Which one|no longer waiting|already"
)
_UNSURE = re.compile(
    r"not sure whether|look at your list|[Ii]s uncertain|It is not known"
    r"|cannot say whether anything was changed"
)
_READ = re.compile(r"\byou have\b|\bon your list\b|\bopen todos?\b", re.IGNORECASE)
_CHANGING_TOOLS = frozenset(
    {"add_todos", "change_todo", "complete_todos", "delete_todos", "add_reminder"}
    | {"undo_last_change"}
)


def claim_of(attempt: Attempt) -> Claim:
    """What the last words said; a chip counts when the words never came."""
    for text in (attempt.reply, *reversed(attempt.notices)):
        claim = _claim_in(text, attempt.kind)
        if claim is not Claim.UNKNOWN:
            return claim
    if chip_says_done(attempt):
        return Claim.DONE
    whole = attempt.outcome in ("done", "failed")
    return Claim.UNKNOWN if attempt.reply and whole else Claim.NOTHING


def chip_says_done(attempt: Attempt) -> bool:
    chips = attempt.chips.values()
    return any(c.name in _CHANGING_TOOLS and c.status == "done" and c.summary for c in chips)


def _claim_in(text: str, kind: str) -> Claim:
    if _DONE.search(text):
        return Claim.DONE
    if _UNSURE.search(text):
        return Claim.UNSURE
    if _NOT_DONE.search(text):
        return Claim.NOT_DONE
    if kind in READS and _READ.search(text):
        return Claim.ANSWERED
    return Claim.UNKNOWN


_WORDS = [
    "no",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
]


def count_said(text: str) -> int | None:
    """The number in "You have three open todos."; None when there is none."""
    found = re.search(r"\bYou have (\w+) open todo", text)
    if found is None:
        return None
    word = found[1].lower()
    return _WORDS.index(word) if word in _WORDS else int(word) if word.isdigit() else None
