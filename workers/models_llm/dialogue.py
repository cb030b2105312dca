"""What a conversation's messages tell: the words to answer, results of this turn, an open question.

Nothing is kept between turns; the messages are all there is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

_CLOCK = re.compile(r"\b(\d{1,2} [A-Z][a-z]+ \d{4}), (\d{1,2}:\d{2}) \(([^)]+)\)")
# As `workers.prompts` writes it.
_REMINDER = re.compile(
    r"^(?:(?P<called>You have called to tell)|They have just been told) this reminder: "
    r"“(?P<text>[^”]*)”",
    re.MULTILINE,
)
_CHANGING = frozenset(
    [
        "add_todos",
        "change_todo",
        "add_reminder",
        "create_list",
        "complete_todos",
        "delete_todos",
        "reopen_todo",
    ]
)


@dataclass(frozen=True, slots=True)
class ToolUse:
    name: str
    arguments: dict[str, Any]
    result: dict[str, Any]

    @property
    def status(self) -> str:
        return str(self.result.get("status", ""))


@dataclass(frozen=True, slots=True)
class Turn:
    said: str
    tools: list[ToolUse] = field(default_factory=list)
    reply: str = ""


@dataclass(frozen=True, slots=True)
class Dialogue:
    """`turns` ends with the one to be answered."""

    turns: list[Turn]
    now: datetime
    reminder: str = ""
    """The one told just before these words."""
    called: bool = False
    """They were called to be told it."""

    @property
    def current(self) -> Turn:
        return self.turns[-1]

    @property
    def previous(self) -> Turn | None:
        return self.turns[-2] if len(self.turns) > 1 else None

    @property
    def question(self) -> ToolUse | None:
        """What a tool asked last, unless something else was done since."""
        for turn in reversed(self.turns[-4:-1]):
            for use in reversed(turn.tools):
                return use if use.status == "ask" else None
        return None

    @property
    def last_change(self) -> ToolUse | None:
        for turn in reversed(self.turns[:-1]):
            for use in reversed(turn.tools):
                if use.name in _CHANGING and use.status == "ok":
                    return use
        return None


def read(messages: Sequence[BaseMessage]) -> Dialogue:
    turns: list[Turn] = []
    calls: dict[str, tuple[str, dict[str, Any]]] = {}
    now, called, reminder = datetime.now(UTC), "", ""
    for message in messages:
        if isinstance(message, SystemMessage):
            now = clock_of(message.text) or now
            if found := _REMINDER.search(message.text):
                called, reminder = found["called"] or "", found["text"]
        elif isinstance(message, HumanMessage):
            turns.append(Turn(message.text))
        elif not turns:
            continue
        elif isinstance(message, AIMessage):
            calls |= {call["id"] or "": (call["name"], call["args"]) for call in message.tool_calls}
            if not message.tool_calls:
                last = turns[-1]
                turns[-1] = Turn(last.said, last.tools, message.text)
        elif isinstance(message, ToolMessage):
            name, arguments = calls.get(message.tool_call_id, (message.name or "", {}))
            turns[-1].tools.append(ToolUse(name, arguments, _result(message)))
    return Dialogue(turns or [Turn("")], now, reminder, bool(called))


def clock_of(prompt: str) -> datetime | None:
    """The caller's time, as the agent's instructions give it."""
    found = _CLOCK.search(prompt)
    if not found:
        return None
    try:
        moment = datetime.strptime(f"{found[1]} {found[2]}", "%d %B %Y %H:%M")
        return moment.replace(tzinfo=ZoneInfo(found[3]))
    except (ValueError, ZoneInfoNotFoundError):
        return None


def _result(message: ToolMessage) -> dict[str, Any]:
    try:
        value = json.loads(message.text)
    except ValueError:
        return {"status": "failed"}
    return value if isinstance(value, dict) else {"status": "failed"}
