"""Cleans what stood in an intent's slots, and says what cannot be one."""

from __future__ import annotations

import re

_DETERMINER = re.compile(
    r"^(?:the|my|that|this|our|a|an|all the|all my|please) (?=\w)", re.IGNORECASE
)
_TODO_TAIL = re.compile(
    r"\s+(?:todo|todos|task|tasks|todo item|item|entry|one|job)(?: (?:please|now|off|all))?$",
    re.IGNORECASE,
)
_TODO_HEAD = re.compile(
    r"^(?:the |my )?(?:one|todo|task|item|entry|thing|reminder) "
    r"(?:about|with|for|called|named|to|that says|saying|where|titled|regarding) (?=\w)",
    re.IGNORECASE,
)
_FROM_LIST = re.compile(r"\s+(?:from|off|of|on|in) (?:the|my|our) (?:todo )?lists?$", re.IGNORECASE)
_ALL_OF_DAY = re.compile(
    r"(?:all|everything|every one)(?: of)?(?: my| the)? (?P<day>today|tomorrow|yesterday|\w+day)'s?"
    r"(?: (?:todos?|tasks?|items?|things?))?",
    re.IGNORECASE,
)
_LAST = re.compile(
    r"(?:it|that|this|the last|last|that one|this one|the same|the last one|last one|the same one|"
    r"(?:that|this|the last|the new|the same) (?:todo|task|item|thing)|"
    r"what (?:you|i) just (?:added|said))",
    re.IGNORECASE,
)
_PLACES = {
    **{"first": "one", "second": "two", "third": "three", "fourth": "four", "fifth": "five"},
    **{"sixth": "six", "seventh": "seven", "eighth": "eight", "ninth": "nine", "tenth": "ten"},
}
_PLACE = re.compile(
    rf"(?:the |my )?(?P<place>{'|'.join(_PLACES)}|\d+(?:st|nd|rd|th))"
    r"(?: (?:one|todo|task|item|entry|thing))(?: on (?:my|the) list)?",
    re.IGNORECASE,
)
_NUMBERED = re.compile(
    r"(?:the |my )?(?:todo |task |item )?(?:number|nr|no|#|todo|task|item|entry) ?"
    r"(?P<number>\d+|[a-z]+)(?: on (?:my|the) list| todo| task| one)?",
    re.IGNORECASE,
)
_NUMBERS = set(
    [
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
)
# A todo is not named by words that begin another command or a question.
_NO_NAME = re.compile(
    r"^(?:add|put|remind|create|insert|what|how|who|when|why|where|which|is|are|do|does|did|can|"
    r"could|would|there|if|i|you|he|she|they|we|nothing|not|please|mark|delete|remove|rename|"
    r"remember|set up|tell|show|read|find|search|list|thanks|to|as|so|because|yes|no)\b",
    re.IGNORECASE,
)
DEFAULT_LISTS = frozenset(
    ["", "todo", "todos", "to do", "my", "the", "default", "main", "todo's", "whole", "new"]
)


def which(text: str) -> str:
    """The words that name a todo; `last` for "it"; "number four" for "the fourth one"."""
    text = _FROM_LIST.sub("", text.strip(" ,.:;"))
    if _LAST.fullmatch(text):
        return "last"
    if place := _PLACE.fullmatch(text):
        said = place["place"].lower()
        return f"number {_PLACES.get(said, re.sub('[a-z]', '', said))}"
    found = _NUMBERED.fullmatch(text)
    if found and (found["number"].isdigit() or found["number"].lower() in _NUMBERS):
        return f"number {found['number'].lower()}"
    if day := _ALL_OF_DAY.fullmatch(text):
        return f"everything from {day['day']}"
    if re.match(r"(?:all|every|both|everything)\b", text, re.IGNORECASE):
        return text
    text = _TODO_HEAD.sub("", text)
    text = _DETERMINER.sub("", _TODO_TAIL.sub("", text))
    return text.strip()


def names_todo(text: str) -> bool:
    """Whether a slot can be the name of a todo at all."""
    return bool(text.strip()) and not _NO_NAME.match(text.strip())


def list_name(text: str) -> str:
    """A list's name, empty for the default list."""
    text = re.sub(r"^(?:the|my|our|a|an|new) ", "", text.strip(" ,.'"), flags=re.IGNORECASE)
    text = re.sub(r"(?:^| )(?:todo )?list$", "", text, flags=re.IGNORECASE)
    return "" if text.lower() in DEFAULT_LISTS else text


def is_list_name(text: str) -> bool:
    """Short, and without words that only stand inside sentences."""
    words = text.lower().split()
    inside = {"to", "on", "onto", "from", "in", "into", "off", "of", "add", "number", "that", "is"}
    return 0 < len(words) <= 4 and not inside & set(words)


def is_person(text: str) -> bool:
    words = text.lower().split()
    never = {
        *("i", "we", "you", "he", "she", "they", "nobody", "everyone", "this", "there"),
        "who",
        "what",
        "it",
        "that",
        "which",
        "high",
        "low",
        "the",
        "number",
        "list",
        "tomorrow",
    }
    return 0 < len(words) <= 3 and not never & set(words)


def person(text: str) -> str:
    return re.sub(r"'s$", "", text.strip(" ,."))
