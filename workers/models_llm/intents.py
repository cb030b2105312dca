"""Loads the intents of the yaml files once, and finds every reading of a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from hassil import Intents, recognize_all

FOLDER = Path(__file__).parent / "intents"
# Longer than anything the grammar can mean; bounds the time a sentence may take.
MOST_WORDS = 60


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to understand a sentence; `literal` counts the letters that were not a slot."""

    intent: str
    slots: dict[str, Any]
    literal: int


@cache
def grammar() -> Intents:
    merged: dict[str, Any] = {"language": "en", "intents": {}, "lists": {}, "expansion_rules": {}}
    for path in sorted(FOLDER.glob("*.yaml")):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        for section in ("intents", "lists", "expansion_rules"):
            merged[section].update(content.get(section, {}))
    return Intents.from_dict(merged)


def readings(text: str) -> list[Reading]:
    """All of them, the most literal first."""
    if not text or len(text.split()) > MOST_WORDS:
        return []
    found = [
        Reading(
            result.intent.name,
            {name: entity.value for name, entity in result.entities.items()},
            result.text_chunks_matched,
        )
        for result in recognize_all(text, grammar())
    ]
    return sorted(found, key=lambda reading: -reading.literal)
