"""What the product's database says of the calls of a run. Needs Django's settings."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Count

from convonet.far_end import names
from convonet.load import tokens
from convonet.load.plan import RUNAWAY_LINES, TOOL
from phone.models import Line
from voice.models import Business, Call, Turn

BUSINESS = "Bench"


def prepare(browsers: Sequence[str]) -> dict[str, int]:
    """A line whose callers are guests and may use one tool; users for the browsers, by name."""
    business, _ = Business.objects.get_or_create(name=BUSINESS, defaults={"guest_tools": [TOOL]})
    Line.objects.get_or_create(number=names.CALLED, defaults={"business": business})
    for tool, number in RUNAWAY_LINES.items():
        own, _ = Business.objects.get_or_create(name=tool, defaults={"guest_tools": [tool]})
        Line.objects.get_or_create(number=number, defaults={"business": own})
    return {name: User.objects.get_or_create(username=name)[0].pk for name in browsers}


def turns(since: datetime) -> list[dict[str, Any]]:
    """Those begun since then; `key` as the stations name themselves."""
    rows = Turn.objects.filter(created_at__gte=since).annotate(tools=Count("tool_calls"))
    fields = ("id", "state", "error", "attempts", "tools", "call__phone__sid")
    return [
        {
            "id": str(row["id"]),
            "key": row["call__phone__sid"] or row["call__user__username"],
            "token": tokens.found(row["transcript"]),
            **{name: row[name] for name in fields[1:5]},
        }
        for row in rows.values(*fields, "transcript", "call__user__username").order_by("created_at")
    ]


def open_turns() -> int:
    over = (Turn.State.DONE, Turn.State.INTERRUPTED, Turn.State.FAILED)
    return Turn.objects.exclude(state__in=over).count()


def calls() -> list[dict[str, Any]]:
    """How each ended, and what the product took of its audio."""
    fields = ("end_reason", "audio_in_ms", "dropped_chunks", "phone__sid", "user__username")
    return [
        {
            "key": row["phone__sid"] or row["user__username"],
            **{name: row[name] for name in fields[:3]},
        }
        for row in Call.objects.values(*fields)
    ]
