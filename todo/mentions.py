"""What was last spoken of in a call, so that "it" and "that one" can be understood."""

from __future__ import annotations

from collections.abc import Sequence

from todo.actor import Actor
from todo.models import Mention


def remember(actor: Actor, todos: Sequence[int], reminders: Sequence[int] = ()) -> None:
    """Outside a call nothing is remembered; speaking of nothing leaves the last as it was."""
    if actor.call_id is None or not (todos or reminders):
        return
    Mention.objects.update_or_create(
        call_id=actor.call_id,
        defaults={
            "owner": actor.user,
            "todos": list(todos),
            "reminders": list(reminders),
            "spoken_at": actor.now,
        },
    )


def recent_todos(actor: Actor) -> list[int]:
    mention = _of(actor)
    return list(mention.todos) if mention else []


def recent_reminders(actor: Actor) -> list[int]:
    mention = _of(actor)
    return list(mention.reminders) if mention else []


def _of(actor: Actor) -> Mention | None:
    if actor.call_id is None:
        return None
    return Mention.objects.filter(call_id=actor.call_id, owner=actor.user).first()
