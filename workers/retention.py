"""Deletes records that are older than they are kept."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from monitor.models import MemorySample
from phone import recordings
from todo.models import Mention, Question, ToolRequest
from voice.models import Call, Checkpoint, ProviderUse
from workers.options import RetentionOptions

logger = logging.getLogger("workers.retention")

# Small transactions, so that a caller's turn never waits long for the database.
BATCH = 200
# A turn's checkpoint goes with its end; no turn takes nearly as long.
LEFT = timedelta(days=1)


def purge(now: datetime, options: RetentionOptions) -> dict[str, int]:
    """Delete what is too old at `now`; returns how many rows of each kind went."""
    requests = now - timedelta(days=options.tool_request_days)
    calls = now - timedelta(days=options.call_days)
    memory = now - timedelta(hours=options.memory_hours)
    counts = {
        "tool_requests": _delete(ToolRequest.objects.filter(created_at__lt=requests)),
        "questions": _delete(Question.objects.filter(created_at__lt=requests)),
        "mentions": _delete(Mention.objects.filter(spoken_at__lt=requests)),
        "recordings": recordings.purge(now, options.recording_days),
        "checkpoints": _delete(Checkpoint.objects.filter(saved_at__lt=now - LEFT)),
        "calls": _delete(Call.objects.filter(started_at__lt=calls)),
        "memory": _delete(MemorySample.objects.filter(at__lt=memory)),
        # Those of a call go with it; what is left was spoken for none.
        "uses": _delete(ProviderUse.objects.filter(at__lt=calls).order_by()),
    }
    logger.info("old records deleted", extra=counts)
    return counts


def _delete(rows: QuerySet[Any]) -> int:
    deleted = 0
    while keys := list(rows.values_list("pk", flat=True)[:BATCH]):
        rows.model._default_manager.filter(pk__in=keys).delete()
        deleted += len(keys)
    return deleted
