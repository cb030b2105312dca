"""Which tools a call may use: all of them once the caller is known, a few before that."""

from __future__ import annotations

from todo import context
from voice.models import Call, Turn

# Nobody has to say who they are to hang up.
ALWAYS = frozenset({"end_call"})
ABOUT_REMINDER = frozenset({"answer_reminder"})
# Asks for nothing of the person's, and is of use on the telephone alone.
PHONE_ONLY = frozenset({"transfer_to_person"})


def tools_of(call: Call) -> frozenset[str] | None:
    """None: every tool. A call about a reminder may also answer it, whoever has picked up."""
    if call.identified:
        return None
    allowed = ALWAYS
    if call.business is not None:
        allowed |= frozenset(map(str, call.business.guest_tools or ()))
    if call.about_reminder_id is not None:
        allowed |= ABOUT_REMINDER
    return allowed


def signed(turn: Turn, time_zone: str) -> str:
    """The note by which the tool server knows for whom this turn calls, and what it may do."""
    call = turn.call
    # Whoever has picked up may answer the reminder they were called about, and no other.
    about = None if call.identified else call.about_reminder_id
    return context.sign(call.user_id, time_zone, call.pk, turn.pk, tools_of(call), about)


def offered(call: Call, tool: str) -> bool:
    """May a model be told of this tool in this call?"""
    if tool in PHONE_ONLY and call.channel != Call.Channel.PHONE:
        return False
    allowed = tools_of(call)
    return allowed is None or tool in allowed
