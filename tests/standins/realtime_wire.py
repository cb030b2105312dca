"""Ids and items as the Realtime stand-in's events carry them."""

from __future__ import annotations

import itertools
from typing import Any

from tests.standins.realtime_script import Item

_numbers = itertools.count(1)


def new_id(kind: str) -> str:
    return f"{kind}_{next(_numbers):08d}"


def wire_item(item: Item, status: str) -> dict[str, Any]:
    """An item that is `in_progress` has no content yet."""
    shown: dict[str, Any] = {
        "id": item.id,
        "object": "realtime.item",
        "type": item.type,
        "status": status,
    }
    if item.type == "message":
        content = [] if status == "in_progress" else [_content(item)]
        shown |= {"role": item.role, "content": content}
    elif item.type == "function_call":
        shown |= {"name": item.name, "call_id": item.call_id, "arguments": item.text}
    else:
        shown |= {"call_id": item.call_id, "output": item.text}
    return shown


def _content(item: Item) -> dict[str, Any]:
    """Audio itself is never in it, and what was said in it is not known yet."""
    if item.spoken and item.role == "user":
        return {"type": "input_audio", "transcript": None}
    if item.spoken:
        return {"type": "output_audio", "transcript": item.text}
    return {"type": "output_text" if item.role == "assistant" else "input_text", "text": item.text}
