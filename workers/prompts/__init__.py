"""The agent's instructions, dated by the clock."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from pathlib import Path
from string import Template


def system_prompt(now: datetime, name: str, language: str = "") -> str:
    """`now` in the caller's zone; `name` is theirs to choose, so only one short line of it.

    `language` is ISO 639-1; empty when nobody knows what the caller speaks.
    """
    return _template().substitute(
        weekday=f"{now:%A}",
        date=f"{now.day} {now:%B %Y}",
        time=f"{now:%H:%M}",
        zone=str(now.tzinfo),
        name=" ".join(name.split())[:40] or "the caller",
        language=f" ({language})" if language.isalpha() else "",
    )


@cache
def _template() -> Template:
    return Template((Path(__file__).parent / "agent.txt").read_text(encoding="utf-8"))
