"""Whether a date phrase names a day, an hour or a part of the day. Pure."""

from __future__ import annotations

import re

_DAY = re.compile(
    r"\b(?:today|tonight|tomorrow|yesterday|days?|weeks?|months?|years?|weekend|in|after|next|this"
    r"|mon|tue|wed|thu|fri|sat|sun|monday|tuesday|wednesday|thursday|friday|saturday|sunday|jan\w*"
    r"|feb\w*|mar\w*|apr\w*|may|june?|july?|aug\w*|sep\w*|oct\w*|nov\w*|dec\w*|\w+(?:st|nd|rd|th)"
    r"|christmas|every|daily|weekly|monthly|yearly)\b|\d[-/]\d"
)
# Hours from and before; what has no hour belongs to no part of the day.
_PARTS = {
    "morning": (0, 12),
    "afternoon": (12, 18),
    "evening": (17, 24),
    "tonight": (17, 24),
    "night": (17, 24),
}
_CLOCK = re.compile(r"\d|\b(?:noon|midnight|o'?clock|half|quarter|at \w+)\b")


def names_a_day(text: str) -> bool:
    """False for "at three": a todo that moves there keeps its day."""
    return _DAY.search(text.lower()) is not None


def part_of_day(text: str) -> tuple[int, int] | None:
    """(12, 18) for "tomorrow afternoon"; None when an hour is named, or no part."""
    lowered = text.lower()
    if _CLOCK.search(lowered):
        return None
    return next((hours for part, hours in _PARTS.items() if part in lowered), None)
