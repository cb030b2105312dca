"""The items of one Realtime session, as the model knows them; wishes that cannot be are refused."""

from __future__ import annotations

from typing import Any

from tests.standins.realtime_kinds import Refused
from tests.standins.realtime_script import Item
from tests.standins.realtime_wire import new_id


class Conversation:
    def __init__(self, items: list[Item]) -> None:
        self.id = new_id("conv")
        self.items = items

    def append(self, item: Item) -> str | None:
        """Answers the id of what it comes behind."""
        before = self.items[-1].id if self.items else None
        self.items.append(item)
        return before

    def before(self, item: Item) -> str | None:
        at = self.items.index(item)
        return self.items[at - 1].id if at else None

    def create(self, wanted: dict[str, Any], after: str | None) -> tuple[Item, str | None]:
        """`conversation.item.create`: the item, and what it comes behind."""
        self._check(wanted, after)
        text = "".join(part["text"] for part in wanted.get("content", ()))
        text = text or wanted.get("output", "") or wanted.get("arguments", "")
        item = Item(
            wanted.get("id") or new_id("item"),
            wanted["type"],
            wanted.get("role", ""),
            text,
            call_id=wanted.get("call_id", ""),
            name=wanted.get("name", ""),
        )
        if after is None:
            return item, self.append(item)
        at = 0 if after == "root" else next(n for n, i in enumerate(self.items, 1) if i.id == after)
        self.items.insert(at, item)
        return item, self.before(item)

    def truncate(self, item_id: str, audio_end_ms: int) -> None:
        item = self._find(item_id)
        if item is None:
            raise Refused("item_not_found", f"Item with item_id not found: {item_id}.")
        if item.role != "assistant" or not item.spoken:
            message = "Only model output audio messages can be truncated."
            raise Refused("invalid_value", message, "item_id")
        if not 0 <= audio_end_ms <= item.audio_ms:
            message = f"Audio content of {item.audio_ms}ms is already shorter than {audio_end_ms}ms"
            raise Refused("invalid_value", message, "audio_end_ms")
        item.truncated_ms = audio_end_ms

    def last_words(self) -> tuple[str, int]:
        """What the caller said last, and how many responses there were since."""
        answered: set[str] = set()
        for item in reversed(self.items):
            if item.role == "user":
                return item.text, len(answered)
            if item.role == "assistant" or item.type == "function_call":
                answered.add(item.response_id or item.id)
        return "", len(answered)

    def _check(self, wanted: dict[str, Any], after: str | None) -> None:
        if after not in (None, "root") and not self._find(str(after)):
            raise Refused("item_not_found", f"Item with item_id not found: {after}.")
        call_id = wanted.get("call_id", "")
        if wanted["type"] == "function_call_output" and not self._called(call_id):
            message = f"Tool call ID '{call_id}' not found in conversation."
            raise Refused("invalid_tool_call_id", message, "item.call_id")
        if self._find(wanted.get("id", "")):
            message = f"Error adding item: an item with ID '{wanted['id']}' already exists."
            raise Refused("item_create_duplicate_id", message, "item.id")

    def _find(self, item_id: str) -> Item | None:
        return next((item for item in self.items if item.id == item_id), None)

    def _called(self, call_id: str) -> bool:
        return any(i.type == "function_call" and i.call_id == call_id for i in self.items)
