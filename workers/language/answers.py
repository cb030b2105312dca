"""From a model's stream to one message that any model may read later, or the reason it is none."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    ToolMessage,
    message_chunk_to_message,
)

from workers.language.failures import GARBAGE, HALF, REFUSED, BadAnswer

# Under which a message keeps who made it, from checkpoint to checkpoint.
ASKED = "convonet_asked"
_ENDINGS = ("finish_reason", "stop_reason", "status")
_REFUSALS = frozenset(
    (
        "refusal",
        "content_filter",
        "safety",
        "prohibited_content",
        "blocklist",
        "recitation",
        "spii",
    )
)
# Fit for every provider: Anthropic's letters, OpenAI's length.
_ID = re.compile(r"[A-Za-z0-9_-]{1,40}")


def settled(
    chunks: Sequence[BaseMessage],
    asked: str,
    *,
    earlier: Sequence[BaseMessage],
    tells_end: bool,
) -> AIMessage:
    """The whole answer; raises BadAnswer when it is half, refused or no answer at all.

    `earlier` are the messages it answers. Words are not needed after a tool has acted: what the
    tool said is spoken then.
    """
    message = _joined(chunks)
    ending = next((end for key in _ENDINGS if (end := message.response_metadata.get(key))), None)
    if tells_end and not ending:
        raise BadAnswer(HALF)
    if str(ending).lower() in _REFUSALS:
        raise BadAnswer(REFUSED)
    if message.invalid_tool_calls or any(not call["name"] for call in message.tool_calls):
        raise BadAnswer(GARBAGE)
    if not message.tool_calls and not message.text.strip() and not _follows_tool(earlier):
        raise BadAnswer(GARBAGE)
    if not _ids_are_good(message, earlier):
        message = _neutral(message, _new_ids(message, earlier))
    message.response_metadata[ASKED] = asked
    return message


def readable(messages: Sequence[BaseMessage], asked: str) -> list[BaseMessage]:
    """The same conversation without what only another provider understands (its own blocks)."""
    return [
        message
        if not isinstance(message, AIMessage)
        or message.response_metadata.get(ASKED, asked) == asked
        else _neutral(message)
        for message in messages
    ]


def last_asked(messages: Sequence[BaseMessage]) -> str:
    """Who made the latest answer of this turn; empty at its first question."""
    for message in reversed(messages):
        if isinstance(message, HumanMessage):
            break
        if isinstance(message, AIMessage):
            return str(message.response_metadata.get(ASKED, ""))
    return ""


def question_of(messages: Sequence[BaseMessage]) -> Sequence[BaseMessage]:
    """The messages as they were when the turn began: up to the caller's last words."""
    for number in range(len(messages), 0, -1):
        if isinstance(messages[number - 1], HumanMessage):
            return messages[:number]
    return messages


def _joined(chunks: Sequence[BaseMessage]) -> AIMessage:
    pieces = [chunk for chunk in chunks if isinstance(chunk, AIMessageChunk)]
    # A model that cannot stream gives one whole message.
    message = chunks[0] if chunks else None
    if pieces:
        whole: Any = pieces[0] + pieces[1:] if len(pieces) > 1 else pieces[0]
        if not all(_is_object(call["args"]) for call in whole.tool_call_chunks):
            raise BadAnswer(GARBAGE)
        message = message_chunk_to_message(whole)
    if not isinstance(message, AIMessage):
        raise BadAnswer(GARBAGE)
    return message


def _is_object(arguments: str | None) -> bool:
    """LangChain would complete arguments that were cut off, and half a title would be added."""
    try:
        return not arguments or isinstance(json.loads(arguments, strict=False), dict)
    except ValueError:
        return False


def _follows_tool(messages: Sequence[BaseMessage]) -> bool:
    return bool(messages) and isinstance(messages[-1], ToolMessage)


def _ids_are_good(message: AIMessage, earlier: Sequence[BaseMessage]) -> bool:
    ids = [call["id"] or "" for call in message.tool_calls]
    taken = _ids(earlier)
    return len(set(ids)) == len(ids) and all(_ID.fullmatch(i) and i not in taken for i in ids)


def _ids(messages: Sequence[BaseMessage]) -> list[str | None]:
    made = [message for message in messages if isinstance(message, AIMessage)]
    return [call["id"] for message in made for call in message.tool_calls]


def _new_ids(message: AIMessage, earlier: Sequence[BaseMessage]) -> list[str]:
    first = len(_ids(earlier))
    return [f"convonet_{first + n}" for n in range(len(message.tool_calls))]


def _neutral(message: AIMessage, ids: Sequence[str] = ()) -> AIMessage:
    calls: list[Any] = list(message.tool_calls)
    if ids:
        calls = [{**call, "id": new} for call, new in zip(calls, ids, strict=True)]
    return AIMessage(message.text, tool_calls=calls, usage_metadata=message.usage_metadata)
