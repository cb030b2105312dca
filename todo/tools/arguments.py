"""Reads a tool's arguments as a model sends them: bounded, forgiving in form, never trusted."""

from __future__ import annotations

from typing import Any

from todo.errors import Refused
from todo.models import Priority

MOST_CHARACTERS = 4000
_PRIORITIES = {
    "low": Priority.LOW, "lowest": Priority.LOW, "minor": Priority.LOW, "1": Priority.LOW,
    "normal": Priority.NORMAL, "medium": Priority.NORMAL, "none": Priority.NORMAL,
    "no": Priority.NORMAL, "default": Priority.NORMAL, "2": Priority.NORMAL,
    "high": Priority.HIGH, "higher": Priority.HIGH, "important": Priority.HIGH, "3": Priority.HIGH,
    "urgent": Priority.URGENT, "highest": Priority.URGENT, "top": Priority.URGENT,
    "critical": Priority.URGENT, "4": Priority.URGENT,
}  # fmt: skip


class Arguments:
    """Raises Refused with a sentence for what is missing, too long or of the wrong kind."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = {name: value for name, value in values.items() if value is not None}

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def text(self, name: str, most: int = 200) -> str:
        """The words under that name, "" without any."""
        value = self.values.get(name, "")
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            raise Refused(f"I could not read the {_spoken(name)} of that.")
        words = str(value).strip()
        if len(words) > most:
            raise Refused(
                f"The {_spoken(name)} is too long: it can have {most} characters at most."
            )
        return words.replace("\x00", "")

    def needed(self, name: str, question: str, most: int = 200) -> str:
        words = self.text(name, most)
        if not words:
            raise Refused(question)
        return words

    def texts(self, name: str, most: int = 40) -> list[str]:
        """A list of words; one string is taken as a list of its parts."""
        value = self.values.get(name, [])
        if isinstance(value, str):
            value = value.split(",")
        if not isinstance(value, list) or not all(isinstance(one, (str, int)) for one in value):
            raise Refused(f"I could not read the {_spoken(name)} of that.")
        return [Arguments({name: one}).text(name, most) for one in value]

    def flag(self, name: str) -> bool:
        value = self.values.get(name, False)
        return value if isinstance(value, bool) else str(value).lower() in ("true", "yes", "1")

    def priority(self, name: str = "priority") -> Priority:
        word = self.text(name).lower().removesuffix("priority").strip()
        if word not in _PRIORITIES:
            raise Refused("A priority is low, normal, high or urgent. Which one?")
        return _PRIORITIES[word]

    def items(self, name: str, most: int) -> list[Arguments]:
        value = self.values.get(name, [])
        if isinstance(value, (str, dict)):
            value = [value]
        if not isinstance(value, list) or not value:
            raise Refused("What shall I add?")
        if len(value) > most:
            raise Refused(f"I can add {most} things at once, not more.")
        found = [{"title": one} if isinstance(one, str) else one for one in value]
        if not all(isinstance(one, dict) for one in found):
            raise Refused("I could not read what to add.")
        return [Arguments(one) for one in found]


def _spoken(name: str) -> str:
    return name.replace("_", " ")
