"""A task as it lies in Redis for Celery's workers, made without Celery.

Celery's message protocol 2 (docs.celeryq.dev, "Message Protocol") in the wrapping of kombu's
Redis transport. Publishing through both costs a turn 2 ms; one list push costs a tenth of that, and
can be one step with what the task is about. A test compares each field with Celery's own message.
"""

from __future__ import annotations

import base64
import json
import os
import socket
import uuid
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from django.conf import settings

TASKS = "workers.tasks."
SPEECH, AGENT = "speech", "agent"
# What a child works on alone, one after the other, and never claims for itself.
CHORES = "chores"
_HEARING_TASKS = frozenset({"transcribe"})
_SPEAKING_TASKS = frozenset({"speak", "speak_reminder", "speak_sample"})
# Of workers that compute, which alone are asked for it.
_COMPUTING_TASKS = frozenset({"get_ready"})
_CHORES = frozenset({"join_recordings", "delete_old_records", "run_turn_alone", "stand_by"})
_NO_EMBEDDED = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}


def queue_of(task: str) -> str:
    """The Redis list that its workers pop from.

    Hearing and speaking have workers of their own only where an engine computes on this machine.
    """
    if task in _HEARING_TASKS:
        return str(settings.HEARING_QUEUE)
    if task in _SPEAKING_TASKS:
        return str(settings.SPEAKING_QUEUE)
    if task in _COMPUTING_TASKS:
        return SPEECH
    return CHORES if task in _CHORES else AGENT


def speech_computes() -> bool:
    """Whether any of that is queued for workers of its own."""
    return SPEECH in (settings.HEARING_QUEUE, settings.SPEAKING_QUEUE)


def sealed(task: str, *args: str | int, expires_seconds: float | None = None) -> bytes:
    """`workers.tasks.<task>` with these arguments, to be pushed (LPUSH) on `queue_of(task)`.

    A worker that gets it after `expires_seconds` does nothing.
    """
    task_id = str(uuid.uuid4())
    body = json.dumps([args, {}, _NO_EMBEDDED]).encode()
    message = {
        "body": base64.b64encode(body).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": _headers(task, task_id, args, expires_seconds),
        "properties": {
            "correlation_id": task_id,
            "reply_to": "",
            "delivery_mode": 2,
            "delivery_info": {"exchange": "", "routing_key": queue_of(task)},
            "priority": 0,
            "body_encoding": "base64",
            "delivery_tag": str(uuid.uuid4()),
        },
    }
    return json.dumps(message).encode()


def _headers(
    task: str, task_id: str, args: tuple[str | int, ...], expires_seconds: float | None
) -> dict[str, Any]:
    return {
        "lang": "py",
        "task": TASKS + task,
        "id": task_id,
        "shadow": None,
        "eta": None,
        "expires": _expires(expires_seconds),
        "group": None,
        "group_index": None,
        "retries": 0,
        "timelimit": [None, None],
        "root_id": task_id,
        "parent_id": None,
        "argsrepr": repr(args),
        "kwargsrepr": "{}",
        "origin": _origin(os.getpid()),
        "ignore_result": True,
        "replaced_task_nesting": 0,
        "stamped_headers": None,
        "stamps": {},
    }


def _expires(seconds: float | None) -> str | None:
    return None if seconds is None else (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


@cache
def _origin(pid: int) -> str:
    return f"gen{pid}@{socket.gethostname()}"
