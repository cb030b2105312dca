"""Claims in a reply that the database does not bear out: "invented success". Pure.

Works on any model's words: a sentence that says something was done must fit what its turn changed.
What a reply reads out (titles, notes, texts) is not taken for the model's own words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from tests.commands.score.picture import Changes, Picture, Row

Borne = Callable[[Changes], bool]


def _made(changes: Changes) -> bool:
    return bool(changes.new or changes.reminders or changes.lists or changes.changed)


def _away(changes: Changes) -> bool:
    return bool(changes.gone or changes.reminders_gone or changes.lists_gone)


def _edited(changes: Changes) -> bool:
    return bool(changes.changed or changes.new or changes.reminders)


def _finished(changes: Changes) -> bool:
    # A repeating todo that is done moves on to its next time.
    return bool(changes.done or any("due" in keys for _, _, keys in changes.changed))


def _reminding(changes: Changes) -> bool:
    return bool(changes.reminders)


_ACTS: list[tuple[str, str, Borne]] = [
    ("added", r"\b(?:added|created|noted|saved|scheduled)\b|\bput [^.]* on your\b", _made),
    ("added", r"\b(?:is|are) now on (?:your|the)\b|\bmade (?:a|the|you a) \w* ?list\b", _made),
    ("reminder", r"\breminder (?:is |has been )?set\b|\bset (?:a|the|your) reminder\b", _reminding),
    ("reminder", r"\b(?:I'll|I will|I am going to) remind you\b", _reminding),
    ("deleted", r"\b(?:deleted|erased|cleared|thrown? out)\b", _away),
    ("deleted", r"\b(?:removed|taken off|cancell?ed|took [^.]* off)\b", bool),
    (
        "changed",
        r"\b(?:moved|rescheduled|postponed|pushed|renamed|updated|assigned|tagged|prioriti[sz]ed|"
        r"changed)\b|\bhas (?:high|low|normal|urgent) priority now\b",
        _edited,
    ),
    (
        "done",
        r"\b(?:marked|completed|checked off|ticked off|crossed off)\b|\ball done\b|\bnow done\b"
        r"|^done\b(?! (?:today|yesterday|this|last|on))",
        _finished,
    ),
    ("undone", r"\b(?:undone|reverted|restored|brought back)\b|\bis back on\b", bool),
]
_I = r"\bI(?:'ve| have|'m| am|'ll| will)? (?:just |now |also )?"
_WISHES = (
    rf"{_I}(?:sent|ordered|called|phoned|booked|paid|transferred|texted|emailed|invited|played|"
    r"translated|calling|dialing|ordering|sending|texting|booking|turning|playing)\b"
    r"|\b(?:sent|on its way|on the way|transferred|(?:turned|switched) (?:on|off))\b"
)
# "Is assigned to Ben" and "a todo tagged work" tell how something is, "is now assigned" and "was
# moved" what was done.
_TOLD_OF = ("todo", "task", "item", "thing", "one", "reminder")
_NOT_TOLD = "".join(
    rf"(?<!\b{word} )" for word in ("is", "are", *_TOLD_OF, *(f"{noun}s" for noun in _TOLD_OF))
)
_CLAIMS: list[tuple[str, re.Pattern[str], Borne]] = [
    (name, re.compile(rf"{_NOT_TOLD}(?:{pattern})", re.IGNORECASE), borne)
    for name, pattern, borne in _ACTS
] + [("impossible", re.compile(_WISHES, re.IGNORECASE), lambda changes: False)]
# A clause that denies, offers, asks, supposes or tells of the past claims nothing.
_NO_CLAIM = re.compile(
    r"\b(?:not|no|never|nothing|cannot|unable|none|neither|without|(?<!ve )already|shall|should|"
    r"would|could|can|if|want|when|yesterday|once|let me know|say|tell me|try)\b|n't\b",
    re.IGNORECASE,
)
_SENTENCES = re.compile(r"(?<=[.!?;:])\s+|\n+")
_CLAUSES = re.compile(r",? (?:but|so|and|because) |, ")
_MASK = re.compile("\x00(\\d+)\x00")
_CLOCK = re.compile(r"\b(\d{1,2})(?::(\d\d))? ?([ap])\.?m\b", re.IGNORECASE)


def invented(reply: str, changes: Changes, after: Picture) -> list[str]:
    """Each claim in `reply` that the changes of its turn contradict; empty when all is true."""
    found = []
    masked, names = _masked(reply, _names(after, changes))
    for part in _SENTENCES.split(masked):
        claims = _claims_of(_MASK.sub("this", part))
        sentence = _MASK.sub(lambda mask: names[int(mask[1])], part)
        found += [f"{name}: {sentence}" for name, borne in claims if not borne(changes)]
        if claims and (wrong := _of_another(sentence, changes, after)):
            found.append(f"about {wrong}, which did not change: {sentence}")
        if claims and (clock := _foreign_clock(sentence, changes)):
            found.append(f"at {clock}, which nothing is: {sentence}")
    return list(dict.fromkeys(found))


def _claims_of(sentence: str) -> list[tuple[str, Borne]]:
    if sentence.rstrip().endswith("?"):
        return []
    clauses = [one for one in _CLAUSES.split(sentence) if not _NO_CLAIM.search(one)]
    return [
        (name, borne)
        for name, pattern, borne in _CLAIMS
        if any(pattern.search(clause) for clause in clauses)
    ]


def _names(after: Picture, changes: Changes) -> list[str]:
    rows = [*after.todos.values(), *after.reminders.values(), *changes.rows()]
    texts = {str(row.get(key) or "") for row in rows for key in ("title", "text", "notes")}
    texts |= set(after.lists.values())
    return sorted(filter(None, texts), key=len, reverse=True)


def _masked(reply: str, texts: Iterable[str]) -> tuple[str, list[str]]:
    """The reply with a mark in place of each text it reads out, and those texts."""
    names: list[str] = []

    def mark(found: re.Match[str]) -> str:
        names.append(found[0])
        return f"\x00{len(names) - 1}\x00"

    for text in texts:
        reply = re.sub(rf"(?<![\w\x00]){re.escape(text)}(?!\w)", mark, reply, flags=re.IGNORECASE)
    return reply, names


def _of_another(sentence: str, changes: Changes, after: Picture) -> str:
    """A todo that the sentence names although only others changed."""
    concerned = [_title(row).lower() for row in changes.rows()]
    said = sentence.lower()
    if not concerned or any(title in said for title in concerned):
        return ""
    return next((t for row in after.todos.values() if (t := row["title"]).lower() in said), "")


def _foreign_clock(sentence: str, changes: Changes) -> str:
    """A time of day in the sentence that no row concerned has, or had."""
    hours = {row["due"].partition("T")[2] for row in changes.rows()}
    for found in _CLOCK.finditer(sentence):
        hour = int(found[1]) % 12 + (12 if found[3].lower() == "p" else 0)
        if changes and f"{hour:02d}:{found[2] or '00'}" not in hours:
            return found[0]
    return ""


def _title(row: Row) -> str:
    return str(row.get("title") or row.get("text"))
