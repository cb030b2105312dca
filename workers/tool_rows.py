"""A tool call as its row has it and as the call is told of it, whoever asked for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from voice.events import ToolFinished
from voice.models import ToolCall, Turn
from workers import steps


def ends_call(name: str, result: Mapping[str, Any], ok: bool | None) -> bool:
    """The agent has said its last word: goodbye, or whom the caller is being connected to."""
    return bool(ok) and (name == "end_call" or bool(result.get("ends_call")))


def began(turn: Turn, step: steps.ToolBegan) -> None:
    values = {
        "name": step.name[:60],
        "arguments": step.arguments,
        "started_at": timezone.now(),
    }
    ToolCall.objects.update_or_create(turn=turn, tool_call_id=call_id_of(step), defaults=values)


def ended(turn: Turn, step: steps.ToolEnded) -> None:
    turn.tool_calls.filter(tool_call_id=call_id_of(step)).update(
        result=step.result, ok=step.ok, took_ms=step.took_ms, summary=_summary(step)
    )


def told(turn_id: str, step: steps.ToolEnded) -> ToolFinished:
    change = step.result.get("change")
    return ToolFinished(
        turn_id,
        call_id_of(step),
        step.name,
        ok=bool(step.ok),
        summary=_summary(step),
        change_id=change if isinstance(change, int) else None,
        todo_ids=_ids(step.result.get("todos")),
        arguments=step.arguments,
    )


def _summary(step: steps.ToolEnded) -> str:
    return str(step.result.get("summary") or "")[:300]


def call_id_of(step: steps.ToolBegan | steps.ToolEnded) -> str:
    """The model's id of the call, made unique: some models give every call the same."""
    return f"{step.ordinal}:{step.tool_call_id}"[:80]


def _ids(rows: Any) -> list[int]:
    if not isinstance(rows, list):
        return []
    return [row["id"] for row in rows if isinstance(row, dict) and isinstance(row.get("id"), int)]
