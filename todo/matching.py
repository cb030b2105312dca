"""Which todo is meant by a person's words. Pure: candidates in, ranked matches out.

A weak best match is reported as weak, never as a match: callers of this module ask then.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from todo.sounds import likeness

# A match this good may be acted on; below WEAK the words mean something else.
SURE = 0.74
WEAK = 0.45
# A telling word less like any of the todo's than this was not meant for it: ask, never act.
STRANGE = 0.6
# Matches closer together than this are equally good.
TIE = 0.1

_IGNORED_TEXT = (
    "a an the my our your his her their this that these those to for of in on at with and "
    "or is are am be was i i'm me we you it it's its please just again um uh todo todos "
    "task tasks item items one ones thing things entry entries called named titled about "
    "saying says which where due have has got list lists reminder reminders to-do to-dos"
)
_IGNORED = frozenset(_IGNORED_TEXT.split())
# Half the weight: "buy eggs" must not be taken for "buy milk".
_COMMON_TEXT = "buy by call get do make finish write send take go pick order pay book"
_COMMON = frozenset(_COMMON_TEXT.split())


@dataclass(frozen=True, slots=True)
class Candidate:
    """`hints` are other words it goes by: tags, assignee, list; `notes` count for less."""

    id: int
    title: str
    hints: tuple[str, ...] = ()
    notes: str = ""


@dataclass(frozen=True, slots=True)
class Ranked:
    """`said`: share of the words that fit the title; `named`: share of the title that was said."""

    id: int
    said: float
    named: float

    @property
    def exact(self) -> bool:
        return self.said >= 0.93 and self.named >= 0.93


@dataclass(frozen=True, slots=True)
class Match:
    """`one`: the one meant; `several`: equally good; `weak`: perhaps these; `none`: nothing."""

    kind: Literal["one", "several", "weak", "none"]
    ids: tuple[int, ...] = ()


def content_words(text: str) -> list[str]:
    """The words that tell todos apart; all of them if none does."""
    lowered = re.sub(r"\bto[ -]dos?\b", "todo", text.lower().replace("’", "'"))
    words = re.findall(r"\w+(?:'\w+)?", lowered)
    return [word for word in words if word not in _IGNORED]


def match(words: str, candidates: Sequence[Candidate]) -> Match:
    """Decide which candidates the words mean."""
    ranked = rank(words, candidates)
    if not ranked or ranked[0].said < WEAK:
        return Match("none")
    best = ranked[0]
    exact = [one.id for one in ranked if one.exact]
    if exact:
        return Match("one" if len(exact) == 1 else "several", tuple(exact))
    near = tuple(one.id for one in ranked if best.said - one.said < TIE and one.said >= WEAK)
    if best.said < SURE:
        return Match("weak", near[:3])
    return Match("one" if len(near) == 1 else "several", near)


def all_about(words: str, candidates: Sequence[Candidate]) -> list[int]:
    """Every candidate that the words surely fit, in the candidates' order."""
    sure = {one.id for one in rank(words, candidates) if one.said >= SURE}
    return [candidate.id for candidate in candidates if candidate.id in sure]


def rank(words: str, candidates: Iterable[Candidate]) -> list[Ranked]:
    """All candidates with any likeness, best first."""
    asked = content_words(words)
    if not asked:
        return []
    scored = [_score(asked, candidate) for candidate in candidates]
    return sorted(
        (one for one in scored if one.said > 0), key=lambda one: (-one.said, -one.named, one.id)
    )


def _score(asked: list[str], candidate: Candidate) -> Ranked:
    title = content_words(candidate.title) or candidate.title.lower().split()
    hints = content_words(" ".join(candidate.hints))
    notes = content_words(candidate.notes)
    total = fits = 0.0
    strange = False
    for word in asked:
        weight = 0.5 if word in _COMMON else 1.0
        total += weight
        alike = _best(word, title), _best(word, hints), _best(word, notes)
        fits += weight * max(alike[0], 0.92 * alike[1], 0.75 * alike[2])
        strange = strange or (max(alike) < STRANGE and word not in _COMMON)
    named = sum(_best(word, asked) for word in title) / max(len(title), 1)
    # "board room" and "boardroom": the same letters, cut differently.
    squashed = SequenceMatcher(None, "".join(asked), "".join(title)).ratio()
    if len(asked) == len(title) or squashed < 0.88:
        squashed = 0.0
    said = fits / total
    if strange and not squashed:
        said = min(said, SURE - 0.01)
    return Ranked(candidate.id, max(said, squashed), max(named, squashed))


def _best(word: str, others: list[str]) -> float:
    return max((likeness(word, other) for other in others), default=0.0)
