"""Runs one tool: bounds its arguments, keeps its answer under the key, turns refusals to words."""

from __future__ import annotations

import hashlib
from contextlib import nullcontext
from typing import Any

from django.db import IntegrityError, transaction

from todo import changes, mentions, questions
from todo.actor import Actor
from todo.errors import Refused
from todo.models import ToolRequest
from todo.tools.answers import Answer, refused
from todo.tools.arguments import Arguments
from todo.tools.catalogue import BY_NAME, Tool

KEY_LENGTH = 120


def run_tool(
    actor: Actor, name: str, arguments: dict[str, Any] | None, key: str = ""
) -> dict[str, Any]:
    """The tool's answer as JSON. The same key again gets the same answer and changes nothing."""
    tool = BY_NAME.get(name)
    if tool is None:
        return refused("I have no such tool.").as_dict(actor)
    if tool.reads:
        return _run(actor, tool, arguments or {}).as_dict(actor)
    stored = _stored_key(actor, key)
    try:
        return _run_once(actor, tool, arguments or {}, stored)
    except IntegrityError:
        # Two callers with one key at the same moment: the first one's answer stands.
        known = _known(actor, stored)
        if known is None:
            raise
        return known


def _run_once(actor: Actor, tool: Tool, arguments: dict[str, Any], key: str) -> dict[str, Any]:
    with changes.exclusive(actor.user):
        known = _known(actor, key)
        if known is not None:
            return known
        result = _run(actor, tool, arguments).as_dict(actor)
        if key:
            ToolRequest.objects.create(key=key, owner=actor.user, tool=tool.name, result=result)
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


def _known(actor: Actor, key: str) -> dict[str, Any] | None:
    if not key:
        return None
    request = ToolRequest.objects.filter(key=key, owner=actor.user).first()
    return dict(request.result) if request else None


def _stored_key(actor: Actor, key: str) -> str:
    """Keys of two people never meet, whatever a client sends."""
    full = f"{actor.user.pk}:{key}"
    if not key:
        return ""
    return full if len(full) <= KEY_LENGTH else hashlib.sha256(full.encode()).hexdigest()
