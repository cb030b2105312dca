"""A call's last turns as the messages a model expects: always valid, always bounded.

Every tool call has its result, every turn begins with the caller and ends with the agent, and what
was not heard is not in it, whatever is missing in the rows.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

# A longer tool answer keeps only what a later turn can refer to.
MOST_RESULT_CHARACTERS = 1500
NOT_KNOWN: dict[str, Any] = {
    "status": "unknown",
    "said": "It is not known whether this was done.",
}


@dataclass(frozen=True, slots=True)
class PastTool:
    """One tool call of an earlier turn; `result` is None when its answer was never recorded."""

    name: str
    arguments: dict[str, Any]
    result: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class PastTurn:
    """One earlier exchange. `said` is what the caller heard of the reply."""

    number: int
    transcript: str
    said: str
    interrupted: bool = False
    tools: Sequence[PastTool] = field(default=())


def conversation(
    turns: Sequence[PastTurn], transcript: str, *, most_turns: int = 12, most_tokens: int = 3000
) -> list[BaseMessage]:
    """The newest turns that fit, oldest first, then the caller's words to be answered now.

    `most_tokens` is an estimate (four characters each) over the earlier turns; a turn is taken
    whole or not at all.
    """
    chosen: list[list[BaseMessage]] = []
    left = most_tokens
    for turn in reversed(turns[-most_turns:] if most_turns else []):
        messages = _exchange(turn)
        left -= sum(map(_tokens, messages))
        if left < 0:
            break
        chosen.append(messages)
    earlier = [message for messages in reversed(chosen) for message in messages]
    return [*earlier, HumanMessage(transcript)]


def spoken(
    turns: Sequence[PastTurn], *, most_turns: int = 12, most_tokens: int = 3000
) -> list[tuple[str, str]]:
    """The same as (`user` or `assistant`, words), for a model that takes words alone."""
    words = [replace(turn, tools=()) for turn in turns]
    said = conversation(words, "", most_turns=most_turns, most_tokens=most_tokens)[:-1]
    return [("user" if isinstance(one, HumanMessage) else "assistant", one.text) for one in said]


def _exchange(turn: PastTurn) -> list[BaseMessage]:
    if not turn.transcript.strip():
        return []
    return [HumanMessage(turn.transcript), *_tool_messages(turn), AIMessage(_answer(turn))]


def _tool_messages(turn: PastTurn) -> list[BaseMessage]:
    # Ids are ours: a model's own may repeat from turn to turn, or be refused by another provider.
    calls = [(f"t{turn.number}-{n}", tool) for n, tool in enumerate(turn.tools) if tool.name]
    if not calls:
        return []
    asked = AIMessage(
        "",
        tool_calls=[
            {"id": key, "name": tool.name, "args": tool.arguments, "type": "tool_call"}
            for key, tool in calls
        ],
    )
    answers = [
        ToolMessage(result_text(tool.result), tool_call_id=key, name=tool.name)
        for key, tool in calls
    ]
    return [asked, *answers]


def _answer(turn: PastTurn) -> str:
    if turn.said.strip():
        return turn.said
    return "(interrupted before a word was heard)" if turn.interrupted else "(no answer was given)"


def result_text(result: dict[str, Any] | None) -> str:
    """A tool's answer as the model reads it."""
    result = NOT_KNOWN if result is None else result
    text = json.dumps(result, ensure_ascii=False, separators=(",", ":"))
    if len(text) <= MOST_RESULT_CHARACTERS:
        return text
    short: dict[str, Any] = {key: result[key] for key in ("status", "question") if key in result}
    short["said"] = str(result.get("said", ""))[: MOST_RESULT_CHARACTERS // 2]
    return json.dumps(short, ensure_ascii=False, separators=(",", ":"))


def _tokens(message: BaseMessage) -> int:
    size = len(message.text)
    if isinstance(message, AIMessage) and message.tool_calls:
        size += len(json.dumps([call["args"] for call in message.tool_calls]))
    return 4 + size // 4
