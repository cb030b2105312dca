"""Runs one tool: bounds its arguments, keeps its answer under the key, turns refusals to words."""

from __future__ import annotations

import hashlib
import json
import logging
from contextlib import nullcontext
from typing import Any

from django.db import IntegrityError, transaction

from todo import changes, mentions, questions
from todo.actor import Actor
from todo.errors import Refused
from todo.models import ToolRequest
from todo.tools.answers import Answer, refused
from todo.tools.arguments import Arguments
from todo.tools.catalogue import Tool
from todo.tools.toolsets import named

logger = logging.getLogger(__name__)

KEY_LENGTH = 120


def run_tool(
    actor: Actor, name: str, arguments: dict[str, Any] | None, key: str = ""
) -> dict[str, Any]:
    """The tool's answer as JSON. The same key again gets the same answer and changes nothing.

    The same key with another tool or other arguments is refused: what was done under it stands.
    """
    tool = named(name)
    if tool is None:
        return refused("I have no such tool.").as_dict(actor)
    if tool.reads:
        return _run(actor, tool, arguments or {}).as_dict(actor)
    stored = _stored_key(actor, key)
    try:
        return _run_once(actor, tool, arguments or {}, stored)
    except IntegrityError:
        # Two callers with one key at the same moment: the first one's answer stands.
        known = _known(actor, tool, arguments or {}, stored)
        if known is None:
            raise
        return known


def _run_once(actor: Actor, tool: Tool, arguments: dict[str, Any], key: str) -> dict[str, Any]:
    with changes.exclusive(actor.user):
        known = _known(actor, tool, arguments, key)
        if known is not None:
            return known
        result = _run(actor, tool, arguments).as_dict(actor)
        if key:
            ToolRequest.objects.create(
                key=key,
                owner=actor.user,
                tool=tool.name,
                arguments_hash=_hash(arguments),
                result=result,
            )
        return result


def _run(actor: Actor, tool: Tool, arguments: dict[str, Any]) -> Answer:
    try:
        # A refusal half way takes back what was already written.
        with nullcontext() if tool.reads else transaction.atomic():
            answer = tool.run(actor, Arguments(arguments))
    except Refused as refusal:
        return refused(refusal.sentence)
    if answer.status == "ok" and not tool.reads:
        questions.lapse(actor)
    mentions.remember(
        actor, [todo.pk for todo in answer.todos[:50]], [one.pk for one in answer.reminders[:50]]
    )
    return answer


def _known(actor: Actor, tool: Tool, arguments: dict[str, Any], key: str) -> dict[str, Any] | None:
    """The answer already given under this key, None when there is none yet."""
    if not key:
        return None
    request = ToolRequest.objects.filter(key=key, owner=actor.user).first()
    if request is None:
        return None
    # Answers kept before hashes were have none.
    if request.tool == tool.name and request.arguments_hash in ("", _hash(arguments)):
        return dict(request.result)
    logger.warning("key used for another request", extra={"tool": tool.name, "key": key})
    done = str(request.result.get("said") or "Something else was done.")
    return refused(f"This was already answered differently: {done} Nothing more was done.").as_dict(
        actor
    )


def _hash(arguments: dict[str, Any]) -> str:
    text = json.dumps(arguments, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _stored_key(actor: Actor, key: str) -> str:
    """Keys of two people never meet, whatever a client sends."""
    full = f"{actor.user.pk}:{key}"
    if not key:
        return ""
    return full if len(full) <= KEY_LENGTH else hashlib.sha256(full.encode()).hexdigest()
