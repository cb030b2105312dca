"""Several todos said in one breath: "bananas, coffee and kitchen roll", "call the bank and also
book the tickets". Cut apart only where the pieces cannot be one thing's name."""

from __future__ import annotations

import re
from datetime import datetime

from todo import dates

# What a todo mostly begins with; a second one of these after "and" begins a second todo only where
# something else says so as well.
_ERRAND = re.compile(
    r"(?:answer|apply|arrange|ask|assemble|back|bake|book|borrow|bring|brush|build|buy|call|"
    r"cancel|change|charge|check|clean|clear|collect|complete|contact|cook|cut|do|download|"
    r"draft|drive|drop|email|empty|exchange|feed|file|fill|find|finish|fix|fold|get|give|go|"
    r"hand|hang|help|hire|install|invite|iron|learn|look|mail|make|measure|meet|mend|mow|"
    r"order|organise|organize|pack|paint|pay|phone|pick|plan|plant|polish|post|prepare|print|"
    r"prune|put|read|renew|repair|replace|reply|research|return|review|ring|schedule|sell|"
    r"send|set|sew|sharpen|ship|sign|sort|start|study|submit|sweep|take|talk|tell|text|throw|"
    r"tidy|transfer|trim|try|turn|update|upgrade|vacuum|visit|wish|walk|wash|water|wrap|write)\b",
    re.IGNORECASE,
)
_OPENING = re.compile(
    r"^(?:(?:add|put|note|there are|i have|i need) )?(?:(?:the |these )?(?:one|two|three|four|five|"
    r"six|\d|a few|some|several|following|a couple of) (?:more |new |other )?"
    r"(?:things?|todos?|tasks?|items?|errands?|jobs))(?: to do)?\s*[:,.]\s*",
    re.IGNORECASE,
)
_COMMAS = re.compile(r"\s*[,;]\s*(?:(?:and|then|also|and then|and also|plus)\s+)?(?=\S)")
_AND = re.compile(r"\s+(?:and|plus)\s+(?=\S)")
_AND_ALSO = re.compile(r"\s+(?:and also|and then also|and then|as well as|plus)\s+(?=\S)")
# What belongs to the item before it.
_DETAIL = re.compile(
    r"(?:for|due|on|by|at|tagged|with|assigned|it's|it is|that's|that is|which|because|so|high|low|"
    r"urgent|important|normal|remind|about|including|like|preferably|not|but|please|no)\b",
    re.IGNORECASE,
)


def begins_errand(text: str) -> bool:
    return _ERRAND.match(text) is not None


def without_opening(text: str) -> str:
    """Without "three things:"; empty when the text does not begin like that."""
    found = _OPENING.match(text)
    return text[found.end() :] if found else ""


def pieces(text: str, now: datetime, *, on_list: bool, counted: bool = False) -> list[str]:
    """The todos named in `text`, which still has its commas; one when it is one thing.

    `on_list`: a named list takes short nouns; `counted`: "three things:" came before.
    """
    parts = _COMMAS.split(text)
    if len(parts) > 1:
        tail = _AND.split(parts[-1], maxsplit=1)
        listed = len(parts) > 2 or len(tail) > 1 or counted
        whole = [*parts[:-1], *tail] if len(parts) == 2 or _fits(tail, on_list) else parts
        if (
            listed
            and all(_is_item(part, now) for part in whole)
            and _fits(whole, on_list or counted)
        ):
            return whole
    return _joined_by_and(text, now)


def _joined_by_and(text: str, now: datetime) -> list[str]:
    for pattern in (_AND_ALSO, _AND):
        parts = pattern.split(text)
        errands = all(_ERRAND.match(part) and _is_item(part, now) for part in parts)
        dated = all(dates.cut(part, now)[1] for part in parts)
        if len(parts) > 1 and errands and (pattern is _AND_ALSO or dated):
            return parts
    return [text]


def _is_item(part: str, now: datetime) -> bool:
    return bool(part.strip()) and not _DETAIL.match(part) and not dates.is_date(part, now)


def _fits(parts: list[str], on_list: bool) -> bool:
    return all(_ERRAND.match(part) for part in parts) or (
        on_list and all(len(part.split()) <= 3 for part in parts)
    )
