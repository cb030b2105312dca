"""From the words after "add" to the items of `add_todos`: list, date, priority, tags and assignee
are taken out of them, what is left is the title in the caller's own words."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from todo import dates
from workers.models_llm import hearing, several, slots

_LIST = re.compile(
    r",?\s*\b(?:to|on|onto|in|into|two|for) (?P<the>my|the|our|a|their)?\s*"
    r"(?:(?P<name>(?!list\b)[\w']+(?: (?!list\b|to\b|on\b)[\w']+){0,2}) )?(?:todo )?list\b",
    re.IGNORECASE,
)
_KNOWN_LISTS = re.compile(r",? (?:to|on) (?:my |the )?(?P<name>groceries|shopping)$", re.IGNORECASE)
_TODOS = re.compile(
    r",?\s*\b(?:to|on|onto|in|into) (?:my|the) (?:todos|tasks|to dos)\b", re.IGNORECASE
)
_PRIORITY = re.compile(
    r",?\s*\b(?:(?:with|as|at|and|it has|make it|give it) )*(?:a |an )?"
    r"(?P<level>very high|high|highest|top|low|lowest|normal|medium|urgent)(?: priority)$"
    r"|,? (?:with|as|it is|it's|and it is|marked as|marked) (?P<level2>urgent|important)$",
    re.IGNORECASE,
)
_TAGS = re.compile(
    r",?\s*\b(?:and )?(?:tagged|with (?:the |a )?tags?|tag it|labelled|with (?:the )?label) "
    r"(?:as |with )?(?P<tags>[\w-]+(?:(?:,| and|, and) [\w-]+)*)$",
    re.IGNORECASE,
)
_ASSIGNEE = re.compile(
    r",?\s*\b(?:and )?(?:assigned|assign it|assign this|assign that|and give it) to "
    r"(?P<name>[\w']+(?: [A-Z][\w']+)?)$",
    re.IGNORECASE,
)
_NOTE = re.compile(
    r",?\s*\b(?:with (?:a |the )?(?:note|comment)(?: saying| that says)?|and (?:a )?note(?: that)?"
    r"|note:?) (?P<note>.+)$",
    re.IGNORECASE,
)
_REMIND = re.compile(r",? and remind me(?: of it| about it)? (?P<when>.+)$", re.IGNORECASE)
_LEVELS = {
    "very high": "high", "highest": "high", "top": "high", "important": "high",
    "lowest": "low", "medium": "normal",
}  # fmt: skip
# A short enumeration is cut apart only where it cannot be one thing's name.
GROCERIES = frozenset(
    [
        "eggs",
        "egg",
        "bread",
        "butter",
        "milk",
        "cheese",
        "yoghurt",
        "yogurt",
        "cream",
        "sugar",
        "salt",
        "pepper",
        "flour",
        "rice",
        "pasta",
        "noodles",
        "apples",
        "apple",
        "bananas",
        "banana",
        "oranges",
        "pears",
        "grapes",
        "lemons",
        "tomatoes",
        "potatoes",
        "onions",
        "garlic",
        "carrots",
        "lettuce",
        "salad",
        "cucumber",
        "mushrooms",
        "spinach",
        "coffee",
        "tea",
        "water",
        "juice",
        "wine",
        "beer",
        "chicken",
        "beef",
        "ham",
        "bacon",
        "sausages",
        "fish",
        "salmon",
        "tuna",
        "oil",
        "vinegar",
        "honey",
        "jam",
        "chocolate",
        "cookies",
        "cereal",
        "oats",
        "beans",
        "lentils",
        "soap",
        "shampoo",
        "toothpaste",
        "tissues",
        "napkins",
        "detergent",
        "diapers",
        "toilet-paper",
    ]
)


def items(
    text: str, now: datetime, *, list_name: str = "", priority: str = "", counted: bool = False
) -> list[dict[str, Any]]:
    """The todos meant; empty when no title is left. Commas of `text` tell several apart."""
    shared: dict[str, Any] = {"priority": priority} if priority else {}
    text, found_list = _cut_list(text)
    list_name = list_name or found_list
    if list_name:
        shared["list"] = list_name
    parts = several.pieces(text, now, on_list=bool(list_name), counted=counted)
    if len(parts) > 1:
        return [item for part in parts for item in _items(part, now, dict(shared))]
    return _items(hearing.plain(text), now, shared)


def _items(text: str, now: datetime, shared: dict[str, Any]) -> list[dict[str, Any]]:
    text = _cut_details(text, shared, now)
    text, phrase = _cut_date(text, now, shared)
    text = _cut_details(text, shared, now)
    if not phrase:
        text, phrase = _cut_date(text, now, shared)
    title = _title(text)
    if not title:
        return []
    titles = _apart(title, "list" in shared)
    return [{"title": one, **shared} for one in titles]


def _cut_list(text: str) -> tuple[str, str]:
    """Without "to my (groceries) list", which may stand before a date but not inside the title."""
    for found in reversed(list(_LIST.finditer(text))):
        name = slots.list_name(found["name"] or "")
        if not found["the"] and not name:
            continue
        if found.start() == 0 and not text[found.end() :].strip():
            return "", name
        return f"{text[: found.start()]} {text[found.end() :].strip(' ,')}".strip(), name
    if known := _KNOWN_LISTS.search(text):
        return text[: known.start()], known["name"]
    return _TODOS.sub("", text, count=1).strip(), ""


def _cut_details(text: str, shared: dict[str, Any], now: datetime) -> str:
    for pattern, key in ((_REMIND, "remind"), (_NOTE, "notes"), (_ASSIGNEE, "assignee")):
        found = pattern.search(text)
        if found and found.start() > 0 and (key != "remind" or dates.is_date(found["when"], now)):
            shared[key] = found[found.lastgroup or 0].strip()
            text = text[: found.start()]
    if (found := _TAGS.search(text)) and found.start() > 0:
        shared["tags"] = [tag for tag in re.split(r",? and |, ?", found["tags"]) if tag]
        text = text[: found.start()]
    if (found := _PRIORITY.search(text)) and found.start() > 0:
        level = (found["level"] or found["level2"]).lower()
        shared["priority"] = _LEVELS.get(level, level)
        text = text[: found.start()]
    return text.strip(" ,")


def _cut_date(text: str, now: datetime, shared: dict[str, Any]) -> tuple[str, str]:
    rest, phrase = dates.cut(text, now)
    if not phrase or not rest:
        return text, ""
    when = dates.parse(phrase, now)
    if when is None:
        return text, ""
    shared["repeat" if when.repeat else "due"] = phrase
    return rest, phrase


def _title(text: str) -> str:
    text = re.sub(
        r"^(?:to|that|called|named|saying|about|for) (?=\w)", "", text.strip(" ,.:;"), flags=re.I
    )
    text = re.sub(r"\s+(?:to|on|for|due|and|with|called)$", "", text, flags=re.IGNORECASE)
    text = re.sub(r"^an? (?=\w+ \w)", "", text, flags=re.IGNORECASE)
    text = re.sub(r"^i (?:need|have|want) to (?=\w)", "", text, flags=re.IGNORECASE)
    return hearing.corrected_item(text.strip(" ,.:;"))


def _apart(title: str, on_named_list: bool) -> list[str]:
    pieces = [
        piece.strip() for piece in re.split(r",\s*(?:and )?|\s+and\s+", title) if piece.strip()
    ]
    if len(pieces) < 2 and " " in title and not _all_groceries(title.split()):
        return [title]
    words = re.sub(r",| and ", " ", title).split()
    if _all_groceries(words) and (on_named_list or "," in title):
        return words
    if on_named_list and all(len(piece.split()) <= 2 for piece in pieces):
        simple = "," in title or all(len(piece.split()) == 1 for piece in pieces)
        return pieces if simple else [title]
    return [title]


def _all_groceries(words: list[str]) -> bool:
    return len(words) > 1 and all(word.lower() in GROCERIES for word in words)
