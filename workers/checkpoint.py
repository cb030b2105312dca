"""How far the agent came in a turn: its messages since the caller's words, kept after every step.

Ours and not LangGraph's SQLite or PostgreSQL checkpointer: those bring a connection, settings and a
driver of their own beside Django's, cannot join the transaction that checks the lease, and keep
every version of the whole state. The state of this agent is a list of messages.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence

from django.utils import timezone
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ToolMessage,
    messages_from_dict,
    messages_to_dict,
)

from voice.models import Checkpoint, Turn

logger = logging.getLogger("workers.checkpoint")


def save(turn: Turn, messages: Sequence[BaseMessage]) -> None:
    """Call within the lease's transaction. What cannot be kept is run again under its keys."""
    try:
        text = json.dumps(messages_to_dict(messages), ensure_ascii=True, separators=(",", ":"))
    except (TypeError, ValueError) as error:
        logger.warning("step not kept", extra={"error": type(error).__name__})
        return
    # One statement; Django's own way to update or create takes six.
    Checkpoint.objects.bulk_create(
        [Checkpoint(turn=turn, messages=text, saved_at=timezone.now())],
        update_conflicts=True,
        unique_fields=["turn"],
        update_fields=["messages", "saved_at"],
    )


def load(turn: Turn) -> list[BaseMessage]:
    """What a model may go on from: every answer to tool calls complete, or none of them there."""
    kept = Checkpoint.objects.filter(turn=turn).first()
    if kept is None:
        return []
    try:
        return resumable(messages_from_dict(json.loads(kept.messages)))
    except (KeyError, TypeError, ValueError) as error:
        logger.warning("step not read", extra={"error": type(error).__name__})
        return []


def delete(turn: Turn) -> None:
    Checkpoint.objects.filter(turn=turn).delete()


def resumable(messages: Sequence[BaseMessage]) -> list[BaseMessage]:
    """Without the answers of a round of tools that was not finished: it runs again as a whole.

    What it had changed is answered from the record, in the same order and under the same keys.
    """
    last = last_answer(messages)
    if last is None:
        return []
    answered = [m for m in messages[last + 1 :] if isinstance(m, ToolMessage)]
    message = messages[last]
    assert isinstance(message, AIMessage)
    complete = len(answered) >= len(message.tool_calls)
    return list(messages if complete else messages[: last + 1])


def last_answer(messages: Sequence[BaseMessage]) -> int | None:
    """The place of the model's latest message."""
    places = [n for n, message in enumerate(messages) if isinstance(message, AIMessage)]
    return places[-1] if places else None


def is_final(messages: Sequence[BaseMessage]) -> bool:
    """The agent had said its last."""
    return bool(messages) and isinstance(messages[-1], AIMessage) and not messages[-1].tool_calls


def waits_for_tools(messages: Sequence[BaseMessage]) -> bool:
    return bool(messages) and isinstance(messages[-1], AIMessage) and bool(messages[-1].tool_calls)
