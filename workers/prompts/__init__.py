"""The agent's instructions, dated by the clock."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from pathlib import Path
from string import Template

from voice.models import Call

_NOBODY = "the caller"


def name_of(call: Call) -> str:
    """Of whoever calls; of guests nothing is known."""
    if not call.identified:
        return _NOBODY
    return call.user.get_full_name() or call.user.get_username()


def system_prompt(now: datetime, name: str, language: str = "") -> str:
    """`now` in the caller's zone; `name` is theirs to choose, so only one short line of it.

    `language` is ISO 639-1; empty when nobody knows what the caller speaks.
    """
    return _agent().substitute(
        weekday=f"{now:%A}",
        date=f"{now.day} {now:%B %Y}",
        time=f"{now:%H:%M}",
        zone=str(now.tzinfo),
        name=" ".join(name.split())[:40] or _NOBODY,
        language=f" ({language})" if language.isalpha() else "",
    )


def realtime_prompt(now: datetime, name: str) -> str:
    """The same for a model that hears and speaks by itself."""
    return f"{system_prompt(now, name)}\n{_text('realtime.txt')}"


def guest() -> str:
    """For a caller who has not said who they are."""
    return f"\n{_text('guest.txt')}"


def called_about(text: str) -> str:
    """For a call that was made to tell this reminder, which its first words did."""
    return (
        f"\nYou have called to tell this reminder: “{_quoted(text)}”. Whoever has picked up may say"
        " that it is done, or that they want it again later: call answer_reminder. That, and"
        " hanging up, is all you can do in this call."
    )


def just_told(text: str) -> str:
    """For the words that follow a reminder."""
    return (
        f"\nThey have just been told this reminder: “{_quoted(text)}”. If they say that it is done,"
        " or that they want it later, call answer_reminder."
    )


def _quoted(text: str) -> str:
    """Theirs to choose, so only one line, which cannot end the quotation."""
    return " ".join(text.replace("“", "'").replace("”", "'").split())[:200]


@cache
def _agent() -> Template:
    return Template(_text("agent.txt"))


@cache
def _text(name: str) -> str:
    return (Path(__file__).parent / name).read_text(encoding="utf-8")
