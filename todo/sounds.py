"""How alike two words are, spelled or spoken: plurals, homophones, small slips of a recogniser.

Pure; `todo.matching` weighs whole titles with it.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from functools import lru_cache

_HOMOPHONES = {
    "bye": "buy",
    "by": "buy",
    "fore": "for",
    "four": "4",
    "too": "to",
    "won": "1",
    "male": "mail",
    "flour": "flower",
    "meat": "meet",
    "right": "write",
    "weak": "week",
    "bred": "bread",
}
# Numbers sound and look alike ("thirteen", "thirty"); taking one for another does harm.
_EXACT_ONLY = re.compile(r"\d|teen$|ty$")
_RULES = (
    (re.compile(r"^(?:wr)"), "r"),
    (re.compile(r"^(?:kn|gn|pn)"), "n"),
    (re.compile(r"^wh"), "w"),
    (re.compile(r"tio|sio|cia|sh|sch"), "x"),
    (re.compile(r"tch|ch"), "x"),
    (re.compile(r"ph"), "f"),
    (re.compile(r"igh"), "i"),
    (re.compile(r"gh"), ""),
    (re.compile(r"mb\b"), "m"),
    (re.compile(r"ck|q"), "k"),
    (re.compile(r"c(?=[eiy])"), "s"),
    (re.compile(r"c"), "k"),
    (re.compile(r"dg(?=[ei])"), "j"),
    (re.compile(r"x"), "ks"),
    (re.compile(r"z"), "s"),
    (re.compile(r"v"), "f"),
    (re.compile(r"d"), "t"),
)


@lru_cache(maxsize=4096)
def stem(word: str) -> str:
    """The word without its plural or possessive ending."""
    word = word.removesuffix("'s").removesuffix("'")
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and re.search(r"(?:ss|sh|ch|x|z)es$", word):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
        return word[:-1]
    return word


@lru_cache(maxsize=4096)
def sound(word: str) -> str:
    """A rough key of the word's consonants: equal keys sound alike."""
    text = stem(word)
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    head = "a" if text[:1] in set("aeiou") else text[:1]
    tail = re.sub(r"[aeiouhwy]", "", text[1:])
    return re.sub(r"(.)\1+", r"\1", head + tail)


@lru_cache(maxsize=8192)
def likeness(said: str, meant: str) -> float:
    """0.0 (other words) to 1.0 (the same word)."""
    if said == meant:
        return 1.0
    if stem(said) == stem(meant):
        return 0.97
    if _HOMOPHONES.get(said, said) == _HOMOPHONES.get(meant, meant):
        return 0.95
    if _EXACT_ONLY.search(said) and _EXACT_ONLY.search(meant):
        return 0.0
    return _near(stem(said), stem(meant))


def _near(said: str, meant: str) -> float:
    ratio = SequenceMatcher(None, said, meant).ratio()
    if sound(said) == sound(meant) and (len(sound(said)) >= 4 or ratio >= 0.6):
        return 0.88
    shorter = min(len(said), len(meant))
    if shorter >= 4 and (said.startswith(meant) or meant.startswith(said)):
        return 0.85
    if shorter >= 4 and ratio >= 0.78:
        return ratio * 0.97
    return 0.0
