"""The signed note that says for whom, and in which turn, a tool is called.

The worker signs it, the MCP server reads it; a model never sees it and cannot make one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.core import signing

SALT = "convonet.tool-context"
# Longer than a turn with its wait in the queue and a redelivery; shorter than a call.
MAX_AGE_SECONDS = 900


class ForgedContext(Exception):
    """Missing, altered, too old, or not made by us."""


@dataclass(frozen=True, slots=True)
class Context:
    user_id: int
    time_zone: str
    call_id: UUID | None
    turn_id: UUID | None
    tools: frozenset[str] | None = None
    """All that may be used; None: every tool."""
    about: int | None = None
    """The one reminder that may be answered; None: whichever was told last."""

    def allows(self, tool: str) -> bool:
        return self.tools is None or tool in self.tools


def sign(
    user_id: int,
    time_zone: str,
    call_id: UUID | str | None,
    turn_id: UUID | str | None,
    tools: Iterable[str] | None = None,
    about: int | None = None,
) -> str:
    note: dict[str, object] = {
        "u": user_id,
        "z": time_zone,
        "c": str(call_id) if call_id else None,
        "t": str(turn_id) if turn_id else None,
    }
    if tools is not None:
        note["a"] = sorted(tools)
    if about is not None:
        note["r"] = about
    return signing.dumps(note, salt=SALT)


def read(text: object, *, max_age: int = MAX_AGE_SECONDS) -> Context:
    """Raises ForgedContext for anything `sign` did not make in the last quarter of an hour."""
    if not isinstance(text, str) or not text or len(text) > 2000:
        raise ForgedContext("no context")
    try:
        note = signing.loads(text, salt=SALT, max_age=max_age)
        tools = frozenset(map(str, note["a"])) if "a" in note else None
        about = int(note["r"]) if "r" in note else None
        call, turn = _uuid(note["c"]), _uuid(note["t"])
        return Context(int(note["u"]), str(note["z"]), call, turn, tools, about)
    except (signing.BadSignature, KeyError, TypeError, ValueError) as error:
        raise ForgedContext("bad context") from error


def _uuid(text: str | None) -> UUID | None:
    return UUID(text) if text else None
