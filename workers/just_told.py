"""What the agent's instructions add: the reminder that was just told, or that a guest calls."""

from __future__ import annotations

from datetime import timedelta

from todo import reminders
from voice.models import Call, Turn
from workers import prompts

# Who answers a reminder does so at once; the announcement is over when it is marked as told.
RIGHT_AFTER = timedelta(minutes=2)


def instructions(turn: Turn) -> str:
    """Empty when nothing was told right before this turn."""
    call = turn.call
    if not call.identified:
        return of_call(call)
    told = reminders.told_since(call.user, turn.created_at - RIGHT_AFTER)
    if told is None or told.told_at is None:
        return ""
    between = Turn.objects.filter(call=call, number__lt=turn.number, created_at__gt=told.told_at)
    return "" if between.exists() else prompts.just_told(told.text)


def of_call(call: Call) -> str:
    """Until the caller is known: what the call was made for, else what a guest may have."""
    if call.identified:
        return ""
    about = call.about_reminder
    return prompts.called_about(about.text) if about is not None else prompts.guest()
